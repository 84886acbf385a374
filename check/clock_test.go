package check

import (
	"testing"

	"weir/trace"
)

func (w *world) byClock(k trace.Kind, at int64) {
	w.tell(trace.Event{Kind: k, Task: 2, Channel: trace.NoChannel, At: at, Data: []byte("key"), Way: trace.ByClock})
}

func TestTimersOfProcessingTimeFireOnceInOrder(t *testing.T) {
	w := newWorld(t)
	w.byClock(trace.TimerSet, 5)
	w.byClock(trace.TimerSet, 3)
	w.byClock(trace.TimerSet, 3)
	w.byClock(trace.TimerSet, 4)
	w.byClock(trace.TimerCancelled, 4)
	w.byClock(trace.TimerFired, 3)
	w.byClock(trace.TimerFired, 5)
	if r := w.verdict(); r.Safety() > 0 {
		t.Error(r.Violations)
	}
	w.byClock(trace.TimerFired, 5)
	mustFire(t, w.verdict(), "a timer of processing time 5 fires that nobody has set", WallClock, Progress)
	w = newWorld(t)
	w.byClock(trace.TimerSet, 5)
	w.byClock(trace.TimerSet, 3)
	w.byClock(trace.TimerFired, 5)
	mustFire(t, w.verdict(), "a timer of processing time 5 fires before one of 3", WallClock, Progress)
}

// TestARestoredTaskWaitsForItsTimers: unless none fires any more.
func TestARestoredTaskWaitsForItsTimers(t *testing.T) {
	for _, c := range []struct{ fired, drained, awaited, silent bool }{
		{silent: true}, {fired: true}, {drained: true}, {awaited: true},
	} {
		w := newWorld(t)
		w.byClock(trace.TimerSet, 5)
		w.byClock(trace.TimerAwaited, 5) // by an incarnation that dies
		if c.fired {
			w.byClock(trace.TimerFired, 5)
		}
		if c.drained {
			w.task(trace.TaskDrained, 2, 0)
		}
		w.snapshot(epoch(1, 1))
		w.complete(epoch(1, 1))
		w.crash("w0")
		w.restart(-1, 0, epoch(1, 1))
		if c.awaited {
			w.byClock(trace.TimerAwaited, 5)
		}
		w.ready()
		if r := w.verdict(); c.silent {
			mustFire(t, r, "the restored task has 1 timers of processing time, the first of 5, and has not asked", WallClock, Progress)
		} else if r.Safety() > 0 {
			t.Errorf("%+v: %v", c, r.Violations)
		}
	}
}
