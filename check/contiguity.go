// The contiguity oracle: no task that has not been replaced gives up because its
// channel or its output is broken.
//
// It does not verify what a task took without noticing (cut, effect), nor tasks
// that stop for other reasons. Once a fault has made the external store lose what it
// had confirmed, tasks may give up for that.

package check

import "weir/trace"

type contiguity struct {
	judge
	lossy bool // a fault has made the external store lose something
}

func newContiguity(j judge) watcher { return &contiguity{judge: j} }

func (o *contiguity) Wants() trace.Mask { return kinds(trace.TaskFailed, trace.FaultInjected) }

func (o *contiguity) Reset() { o.lossy = false }

func (o *contiguity) Finish(End) {}

func (o *contiguity) Observe(e *trace.Event) {
	if e.Kind == trace.FaultInjected {
		o.lossy = o.lossy || e.Cause == trace.OutputLost
		return
	}
	if o.replaced(e) || o.lossy && e.Cause == trace.OutputLost {
		return
	}
	switch e.Cause {
	case trace.Gap, trace.RestoredGap, trace.OutputLost:
		o.violate(e.Task, 0, "%s gave up: %s", o.taskName(int(e.Task)), e.Text)
	default: // it may fail so
	}
}
