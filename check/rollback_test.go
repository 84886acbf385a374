package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

func rolls(s Scope) func(*Expect) { return func(x *Expect) { x.Rollback = s } }

// recoverAround crashes a worker and lets tasks do something before a plan starts
// those that are not kept; a new coordinator's if one has crashed.
func (w *world) recoverAround(kept id.TaskID, coordinator bool) *Report {
	w.middle()
	w.crash("0")
	if coordinator {
		w.coordinator(trace.CoordinatorCrashed, 0)
	}
	w.emit(0, 1)
	if kept < 0 {
		w.restore(epoch(1, 1))
		return w.c.Finish(End{Time: w.now})
	}
	old := w.attempt
	w.attempt++
	w.coordinator(trace.PlanExecuted, 0)
	for t := range id.TaskID(5) {
		if t != kept {
			w.task(trace.TaskStarting, t, 0)
		}
	}
	w.attempt = old
	w.task(trace.TaskReady, kept, 0)
	return w.c.Finish(End{Time: w.now})
}

// fired counts what the oracle has to say.
func fired(w *world, kept id.TaskID, coordinator bool) int {
	return w.recoverAround(kept, coordinator).Counts[Rollback]
}

func TestRollbackOfAllKeepsOne(t *testing.T) {
	w := newWorld(t, rolls(ScopeAll))
	mustFire(t, w.recoverAround(3, false), "t3 (count[1]) is kept by attempt a2", Rollback, Progress)
	if n := fired(newWorld(t, rolls(ScopeAll)), -1, false); n != 0 {
		t.Errorf("all were started anew: %d violations", n)
	}
}

// TestReadyLate: an incarnation that becomes ready when a newer plan is on its way
// was not kept by it.
func TestReadyLate(t *testing.T) {
	w := newWorld(t, rolls(ScopeAll))
	w.middle()
	w.attempt++
	w.coordinator(trace.PlanExecuted, 0)
	w.task(trace.TaskStarting, 3, 0)
	w.tell(trace.Event{Kind: trace.PlanExecuted, Task: trace.Coordinator, Attempt: w.attempt + 1})
	w.task(trace.TaskReady, 3, 0)
	if n := w.c.Finish(End{Time: w.now}).Counts[Rollback]; n != 0 {
		t.Errorf("%d violations", n)
	}
}

func TestRollbackOfTasksStartsTheLiving(t *testing.T) {
	w := newWorld(t, rolls(ScopeTask))
	mustFire(t, w.recoverAround(-1, false), "attempt a2 starts t0 (source[0]) anew, which has lived on", Rollback, Progress)
	if n := fired(newWorld(t, rolls(ScopeTask)), -1, true); n != 0 {
		t.Errorf("a new coordinator starts everything: %d violations", n)
	}
	if n := fired(newWorld(t, rolls(ScopeTask)), 0, false); n != 0 {
		t.Errorf("the living one was kept: %d violations", n)
	}
}

// TestRollbackOfOneDeclaredDead: a task that was declared dead may be started anew,
// whatever it does after that.
func TestRollbackOfOneDeclaredDead(t *testing.T) {
	for cause, want := range map[trace.Kind]int{trace.TaskFailed: 0, trace.WorkerCrashed: 1} {
		w := newWorld(t, rolls(ScopeTask))
		w.middle()
		w.tell(trace.Event{Kind: cause, Task: 0, Cause: trace.Struck})
		w.emit(0, 1)
		w.attempt++
		w.coordinator(trace.PlanExecuted, 0)
		w.task(trace.TaskStarting, 0, 0)
		if n := w.c.Finish(End{Time: w.now}).Counts[Rollback]; n != want {
			t.Errorf("%s: %d violations, want %d", cause, n, want)
		}
	}
}

func TestRollbackToALineMayDoBoth(t *testing.T) {
	for _, kept := range []id.TaskID{-1, 0, 3} {
		if n := fired(newWorld(t, rolls(ScopeLine)), kept, false); n != 0 {
			t.Errorf("kept %d: %d violations", kept, n)
		}
	}
}
