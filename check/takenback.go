package check

import (
	"weir/id"
	"weir/trace"
)

// takenBack counts the rows that were visible when a rollback took back what
// they were made of. All that a task's stored snapshot has taken in is visible; so
// what a restore takes back is what became visible beyond that. Where a store
// shows newer values only, the count is a lower bound.
type takenBack []*written // by task

// written is where a sink task stands on its branch.
type written struct {
	taken, visible int64
	snapshots      []writtenAt
}

type writtenAt struct {
	epoch id.Epoch
	taken int64
}

func takenBackKinds() trace.Mask {
	return kinds(trace.Delivered, trace.SnapshotBegun, trace.TaskRestored, trace.OutputCommitted)
}

func (b takenBack) reset() {
	clear(b)
}

// observe returns how many rows e takes back.
func (b takenBack) observe(e *trace.Event) int64 {
	w := b[e.Task]
	if w == nil {
		w = &written{}
		b[e.Task] = w
	}
	switch e.Kind {
	case trace.Delivered:
		for data, ok := e.Data, true; ok && len(data) > 0; {
			if _, data, ok = nextRecord(data); ok {
				w.taken++
			}
		}
	case trace.SnapshotBegun:
		w.snapshots = append(w.snapshots, writtenAt{e.Epoch, w.taken})
	case trace.OutputCommitted:
		w.visible += int64(e.To)
	case trace.TaskRestored:
		at := int64(0)
		for _, s := range w.snapshots {
			if s.epoch == e.Epoch {
				at = s.taken
			}
		}
		back := max(w.visible-at, 0)
		w.taken, w.visible = at, at
		return back
	default: // not asked for
	}
	return 0
}
