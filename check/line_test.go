package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

func uncoordinated(x *Expect) { x.Coordinated, x.Rollback, x.Pace.Checkpoint = false, ScopeLine, 0 }

// local takes a snapshot of one task.
func (w *world) local(t id.TaskID, e id.Epoch) {
	w.begun(t, e)
	w.task(trace.SnapshotStored, t, e)
}

// recover executes a plan that restarts tasks 2 and 4 and keeps the others, with
// n items of channel 0 replayed from the log.
func (w *world) recover(e2, e4 id.Epoch, n uint64) {
	w.attempt++
	w.coordinator(trace.PlanExecuted, 0)
	for t, e := range map[id.TaskID]id.Epoch{2: e2, 4: e4} { // either order will do
		w.task(trace.TaskStarting, t, 0)
		w.tell(trace.Event{Kind: trace.TaskRestored, Task: t, Channel: trace.NoChannel, Epoch: e, Sum: w.sumAt(t, e)})
	}
	w.tell(trace.Event{Kind: trace.Injected, Task: 2, Channel: 0, From: 0, To: n, Way: trace.FromLog})
	for t := range id.TaskID(5) {
		w.task(trace.TaskReady, t, 0)
	}
}

func (w *world) sumAt(t id.TaskID, e id.Epoch) uint64 {
	for i := range w.c.snapshots {
		if s := &w.c.snapshots[i]; s.task == t && s.epoch == e {
			return s.sum
		}
	}
	return 0
}

// twoTasks runs until task 2 has snapshots after 1 and 3 items of channel 0,
// task 4 one after it had everything of the second and one after that.
func twoTasks(t *testing.T) *world {
	w := newWorld(t, uncoordinated)
	w.emit(0, 6) // three on channel 0
	w.deliver(0, 1)
	w.deliver(4, 1)
	w.local(2, epoch(1, 1))
	w.local(4, epoch(1, 1))
	w.deliver(0, 2)
	w.deliver(4, 2)
	w.local(4, epoch(1, 2))
	w.crash("w0")
	return w
}

func TestLineIsConsistent(t *testing.T) {
	w := twoTasks(t)
	w.recover(epoch(1, 1), epoch(1, 1), 2)
	r := w.c.Finish(End{Time: w.now})
	if r.Safety() > 0 {
		t.Errorf("%v", r.Violations)
	}
	if r.LogRecords != 2 || r.Recoveries != 1 || r.RestoredTasks != 2 {
		t.Errorf("stats %+v", r.Stats)
	}
}

func TestLineHasAnOrphan(t *testing.T) {
	w := twoTasks(t)
	w.recover(epoch(1, 1), epoch(1, 2), 2) // the sink has what task 2 has not sent yet
	mustFire(t, w.c.Finish(End{Time: w.now}), "channel c4: the receiver t4 (sink[0]) has 3 items, its sender t2 (count[0]) has sent 1: an orphan", Cut, Progress)
}

func TestLineReplaysTooMuch(t *testing.T) {
	w := twoTasks(t)
	w.recover(epoch(1, 1), epoch(1, 1), 3)
	mustFire(t, w.c.Finish(End{Time: w.now}), "1 items delivered and 3 replayed, but only 3 sent", Cut, Progress)
}

func TestLineReplaysTooLittle(t *testing.T) {
	w := twoTasks(t)
	w.local(0, epoch(1, 1))
	w.attempt++
	w.coordinator(trace.PlanExecuted, 0)
	for _, x := range []id.TaskID{0, 2, 4} {
		w.task(trace.TaskStarting, x, 0)
		ev := trace.Event{Kind: trace.TaskRestored, Task: x, Channel: trace.NoChannel, Epoch: epoch(1, 1), Sum: w.sumAt(x, epoch(1, 1))}
		w.tell(ev)
		w.split(trace.SplitTaken, x, 0)
	}
	w.tell(trace.Event{Kind: trace.Injected, Task: 2, Channel: 0, From: 1, To: 2, Way: trace.FromLog})
	for x := range id.TaskID(5) {
		w.task(trace.TaskReady, x, 0)
	}
	// channel 0: three sent, one delivered and one replayed; channel 1 likewise has three on the wire
	mustFire(t, w.c.Finish(End{Time: w.now}), "channel c0: 3 items sent, 1 delivered and 1 replayed: the rest is lost", Cut, Progress)
}

func TestRecoveryMixesCheckpoints(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	w.crash("w0")
	w.restoreMixed(3, epoch(1, 1), epoch(1, 2))
	r := w.c.Finish(End{Time: w.now})
	mustFire(t, r, "t3 (count[1]) restored epoch 1.1 while others restored 1.2", Cut, Restore, Progress)
}

// TestUnseenCheckpointIsCheckedWhenRestored: its completion was never observed.
func TestUnseenCheckpointIsCheckedWhenRestored(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 6)
	w.mute = w.mute.With(trace.CapturedOut)
	w.snapshot(epoch(1, 1))
	w.mute = 0
	w.record(epoch(1, 1))
	w.coordinator(trace.CoordinatorCrashed, 0)
	w.restore(epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "channel c0", Cut, Progress)
}
