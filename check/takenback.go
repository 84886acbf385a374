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

// goBack takes a former graph's sinks back to epoch e, and returns how many rows that
// takes back. Of several snapshots the newest up to e counts.
func (b takenBack) goBack(e id.Epoch) (rows int64) {
	for _, w := range b {
		if w == nil {
			continue
		}
		at := int64(0)
		for _, s := range w.snapshots {
			if s.epoch <= e {
				at = s.taken
			}
		}
		rows += max(w.visible-at, 0)
		w.taken, w.visible = at, min(w.visible, at)
	}
	return rows
}

// takeBack returns how many rows e takes back.
func (o *output) takeBack(e *trace.Event) (rows int64) {
	if e.Kind == trace.OutputCommitted && len(o.legs) > 0 && e.Attempt <= o.formerly() {
		return o.lateRows(e)
	}
	if int(e.Task) >= len(o.x.Tasks) || !o.x.Tasks[e.Task].Sink {
		return 0
	}
	if e.Kind == trace.TaskRestored && o.legOf(e.Epoch) < len(o.legs) {
		for _, b := range o.former[o.legOf(o.line.base):] {
			rows += b.goBack(o.line.base)
		}
	}
	return rows + o.back.observe(e)
}

// lateRows takes rows that a task of a former graph had handed over. Those of the
// checkpoint that a later one went on from were visible when it was stored: these are
// taken back already, or are when it goes on.
func (o *output) lateRows(e *trace.Event) int64 {
	n := o.legOf(id.MakeEpoch(e.Attempt, 0))
	if n < len(o.legs)-1 || o.wentOn {
		return int64(e.To)
	}
	if b := o.former[n]; int(e.Task) < len(b) && b[e.Task] != nil {
		b[e.Task].visible += int64(e.To)
	}
	return 0
}
