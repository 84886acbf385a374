package check

import (
	"testing"

	"weir/dataflow/trace"
)

func TestRecoveryBehindVisibleOutput(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	w.crash("w0")
	w.restore(epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "restored from epoch 1.1 although the output of epoch 1.2 is visible", Commit, Progress)
}

func TestOutputVisibleBeforeTheCheckpointIsDurable(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.commit(epoch(1, 2))
	w.record(epoch(1, 2))
	w.coordinator(trace.Completed, epoch(1, 2))
	mustFire(t, w.finish(epoch(1, 3)), "before its checkpoint was durable", Commit)
}

func TestUncoordinatedOutputVisibleBeforeItsSnapshotIsDurable(t *testing.T) {
	w := newWorld(t, uncoordinated)
	w.emit(0, 2)
	w.flow()
	w.begun(4, epoch(1, 1))
	w.txn[epoch(1, 1)], w.open = w.open, nil
	w.commit(epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "before its checkpoint was durable", Commit, Progress)
}

func TestTransactionVisibleTwice(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.txn[epoch(1, 1)] = nil
	w.complete(epoch(1, 2))
	r := w.finish(epoch(1, 3))
	mustFire(t, r, "epoch 1.1: the rows of the transaction became visible a second time", Commit)
	if r.CommitsRetried != 1 {
		t.Errorf("%d commits retried", r.CommitsRetried)
	}
}

func TestRolledBackOutputBecomesVisible(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.crash("w0")
	kept := w.txn[epoch(1, 2)]
	w.restore(epoch(1, 1))
	w.flow()
	w.snapshot(epoch(2, 1))
	w.txn[epoch(1, 2)] = kept // not aborted
	w.complete(epoch(2, 1))
	mustFire(t, w.finish(epoch(2, 2)), "epoch 1.2: output of a history that was rolled back became visible", Commit, Output)
}

func TestOutputWithoutSnapshot(t *testing.T) {
	w := newWorld(t)
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Epoch: epoch(1, 9)})
	mustFire(t, w.c.Finish(End{Time: w.now}), "there is no snapshot", Commit, Progress)
}
