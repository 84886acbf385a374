// The handover oracle: a stored snapshot stands on output that is there. Whatever
// its task had handed to the external store before the snapshot's instant has taken
// effect when the snapshot is stored: a restore would not hand it over again.
//
// It does not verify what was handed over in the turn of the instant and behind it,
// nor that the store keeps it (output), nor what tasks of a graph that is no more
// had handed over.

package check

import (
	"slices"

	"weir/id"
	"weir/trace"
)

type handover struct {
	judge
	writers []writer // by task
}

// writer is what an incarnation of a task has handed over.
type writer struct {
	open    []uint64 // numbers that have not taken effect, in the order of issue
	there   []bool   // by number: it has
	instant []instant
}

// instant is one of a snapshot: what was open.
type instant struct {
	epoch id.Epoch
	open  []uint64
}

func newHandover(j judge) watcher {
	return &handover{judge: j, writers: make([]writer, len(j.x.Tasks))}
}

func (o *handover) Reshape() { o.writers = sized(o.writers, len(o.tasks)) }

func (o *handover) Wants() trace.Mask {
	return kinds(trace.ExtIssued, trace.ExtApplied, trace.SnapshotBegun, trace.SnapshotStored, trace.TaskStarting)
}

func (o *handover) Reset() {
	for i := range o.writers {
		o.writers[i].reset()
	}
}

func (o *handover) Finish(End) {}

func (w *writer) reset() {
	w.open, w.there, w.instant = w.open[:0], w.there[:0], w.instant[:0]
}

func (o *handover) Observe(e *trace.Event) {
	if e.Task < 0 || int(e.Task) >= len(o.writers) {
		return
	}
	w := &o.writers[e.Task]
	switch e.Kind {
	case trace.TaskStarting:
		w.reset()
	case trace.ExtIssued:
		if carriesRows(e.Op) {
			w.issued(e.From)
		}
	case trace.ExtApplied:
		if carriesRows(e.Op) && !o.replaced(e) {
			w.applied(e.From)
		}
	case trace.SnapshotBegun:
		if len(w.open) > 0 {
			w.instant = append(w.instant, instant{e.Epoch, slices.Clone(w.open)})
		}
	default:
		o.stored(e, w)
	}
}

// carriesRows reports whether an operation hands over rows as they come, under a number.
func carriesRows(op trace.Op) bool {
	return op == trace.ExtAppend || op == trace.ExtWrite || op == trace.Stage || op == trace.Upsert
}

func (w *writer) issued(n uint64) {
	for uint64(len(w.there)) <= n {
		w.there = append(w.there, false)
	}
	if !w.there[n] && !slices.Contains(w.open, n) {
		w.open = append(w.open, n)
	}
}

// applied: what takes effect a second time changes nothing.
func (w *writer) applied(n uint64) {
	if n < uint64(len(w.there)) && !w.there[n] {
		w.there[n] = true
		w.open = slices.DeleteFunc(w.open, func(k uint64) bool { return k == n })
	}
}

func (o *handover) stored(e *trace.Event, w *writer) {
	at := slices.IndexFunc(w.instant, func(i instant) bool { return i.epoch == e.Epoch })
	if at < 0 {
		return
	}
	for _, n := range w.instant[at].open {
		if !w.there[n] {
			o.violate(e.Task, e.Epoch, "the snapshot is stored, and number %d of what its task handed to the external store before has not taken effect: a crash now would lose it", n)
			break
		}
	}
	w.instant = slices.Delete(w.instant, at, at+1)
}
