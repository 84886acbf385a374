// The restore oracle: a restored task is what its snapshot was, on its own
// history: the snapshot exists, no recovery had rolled it back, and its state and
// offset are what they were.
//
// It does not verify watermarks (event time) nor captured buffers (cut). Timers and operator state are part of the state's sum.

package check

import "weir/trace"

type restore struct{ judge }

func newRestore(j judge) watcher { return &restore{j} }

func (o *restore) Wants() trace.Mask { return kinds(trace.TaskRestored) }

func (o *restore) Reset() {}

func (o *restore) Finish(End) {}

func (o *restore) Observe(e *trace.Event) {
	t, source := &o.tasks[e.Task], o.x.Tasks[e.Task].Source
	if e.Epoch == 0 {
		if source && e.From != 0 && o.x.State != AtMostOnce {
			o.violate(e.Task, 0, "the source starts from nothing, but at offset %d", e.From)
		}
		return
	}
	if t.restored == none {
		o.violate(e.Task, e.Epoch, "restored a snapshot that the task never began")
		return
	}
	s := &o.snapshots[t.restored]
	if !t.survived {
		o.violate(e.Task, e.Epoch, "restored a snapshot that an earlier recovery had rolled back: an abandoned history came back to life")
	}
	if s.sum != e.Sum {
		o.violate(e.Task, e.Epoch, "the restored state is not that of the snapshot: content hash %016x, it was %016x when the snapshot began", e.Sum, s.sum)
	}
	if source && s.offset != e.From {
		o.violate(e.Task, e.Epoch, "the source goes on from offset %d; the snapshot has %d", e.From, s.offset)
	}
}
