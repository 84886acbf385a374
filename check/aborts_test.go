package check

import (
	"testing"

	"weir/trace"
)

func TestAnAbortHitsItsOwnRound(t *testing.T) {
	for given, fires := range map[int]bool{2: false, 1: true} {
		w := newWorld(t)
		w.middle()
		w.begun(2, epoch(1, 2))
		w.coordinator(trace.Aborted, epoch(1, given))
		w.tell(trace.Event{Kind: trace.SnapshotFailed, Task: 2, Epoch: epoch(1, 2), Cause: trace.Abandoned})
		w.tell(trace.Event{Kind: trace.SnapshotFailed, Task: 3, Epoch: epoch(1, 9), Cause: trace.Unstored}) // not the protocol's doing
		if r := w.finish(epoch(1, 3)); fires {
			mustFire(t, r, "task t2, epoch 1.2: the snapshot was abandoned", Aborts)
		} else {
			mustPass(t, r)
		}
	}
}
