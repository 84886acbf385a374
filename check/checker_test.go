package check

import (
	"strings"
	"testing"

	"weir/trace"
)

func TestRightRunsPass(t *testing.T) {
	w := newWorld(t)
	t.Run("without failures", func(t *testing.T) {
		w.begin()
		w.middle()
		r := w.finish(epoch(1, 2))
		mustPass(t, r)
		if r.Checkpoints != 2 || r.Duplicates+r.Losses != 0 || r.CommittedRows != worldRecords {
			t.Errorf("stats %+v", r.Stats)
		}
	})
	t.Run("restored from a checkpoint with items in flight", func(t *testing.T) {
		w.begin()
		w.middle()
		w.crash("w0")
		w.restore(epoch(1, 1))
		w.emit(1, 2)
		w.snapshot(epoch(2, 1)) // never completes
		w.flow()
		w.crash("w1")
		w.restore(epoch(1, 1))
		r := w.finish(epoch(3, 1))
		mustPass(t, r)
		if r.Crashes != 2 || r.RestoredTasks != 10 || r.Recoveries != 2 || r.LostWork == 0 {
			t.Errorf("stats %+v", r.Stats)
		}
	})
	t.Run("restored from nothing", func(t *testing.T) {
		w.begin()
		w.emit(0, 5)
		w.flow()
		w.crash("w0")
		w.restore(0)
		mustPass(t, w.finish(epoch(2, 1)))
	})
	t.Run("a record whose completion nobody saw", func(t *testing.T) {
		w.begin()
		w.middle()
		w.snapshot(epoch(1, 2))
		w.record(epoch(1, 2))
		w.coordinator(trace.CoordinatorCrashed, 0)
		w.restore(epoch(1, 2))
		w.commit(epoch(1, 2))
		r := w.finish(epoch(2, 1))
		mustPass(t, r)
		if r.CoordinatorCrashes != 1 {
			t.Errorf("stats %+v", r.Stats)
		}
	})
	t.Run("a task that leaves early is carried over", func(t *testing.T) {
		w.begin()
		w.emit(0, worldRecords)
		w.emit(1, 3)
		w.flow()
		w.snapshot(epoch(1, 1))
		w.complete(epoch(1, 1))
		w.task(trace.TaskLeft, 0, 0)
		w.emit(1, 4)
		w.snapshotWithout(0, epoch(1, 2))
		w.complete(epoch(1, 2))
		w.crash("w0")
		w.restart(0, epoch(1, 1), epoch(1, 2))
		w.task(trace.TaskLeft, 0, 0)
		w.ready()
		w.emit(1, worldRecords)
		w.flow()
		w.snapshotWithout(0, epoch(2, 1))
		w.complete(epoch(2, 1))
		mustPass(t, w.end())
	})
}

func TestViolationsAreCountedAllAndKeptFew(t *testing.T) {
	w := newWorld(t)
	for range 9 {
		w.tell(trace.Event{Kind: trace.Emitted, Task: 0, Channel: trace.NoChannel, From: 7, To: 9})
	}
	r := w.c.Finish(End{Time: w.now})
	if r.Counts[Conservation] != 9 || len(r.Violations) != keptPerOracle+1 || r.Safe() {
		t.Errorf("counts %v, kept %d", r.Counts, len(r.Violations))
	}
	if s := r.Violations[0].String(); !strings.HasPrefix(s, "conservation: at ") || !strings.Contains(s, "task t0") {
		t.Errorf("%s", s)
	}
	w.begin()
	w.middle()
	mustPass(t, w.finish(epoch(1, 2))) // nothing is left after Reset
}

func TestNewRefusesWhatCannotBeChecked(t *testing.T) {
	for name, change := range map[string]func(x *Expect){
		"guarantee":   func(x *Expect) { x.State = 0 },
		"RecordID":    func(x *Expect) { x.RecordID = nil },
		"outside the": func(x *Expect) { x.Channels = []Channel{{From: 0, To: 9}} },
	} {
		x := worldExpect()
		change(&x)
		if _, err := New(x); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// BenchmarkRun is the checker's share of a whole run of 240 records with one
// crash and three completed checkpoints.
func BenchmarkRun(b *testing.B) {
	w := newWorld(b, func(x *Expect) { x.Pace.Checkpoint = 0 })
	var events []trace.Event
	w.mirror = func(e trace.Event) { events = append(events, e) }
	w.begin()
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.emit(0, worldRecords/4)
	w.flow()
	w.snapshot(epoch(2, 1))
	w.complete(epoch(2, 1))
	mustPassB(b, w.finish(epoch(2, 2)))
	b.ReportAllocs()
	for b.Loop() {
		w.c.Reset()
		for i := range events {
			w.c.Observe(&events[i])
		}
		mustPassB(b, w.c.Finish(End{Time: w.now}))
	}
	b.ReportMetric(float64(len(events)), "events/run")
}

func mustPassB(b *testing.B, r *Report) {
	if len(r.Violations) > 0 {
		b.Fatal(r.Violations)
	}
}
