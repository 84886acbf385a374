package check

import (
	"testing"

	"weir/trace"
)

// handOver tells of an operation with rows of the world's sink.
func (w *world) handOver(k trace.Kind, op trace.Op, number uint64) {
	w.tell(trace.Event{Kind: k, Task: 4, Channel: trace.NoChannel, Op: op, From: number, To: 1})
}

func TestSnapshotStoredBeforeItsOutput(t *testing.T) {
	for _, op := range []trace.Op{trace.ExtAppend, trace.ExtWrite, trace.Stage, trace.Upsert} {
		w := newWorld(t)
		w.middle()
		w.handOver(trace.ExtIssued, op, 1)
		w.handOver(trace.ExtIssued, op, 2)
		w.handOver(trace.ExtApplied, op, 2)
		w.snapshot(epoch(1, 2))
		w.complete(epoch(1, 2))
		mustFire(t, w.finish(epoch(1, 3)), "number 1 of what its task handed to the external store", Handover)
	}
}

// TestSnapshotStoredBehindItsOutput: an operation may be repeated, come late, and
// be of an incarnation that is gone.
func TestSnapshotStoredBehindItsOutput(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.handOver(trace.ExtIssued, trace.Stage, 1)
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.handOver(trace.ExtIssued, trace.Stage, 1)
	w.handOver(trace.ExtApplied, trace.Stage, 1)
	w.handOver(trace.ExtIssued, trace.Stage, 1) // again: its answer was lost
	w.begun(4, epoch(2, 1))
	w.handOver(trace.ExtIssued, trace.Stage, 2) // behind the instant
	w.task(trace.SnapshotStored, 4, epoch(2, 1))
	w.flow()
	w.handOver(trace.ExtApplied, trace.Stage, 2)
	if r := w.finish(epoch(2, 2)); r.Counts[Handover] != 0 {
		t.Errorf("%v", r.Violations)
	}
}
