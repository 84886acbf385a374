package check

import (
	"testing"

	"weir/trace"
)

func TestRestoredStateIsThatOfTheSnapshot(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.crash("w0")
	saved := w.saved[epoch(1, 1)]
	saved.sum[3]++
	w.saved[epoch(1, 1)] = saved
	w.restore(epoch(1, 1))
	mustFire(t, w.finish(epoch(2, 1)), "task t3, epoch 1.1: the restored state is not that of the snapshot", Restore)
}

func TestRestoredOffsetIsThatOfTheSnapshot(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.crash("w0")
	saved := w.saved[epoch(1, 1)]
	saved.offset[0]--
	w.saved[epoch(1, 1)] = saved
	w.restore(epoch(1, 1))
	r := w.c.Finish(End{Time: w.now})
	mustFire(t, r, "the source goes on from offset 5 of split s0; the snapshot has 6", Restore, Progress)
}

func TestRestoredSnapshotExists(t *testing.T) {
	w := newWorld(t)
	w.restored(2, epoch(7, 7))
	mustFire(t, w.c.Finish(End{Time: w.now}), "never began", Restore, Progress)
}

func TestStartFromNothingAtAnOffset(t *testing.T) {
	w := newWorld(t)
	w.crash("w0")
	w.saved[0] = live{offset: [2]uint64{3, 0}}
	w.restore(0)
	mustFire(t, w.c.Finish(End{Time: w.now}), "split s0 starts from nothing, but at offset 3", Restore, Progress)
}

// TestAbandonedHistoryStaysDead: the record of 1.2 lands after the recovery that
// went back to 1.1, and the next recovery believes it.
func TestAbandonedHistoryStaysDead(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.emit(0, 1)
	w.record(epoch(1, 2)) // late
	w.crash("w0")
	w.restore(epoch(1, 2))
	mustFire(t, w.c.Finish(End{Time: w.now}), "an abandoned history came back to life", Restore, Progress)
}

// TestRestoredSplitsAreThoseOfTheSnapshot: one is forgotten, one is another's.
func TestRestoredSplitsAreThoseOfTheSnapshot(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.crash("w0")
	w.mute = trace.Mask(0).With(trace.SplitTaken)
	w.restore(epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "task t0, epoch 1.1: the source goes on with 0 splits; its snapshot has 1", Restore, Progress)

	w = newWorld(t)
	w.middle()
	w.crash("w0")
	w.restored(1, epoch(1, 1))
	w.tell(trace.Event{Kind: trace.SplitTaken, Task: 1, Channel: trace.NoChannel, Split: 0, To: 1})
	mustFire(t, w.c.Finish(End{Time: w.now}), "the source goes on with split s0, which its snapshot does not have", Restore, Conservation, Progress)
}

// TestACarriedOverTaskIsGone: the source had left before the checkpoint.
func TestACarriedOverTaskIsGone(t *testing.T) {
	for _, gone := range []bool{true, false} {
		w := newWorld(t)
		w.emit(0, worldRecords)
		w.flow()
		w.snapshot(epoch(1, 1))
		w.complete(epoch(1, 1))
		w.task(trace.TaskLeft, 0, 0)
		w.snapshotWithout(0, epoch(1, 2))
		w.complete(epoch(1, 2))
		w.crash("w0")
		w.restart(0, epoch(1, 1), epoch(1, 2))
		if gone {
			w.task(trace.TaskLeft, 0, 0)
		}
		w.ready()
		if r := w.c.Finish(End{Time: w.now}); !gone {
			mustFire(t, r, "task t0, epoch 1.1: the task goes on, and had left before checkpoint 1.2", Restore, Progress)
		} else if r.Counts[Restore] > 0 {
			t.Error(r.Violations)
		}
	}
}
