package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

// takeOver has another coordinator make plan 2 under which every task goes on from checkpoint e,
// and says that those up to ready have said so.
func (w *world) takeOver(e id.Epoch, ready int) {
	w.coordinator(trace.CoordinatorCrashed, 0)
	w.coordinator(trace.CoordinatorStarted, 0)
	w.tell(trace.Event{Kind: trace.PlanExecuted, Task: trace.Coordinator, Channel: trace.NoChannel, Attempt: 2, Epoch: e})
	for t := range id.TaskID(ready) {
		w.task(trace.TaskReady, t, 0)
	}
}

// underWay begins a round of which some have their snapshots when its coordinator dies.
func (w *world) underWay(e id.Epoch) {
	w.coordinator(trace.Triggered, e)
	w.begun(2, e)
	w.begun(3, e)
}

// TestEveryTaskGoesOn: what the old coordinator completed stands, what it began is given up, and the
// first round of the new one holds the records of both.
func TestEveryTaskGoesOn(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.underWay(epoch(1, 2))
	w.takeOver(epoch(1, 1), 5)
	for _, task := range []id.TaskID{2, 3} {
		w.tell(trace.Event{Kind: trace.SnapshotFailed, Task: task, Epoch: epoch(1, 2), Cause: trace.Abandoned})
	}
	w.emit(0, 4)
	r := w.finish(epoch(2, 1))
	mustPass(t, r)
	if r.Adopted != 1 {
		t.Errorf("%d plans under which every task went on, want 1", r.Adopted)
	}
}

// TestATaskIsStarted: by a plan under which others go on, whoever comes first.
func TestATaskIsStarted(t *testing.T) {
	w := newWorld(t, rolls(ScopeAll))
	w.middle()
	w.takeOver(epoch(1, 1), 4)
	w.tell(trace.Event{Kind: trace.TaskStarting, Task: 4, Channel: trace.NoChannel, Attempt: 2})
	mustFire(t, w.c.Finish(End{Time: w.now}), "plan a2 keeps some tasks and starts others, t4 (sink[0]) among them", Rollback, Progress)
	w = newWorld(t, rolls(ScopeAll))
	w.middle()
	w.takeOver(epoch(1, 1), 0)
	w.tell(trace.Event{Kind: trace.TaskStarting, Task: 4, Channel: trace.NoChannel, Attempt: 2})
	w.task(trace.TaskReady, 3, 0)
	mustFire(t, w.c.Finish(End{Time: w.now}), "plan a2 keeps some tasks and starts others, t3 (count[1]) among them", Rollback, Progress)
}

// TestATaskIsNotAsked: a round begins, and one task has not said that it goes on.
func TestATaskIsNotAsked(t *testing.T) {
	for missing, fires := range []bool{false, true} {
		w := newWorld(t, rolls(ScopeAll))
		w.middle()
		w.takeOver(epoch(1, 1), 5-missing)
		if r := w.finish(epoch(2, 1)); fires {
			mustFire(t, r, "a round begins under plan a2, which 1 tasks have not answered", Rollback)
		} else {
			mustPass(t, r)
		}
	}
}

// TestARoundOfTheOldLeader comes true under the new one.
func TestARoundOfTheOldLeader(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.takeOver(epoch(1, 1), 5)
	mustFire(t, w.finish(epoch(1, 2)), "a round from before plan a2 is complete under it", Cut)
}

// TestACompleteCheckpointIsPassedOver: its tasks go on, and have committed what it holds.
func TestACompleteCheckpointIsPassedOver(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	w.takeOver(epoch(1, 1), 5)
	if r := w.c.Finish(End{Time: w.now}); r.Counts[Cut] == 0 {
		t.Error("nobody minds")
	}
}

// TestUselessBehindATakeOver: snapshots of rounds that nobody completed are none, those of the
// base are.
func TestUselessBehindATakeOver(t *testing.T) {
	o := &useless{judge: judge{&model{}, Useless}}
	o.x.Coordinated = true
	o.Observe(&trace.Event{Kind: trace.PlanExecuted, Attempt: 2, Epoch: epoch(1, 3)})
	o.completed = []id.Epoch{epoch(1, 1)}
	for e, over := range map[id.Epoch]bool{epoch(1, 1): false, epoch(1, 2): true, epoch(1, 3): false, epoch(1, 4): true, epoch(2, 1): false} {
		if o.over(e) != over {
			t.Errorf("%s is over: %v, want %v", e, !over, over)
		}
	}
}

// TestOneThatWasPassedOverDoesNotCount: every task has gone back behind a damaged checkpoint when
// another coordinator takes over. Where nobody said that it is damaged, it counts.
func TestOneThatWasPassedOverDoesNotCount(t *testing.T) {
	for _, said := range []bool{true, false} {
		w := newWorld(t)
		w.c.MayFallBack()
		w.middle()
		w.snapshot(epoch(1, 2))
		w.complete(epoch(1, 2))
		w.crash("w0")
		if said {
			w.coordinator(trace.FellBack, epoch(1, 2))
		}
		w.restore(epoch(1, 1))
		w.coordinator(trace.CoordinatorCrashed, 0)
		w.coordinator(trace.CoordinatorStarted, 0)
		w.tell(trace.Event{Kind: trace.PlanExecuted, Task: trace.Coordinator, Channel: trace.NoChannel, Attempt: 3, Epoch: epoch(1, 1)})
		for task := range id.TaskID(5) {
			w.task(trace.TaskReady, task, 0)
		}
		r := w.c.Finish(End{Time: w.now})
		if got := r.Counts[Cut] > 0; got == said {
			t.Errorf("said %v: %v", said, r.Violations)
		}
	}
}
