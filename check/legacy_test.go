package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

func (w *legs) timer(k trace.Kind, t id.TaskID, at int64, key string, way trace.Way) {
	w.tell(trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, At: at, Data: []byte(key), Way: way})
}

func (w *legs) fires(t id.TaskID, at int64, key string) {
	w.timer(trace.TimerFired, t, at, key, trace.NoWay)
}

// timed is a run with two timers of event time, of two tasks, that becomes wide.
func timed(t *testing.T, alter ...func(x *Expect)) *legs {
	w := newLegs(t, narrow, alter...)
	w.timer(trace.TimerSet, 2, 50, "a", trace.NoWay)
	w.timer(trace.TimerSet, 3, 60, "b", trace.NoWay)
	w.emit(0, 3)
	w.watermark(40)
	w.middle(epoch(1, 1))
	w.becomes(wide, epoch(1, 1))
	w.flow()
	return w
}

// TestEventTimeGoesOnThroughAChange: timers and watermarks of an operator are its
// instances' together.
func TestEventTimeGoesOnThroughAChange(t *testing.T) {
	for _, x := range []struct {
		name  string
		story func(w *legs) *Report
		want  string // in the only complaint of the oracle; "": none
	}{
		{"each timer fires once, in the instance that has it", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.watermark(60)
			w.fires(5, 60, "b")
			return w.finish(epoch(2, 1))
		}, ""},
		{"it is set again, cancelled, and not set", func(w *legs) *Report {
			w.timer(trace.TimerSet, 4, 50, "a", trace.NoWay)
			w.timer(trace.TimerCancelled, 5, 60, "b", trace.NoWay)
			w.watermark(55)
			w.fires(4, 50, "a")
			w.watermark(70)
			return w.finish(epoch(2, 1))
		}, ""},
		{"a timer fires in two instances", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.fires(5, 50, "a")
			w.watermark(60)
			w.fires(5, 60, "b")
			return w.finish(epoch(2, 1))
		}, "a timer of 50 fires that nobody has set, or that has fired before"},
		{"a timer is forgotten", func(w *legs) *Report {
			w.watermark(70)
			w.fires(4, 50, "a")
			return w.finish(epoch(2, 1))
		}, "the job ended with timers of count from before the graph changed that are due and have not fired; the first is of 60"},
		{"one that is not due may be left", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			return w.finish(epoch(2, 1))
		}, ""},
		{"a timer fires before its time", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.fires(5, 60, "b")
			return w.finish(epoch(2, 1))
		}, "a timer of 60 fires at event time 55"},
		{"event time goes back behind what all former instances had", func(w *legs) *Report {
			w.tell(trace.Event{Kind: trace.WatermarkSeen, Task: 4, Channel: trace.NoChannel, At: 30})
			return w.verdict()
		}, "the operator sees watermark 30 and has seen 40: event time goes back"},
		{"event time is said to be where it is", func(w *legs) *Report {
			w.tell(trace.Event{Kind: trace.WatermarkSeen, Task: 4, Channel: trace.NoChannel, At: 40})
			return w.verdict()
		}, ""},
		{"what has fired before a checkpoint does not fire behind it", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.middle(epoch(2, 1))
			w.crash()
			w.restore(epoch(2, 1))
			w.flow()
			w.fires(4, 50, "a")
			w.watermark(60)
			w.fires(5, 60, "b")
			return w.finish(epoch(3, 1))
		}, "a timer of 50 fires that nobody has set, or that has fired before"},
		{"what has fired behind it does", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.middle(epoch(2, 1))
			w.watermark(60)
			w.fires(5, 60, "b")
			w.crash()
			w.restore(epoch(2, 1))
			w.watermark(60)
			w.fires(5, 60, "b")
			return w.finish(epoch(3, 1))
		}, ""},
		{"back where it came from all fire again", func(w *legs) *Report {
			w.watermark(60)
			w.fires(4, 50, "a")
			w.fires(5, 60, "b")
			w.crash()
			w.restore(epoch(1, 1))
			w.watermark(60)
			w.fires(4, 50, "a")
			w.fires(5, 60, "b")
			return w.finish(epoch(3, 1))
		}, ""},
		{"a third graph has what the second had not fired, and what it has set", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.timer(trace.TimerSet, 6, 58, "c", trace.NoWay)
			w.middle(epoch(2, 1))
			w.becomes(slim, epoch(2, 1))
			w.watermark(70)
			w.fires(1, 58, "c")
			w.fires(1, 60, "b")
			return w.finish(epoch(3, 1))
		}, ""},
		{"a third graph fires what the second had fired", func(w *legs) *Report {
			w.watermark(55)
			w.fires(4, 50, "a")
			w.middle(epoch(2, 1))
			w.becomes(slim, epoch(2, 1))
			w.flow()
			w.fires(1, 50, "a")
			return w.finish(epoch(3, 1))
		}, "a timer of 50 fires that nobody has set, or that has fired before"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := x.story(timed(t))
			for o, n := range r.Counts {
				if o := Oracle(o); n > 0 && o != Progress && (o != EventTime || x.want == "") {
					t.Errorf("%v", r.Violations)
				}
			}
			if x.want != "" && (r.Counts[EventTime] != 1 || !contains(r, EventTime, x.want)) {
				t.Errorf("%v, want one that says %q", r.Violations, x.want)
			}
		})
	}
}

// TestFormersOfAnInexactStateAreNoCertainty: where items are counted twice nobody knows
// how far a former instance had come, and no watermark is behind it.
func TestFormersOfAnInexactStateAreNoCertainty(t *testing.T) {
	w := timed(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })
	w.tell(trace.Event{Kind: trace.WatermarkSeen, Task: 4, Channel: trace.NoChannel, At: 30})
	if r := w.verdict(); r.Counts[EventTime] > 0 {
		t.Error(r.Violations)
	}
}

// TestAPoolWithoutTimersIsNotAlive: nobody has to ask to be woken for what is claimed.
func TestAPoolWithoutTimersIsNotAlive(t *testing.T) {
	p := newPool()
	p.add("a", []timer{{at: 5, key: 1}}, true)
	p.remove("a", []timer{{at: 5, key: 1}})
	if p.alive["a"] {
		t.Error("it has no timers, and is taken for one that fires some")
	}
}

// TestTimersOfProcessingTimeGoOnThroughAChange: one instance fires each, and one
// at least waits for them.
func TestTimersOfProcessingTimeGoOnThroughAChange(t *testing.T) {
	set := func(t *testing.T, to shape, awaits bool) *legs {
		w := newLegs(t, narrow)
		w.timer(trace.TimerSet, 2, 5, "a", trace.ByClock)
		w.timer(trace.TimerSet, 3, 3, "b", trace.ByClock)
		w.middle(epoch(1, 1))
		w.awaits = func(n id.TaskID) bool { return awaits && n == 4 }
		w.becomes(to, epoch(1, 1))
		return w
	}
	w := set(t, wide, true)
	w.timer(trace.TimerFired, 4, 3, "b", trace.ByClock)
	w.timer(trace.TimerFired, 5, 5, "a", trace.ByClock)
	mustPass(t, w.finish(epoch(2, 1)))

	w = set(t, wide, true)
	w.timer(trace.TimerFired, 4, 3, "b", trace.ByClock)
	w.timer(trace.TimerFired, 5, 3, "b", trace.ByClock)
	mustFire(t, w.verdict(), "a timer of processing time 3 fires that nobody has set", WallClock, Progress)

	mustFire(t, set(t, wide, false).verdict(), "the former instances of count had 2 timers of processing time, the first of 3, and none of the new ones has asked to be woken", WallClock, Progress)

	w = set(t, wide, true)
	w.timer(trace.TimerFired, 4, 3, "b", trace.ByClock)
	w.middle(epoch(2, 1))
	w.awaits = nil
	w.becomes(slim, epoch(2, 1))
	mustFire(t, w.verdict(), "the former instances of count had 1 timers of processing time, the first of 5", WallClock, Progress)
}
