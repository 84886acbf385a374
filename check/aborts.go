// The aborts oracle: a task abandons a snapshot only after the coordinator gave
// that very epoch up: an abort that hits another round costs a checkpoint. A plan under which
// every task goes on gives up what older plans began and did not complete.
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
	before  id.Epoch // likewise all rounds before it
}

func newAborts(j judge) watcher { return &aborts{judge: j} }

func (o *aborts) Wants() trace.Mask {
	return kinds(trace.Aborted, trace.SnapshotFailed, trace.PlanExecuted)
}

func (o *aborts) Reset() { o.givenUp, o.before = o.givenUp[:0], 0 }

func (o *aborts) Finish(End) {}

func (o *aborts) Observe(e *trace.Event) {
	switch {
	case e.Kind == trace.Aborted:
		o.givenUp = append(o.givenUp, e.Epoch)
	case e.Kind == trace.PlanExecuted:
		if o.line.keeps {
			o.before = id.MakeEpoch(e.Attempt, 0)
		}
	case e.Cause == trace.Abandoned && e.Epoch >= o.before && !slices.Contains(o.givenUp, e.Epoch):
		o.violate(e.Task, e.Epoch, "the snapshot was abandoned, and nobody had given its round up")
	}
}
