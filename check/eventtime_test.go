package check

import (
	"math/rand/v2"
	"strings"
	"testing"

	"weir/id"
	"weir/trace"
)

// clockwork tells a world's checker of event time in task 2, whose inputs are
// channels 0 and 2 and whose output is channel 4.
type clockwork struct{ *world }

func (w clockwork) tellAt(k trace.Kind, at int64, key string) {
	w.tell(trace.Event{Kind: k, Task: 2, Channel: trace.NoChannel, At: at, Data: []byte(key)})
}

func (w clockwork) brings(ch id.ChannelID, wm int64) {
	w.taken[ch]++
	w.tell(trace.Event{Kind: trace.Delivered, Task: 2, Channel: ch, From: w.taken[ch] - 1, To: w.taken[ch], At: wm})
}

func (w clockwork) announces(wm int64) {
	w.sealed[4]++
	w.tell(trace.Event{Kind: trace.Sealed, Task: 2, Channel: 4, From: w.sealed[4] - 1, To: w.sealed[4], At: wm})
}

func (w clockwork) asks(at int64, key string) { w.tellAt(trace.TimerSet, at, key) }
func (w clockwork) fires(at int64, key string) {
	w.tellAt(trace.TimerFired, at, key)
}
func (w clockwork) sees(wm int64) { w.tellAt(trace.WatermarkSeen, wm, "") }

// saves takes a snapshot of the task, returns takes it back there.
func (w clockwork) saves(e id.Epoch) { w.task(trace.SnapshotBegun, 2, e) }
func (w clockwork) returns(e id.Epoch) {
	w.attempt++
	w.task(trace.TaskStarting, 2, 0)
	w.task(trace.TaskRestored, 2, e)
}

// complaints are what the event-time oracle says.
func (w clockwork) complaints() (all []string) {
	for _, v := range w.c.verdict.Violations {
		if v.Oracle == EventTime {
			all = append(all, v.Text)
		}
	}
	return all
}

// TestEventTime: what is right raises no alarm, and one step that is wrong does.
func TestEventTime(t *testing.T) {
	for _, x := range []struct {
		name  string
		story func(w clockwork)
		want  string // in the only complaint; "": none
	}{
		{"the lowest input counts", func(w clockwork) {
			w.brings(0, 10)
			w.sees(trace.NoTime)
			w.brings(2, 7)
			w.sees(7)
			w.announces(7)
		}, ""},
		{"the operator sees the highest input", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.sees(10)
		}, "sees watermark 10 at event time 7"},
		{"while a buffer is processed the watermark is the one before", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.brings(2, 9)
			w.sees(7)
			w.sees(9)
		}, ""},
		{"the operator sees one of two buffers ago", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.brings(2, 8)
			w.brings(2, 9)
			w.sees(7)
		}, "sees watermark 7 at event time 9"},
		{"event time goes back before the operator's eyes", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.brings(2, 9)
			w.sees(9)
			w.sees(7)
		}, "goes back"},
		{"a watermark is announced that is not reached", func(w clockwork) {
			w.brings(0, 10)
			w.announces(10)
		}, "watermark 10 is announced"},
		{"announced watermarks go back", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 10)
			w.announces(9)
			w.announces(8)
		}, "behind watermark 9"},
		{"a watermark is handed on while its timers fire", func(w clockwork) {
			w.asks(5, "a")
			w.brings(0, 10)
			w.brings(2, 7)
			w.announces(trace.NoTime) // what timers emit, and a barrier passes
			w.saves(epoch(1, 1))
			w.fires(5, "a")
			w.announces(trace.NoTime)
			w.announces(7)
			w.brings(2, 9)
			w.announces(trace.NoTime)
			w.announces(9)
			w.brings(0, trace.EndOfTime)
			w.brings(2, trace.EndOfTime)
			w.announces(trace.NoTime)
			w.announces(trace.EndOfTime)
			w.announces(trace.EndOfTime)
		}, ""},
		{"a watermark is on the way in an open buffer", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.brings(2, 9)
			w.announces(7)
		}, ""},
		{"a watermark is not handed on", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.brings(2, 8)
			w.announces(trace.NoTime)
			w.announces(8)
		}, "watermark none announced, and watermark 7 was to be handed on"},
		{"a watermark is handed on late", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.announces(7)
			w.brings(2, 8)
			w.brings(2, 9)
			w.announces(7)
		}, "watermark 7 announced, and watermark 8 was to be handed on"},
		{"the end of the data comes instead of the last watermark", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.brings(2, trace.EndOfTime)
			w.brings(0, trace.EndOfTime)
			w.announces(trace.EndOfTime)
		}, "watermark 10 was to be handed on"},
		{"a watermark is handed on twice", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.announces(7)
			w.announces(7)
		}, "watermark 7 is announced again"},
		{"a rollback takes back what was announced", func(w clockwork) {
			w.brings(0, 10)
			w.brings(2, 7)
			w.saves(epoch(1, 1))
			w.announces(7)
			w.brings(2, 8)
			w.returns(epoch(1, 1))
			w.announces(trace.NoTime)
			w.announces(7)
		}, ""},
		{"a timer fires when it is due", func(w clockwork) {
			w.asks(5, "a")
			w.asks(5, "a")
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "a")
			w.brings(2, 7)
		}, ""},
		{"a timer fires too early", func(w clockwork) {
			w.asks(5, "a")
			w.brings(0, 6)
			w.fires(5, "a")
		}, "a timer of 5 fires at event time"},
		{"a timer fires twice", func(w clockwork) {
			w.asks(5, "a")
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "a")
			w.fires(5, "a")
		}, "fires that nobody has set"},
		{"a timer of another key fires", func(w clockwork) {
			w.asks(9, "a")
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "b")
		}, "fires that nobody has set"},
		{"timers fire out of order", func(w clockwork) {
			w.asks(5, "a")
			w.asks(4, "b")
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "a")
			w.fires(4, "b")
		}, "fires before one of 4"},
		{"a timer set in the past waits", func(w clockwork) {
			w.brings(0, 6)
			w.brings(2, 6)
			w.asks(6, "a")
			w.brings(0, 8)
		}, "has not fired"},
		{"a cancelled timer does not fire", func(w clockwork) {
			w.asks(5, "a")
			w.tellAt(trace.TimerCancelled, 5, "a")
			w.brings(0, 6)
			w.brings(2, 6)
			w.brings(2, 7)
		}, ""},
		{"a rollback takes timers and watermarks back", func(w clockwork) {
			w.asks(5, "a")
			w.brings(0, 4)
			w.brings(2, 4)
			w.saves(epoch(1, 1))
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "a")
			w.sees(6)
			w.asks(9, "b")
			w.returns(epoch(1, 1))
			w.sees(4)
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "a")
			w.brings(2, 9)
		}, ""},
		{"a watermark does not come back", func(w clockwork) {
			w.brings(0, 4)
			w.brings(2, 4)
			w.saves(epoch(1, 1))
			w.returns(epoch(1, 1))
			w.sees(trace.NoTime)
		}, "sees watermark"},
		{"a timer that had fired comes back", func(w clockwork) {
			w.asks(5, "a")
			w.brings(0, 6)
			w.brings(2, 6)
			w.fires(5, "a")
			w.saves(epoch(1, 1))
			w.returns(epoch(1, 1))
			w.fires(5, "a")
		}, "fires that nobody has set"},
		{"a timer does not come back", func(w clockwork) {
			w.asks(5, "a")
			w.saves(epoch(1, 1))
			w.returns(epoch(1, 1))
			w.brings(0, 6)
			w.brings(2, 6)
			w.brings(2, 7)
		}, "has not fired"},
		{"a task starts from nothing", func(w clockwork) {
			w.asks(5, "a")
			w.brings(0, 6)
			w.brings(2, 4)
			w.returns(0)
			w.brings(0, 6)
			w.brings(2, 6)
			w.brings(2, 7)
		}, ""},
	} {
		w := clockwork{newWorld(t)}
		x.story(w)
		got := w.complaints()
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.Contains(got[0], x.want)) {
			t.Errorf("%s: %q, want one with %q", x.name, got, x.want)
		}
	}
}

// TestTimersAreDoneAtTheEnd: a job must not end with timers that are due.
func TestTimersAreDoneAtTheEnd(t *testing.T) {
	for _, left := range []bool{false, true} {
		w := clockwork{newWorld(t)}
		w.asks(5, "a")
		w.brings(0, trace.EndOfTime)
		w.brings(2, trace.EndOfTime)
		if !left {
			w.fires(5, "a")
		}
		w.over()
		if got := w.complaints(); left != (len(got) == 1 && strings.Contains(got[0], "ended with 1 timers")) {
			t.Errorf("a timer is left: %v; %q", left, got)
		}
	}
}

// TestInexactEventTime: a task that is behind its inputs is told nothing where the
// state is not exact, one that is ahead is.
func TestInexactEventTime(t *testing.T) {
	for _, ahead := range []bool{false, true} {
		w := clockwork{newWorld(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })}
		w.brings(0, 10)
		w.brings(2, 10)
		w.brings(2, 20)
		w.brings(0, 30)
		w.sees(12)
		w.asks(15, "a")
		w.brings(0, 31)
		if ahead {
			w.sees(21)
		}
		if got := w.complaints(); ahead != (len(got) > 0) {
			t.Errorf("ahead %v: %q", ahead, got)
		}
	}
}

// TestBackEdgesHoldNothingBack: a watermark does not wait for what comes round.
func TestBackEdgesHoldNothingBack(t *testing.T) {
	w := clockwork{newWorld(t, func(x *Expect) { x.Channels[2].Back = true })}
	w.brings(0, 10)
	w.sees(10)
	if got := w.complaints(); len(got) > 0 {
		t.Error(got)
	}
}

// TestBackEdgesTellNothing but the end of all.
func TestBackEdgesTellNothing(t *testing.T) {
	w := clockwork{newWorld(t, func(x *Expect) { x.Channels[4].Back = true })}
	w.brings(0, 10)
	w.brings(2, 7)
	w.announces(trace.NoTime)
	if got := w.complaints(); len(got) > 0 {
		t.Error(got)
	}
	w.announces(7)
	if got := w.complaints(); len(got) != 1 || !strings.Contains(got[0], "on a back-edge") {
		t.Error(got)
	}
}

// TestLateRecordsOfTheSurvivingHistory are those that are counted.
func TestLateRecordsOfTheSurvivingHistory(t *testing.T) {
	w := clockwork{newWorld(t)}
	w.tellAt(trace.RecordLate, 0, "r")
	w.saves(epoch(1, 1))
	w.tellAt(trace.RecordLate, 0, "s")
	w.returns(epoch(1, 1))
	w.tellAt(trace.RecordLate, 0, "s")
	if r := w.over(); r.LateRecords != 2 {
		t.Errorf("%d late records, want 2", r.LateRecords)
	}
}

// TestLowestWatermark holds the incremental minimum against one that looks at all inputs.
func TestLowestWatermark(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w := clockwork{newWorld(t)}
	c := &watcherOf[*eventTime](w.c).clocks[2]
	low := [2]int64{trace.NoTime, trace.NoTime}
	for range 1000 {
		ch := rng.IntN(2)
		wm := rng.Int64N(1000) - 500
		w.brings(id.ChannelID(2*ch), wm)
		low[ch] = max(low[ch], wm)
		if want := min(low[0], low[1]); c.at != want {
			t.Fatalf("event time %d, want %d", c.at, want)
		}
	}
}

// sourceAt tells of a source, task 0, that reads splits 0 and 2, each of which holds
// a quarter of all records.
type sourceAt struct{ *world }

func newSourceAt(t *testing.T) sourceAt {
	w := sourceAt{newWorld(t, func(x *Expect) { x.Splits = []Split{{0, 4}, {1, 2}, {2, 4}} })}
	w.takes(2, 0)
	return w
}

func (w sourceAt) takes(n id.SplitID, at uint64) {
	w.tell(trace.Event{Kind: trace.SplitTaken, Task: 0, Channel: trace.NoChannel, Split: n, To: at})
}

func (w sourceAt) reads(n id.SplitID, from, to uint64) {
	w.tell(trace.Event{Kind: trace.Emitted, Task: 0, Channel: trace.NoChannel, Split: n, From: from, To: to})
}

func (w sourceAt) says(n id.SplitID, wm int64) {
	w.tell(trace.Event{Kind: trace.WatermarkSaid, Task: 0, Channel: trace.NoChannel, Split: n, At: wm})
}

func (w sourceAt) announces(wm int64) {
	w.sealed[0]++
	w.tell(trace.Event{Kind: trace.Sealed, Task: 0, Channel: 0, From: w.sealed[0] - 1, To: w.sealed[0], At: wm})
}

// TestEventTimeOfSplits: a source is where the lowest of its splits with records
// left is.
func TestEventTimeOfSplits(t *testing.T) {
	for name, x := range map[string]struct {
		story func(w sourceAt)
		want  string
	}{
		"the lowest counts": {func(w sourceAt) { w.says(0, 10); w.says(2, 8); w.announces(8) }, ""},
		"the highest is announced": {func(w sourceAt) {
			w.says(0, 10)
			w.says(2, 8)
			w.announces(10)
		}, "watermark 10 is announced at event time 8"},
		"what all have said is held back": {func(w sourceAt) {
			w.says(0, 10)
			w.says(2, 8)
			w.announces(trace.NoTime)
		}, "watermark none announced, and watermark 8 was to be handed on"},
		"one does not remember what it said": {func(w sourceAt) {
			w.says(0, 10)
			w.says(2, 8)
			w.announces(8)
			w.task(trace.SnapshotBegun, 0, epoch(1, 1))
			w.attempt++
			w.task(trace.TaskStarting, 0, 0)
			w.task(trace.TaskRestored, 0, epoch(1, 1))
			w.says(2, 9)
			w.announces(trace.NoTime)
		}, "watermark 8 announced, and watermark 9 was to be handed on"},
		"the last word of all goes with the end": {func(w sourceAt) {
			w.says(0, 10)
			w.says(2, 8)
			w.announces(8)
			w.reads(2, 0, 60)
			w.reads(0, 0, 60)
			w.says(0, 12)
			w.announces(trace.NoTime)
			w.announces(trace.EndOfTime)
		}, ""},
		"a silent one holds it back":  {func(w sourceAt) { w.says(0, 10); w.announces(10) }, "watermark 10 is announced"},
		"one that has ended does not": {func(w sourceAt) { w.says(0, 10); w.reads(2, 0, 60); w.announces(10) }, ""},
		"one that has ended does": {func(w sourceAt) {
			w.says(0, 10)
			w.says(2, 8)
			w.reads(2, 0, 60)
			w.announces(8) // the source may not know yet
			w.says(2, trace.EndOfTime)
			w.announces(trace.NoTime)
		}, "watermark 8 announced, and watermark 10 was to be handed on"},
		"the end with records left": {func(w sourceAt) { w.reads(2, 0, 60); w.announces(trace.EndOfTime) }, "is announced at event time"},
		"the end of all":            {func(w sourceAt) { w.reads(2, 0, 60); w.reads(0, 0, 60); w.announces(trace.EndOfTime) }, ""},
		"a snapshot has what was said": {func(w sourceAt) {
			w.says(0, 10)
			w.task(trace.SnapshotBegun, 0, epoch(1, 1))
			w.says(2, 8)
			w.attempt++
			w.task(trace.TaskStarting, 0, 0)
			w.task(trace.TaskRestored, 0, epoch(1, 1))
			w.takes(0, 0)
			w.takes(2, 0)
			w.announces(8)
		}, "watermark 8 is announced"},
	} {
		w := newSourceAt(t)
		x.story(w)
		got := clockwork(w).complaints()
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.Contains(got[0], x.want)) {
			t.Errorf("%s: %q, want one with %q", name, got, x.want)
		}
	}
}
