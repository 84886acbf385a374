package check

import (
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// ofTheLog is a segment that t2 writes between snapshots, in attempt 1.
const ofTheLog = "files/t2/1.9-c7"

// segmentWritten has two checkpoints: a segment lands before the second one begins, or behind, and the
// record names it, or does not.
func segmentWritten(t *testing.T, early, named bool, more func(w *world)) *Report {
	w := newWorld(t, func(x *Expect) {
		x.Layout.Segment = func(key string) bool { return strings.HasSuffix(key, "-c7") }
		x.Layout.OwnerOf = func(key string) (Owner, bool) { return Owner{Task: 2, Epoch: epoch(1, 9)}, key == ofTheLog }
	})
	w.middle()
	write := func() { w.do(state.Op{Kind: state.OpPut, Key: ofTheLog, Data: []byte("x")}) }
	if early {
		write()
		w.now++
	}
	more(w)
	e := epoch(1, 2)
	w.coordinator(trace.Triggered, e)
	w.snapshot(e)
	if !early {
		write()
	}
	if named {
		w.do(state.Op{Kind: state.OpCreate, Key: "chk/" + e.String(), Data: []byte(ofTheLog + " " + w.shares(e))})
		w.coordinator(trace.Completed, e)
		w.commit(e)
	} else {
		w.complete(e)
	}
	w.subsume(epoch(1, 1))
	w.last(epoch(2, 1))
	w.subsume(e)
	w.do(state.Op{Kind: state.OpDelete, Key: ofTheLog})
	return w.end()
}

// shares are what a record of a checkpoint names.
func (w *world) shares(e id.Epoch) string {
	var keys []string
	for t := range id.TaskID(5) {
		keys = append(keys, snapKey(t, e))
	}
	return strings.Join(keys, " ")
}

// TestForgottenSegments: one that was there when a complete checkpoint began is named by that, or by one
// before it.
func TestForgottenSegments(t *testing.T) {
	const words = ofTheLog + " was there when the checkpoint began"
	nothing := func(*world) {}
	mustFire(t, segmentWritten(t, true, false, nothing), words, StorageWhole)
	mustPass(t, segmentWritten(t, true, true, nothing))
	mustPass(t, segmentWritten(t, false, false, nothing))
	mustPass(t, segmentWritten(t, true, false, func(w *world) { w.do(state.Op{Kind: state.OpDelete, Key: ofTheLog}) }))
}
