// The aborts oracle: a task abandons a snapshot only after the coordinator gave
// that very epoch up: an abort that hits another round costs a checkpoint. A plan gives
// up all that was begun under older ones.
//
// It does not verify that a given-up round is abandoned everywhere, nor snapshots
// that a recovery cut short or that storage refused.

package check

import (
	"slices"

	"weir/id"
	"weir/trace"
)

type aborts struct {
	judge
	givenUp []id.Epoch
}

func newAborts(j judge) watcher { return &aborts{judge: j} }

func (o *aborts) Wants() trace.Mask {
	return kinds(trace.Aborted, trace.SnapshotFailed, trace.PlanExecuted)
}

func (o *aborts) Reset() { o.givenUp = o.givenUp[:0] }

func (o *aborts) Finish(End) {}

func (o *aborts) Observe(e *trace.Event) {
	switch {
	case e.Kind == trace.Aborted:
		o.givenUp = append(o.givenUp, e.Epoch)
	case e.Cause == trace.Abandoned && e.Epoch.Attempt() >= o.line.plan && !slices.Contains(o.givenUp, e.Epoch):
		o.violate(e.Task, e.Epoch, "the snapshot was abandoned, and nobody had given its round up")
	}
}
