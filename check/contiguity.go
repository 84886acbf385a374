// The contiguity oracle: no task that has not been replaced gives up because its
// channel or its output is broken.
//
// It does not verify what a task took without noticing (cut, effect), nor tasks
// that stop for other reasons.

package check

import "weir/trace"

type contiguity struct{ judge }

func newContiguity(j judge) watcher { return &contiguity{j} }

func (o *contiguity) Wants() trace.Mask { return kinds(trace.TaskFailed) }

func (o *contiguity) Reset() {}

func (o *contiguity) Finish(End) {}

func (o *contiguity) Observe(e *trace.Event) {
	if o.replaced(e) {
		return
	}
	switch e.Cause {
	case trace.Gap, trace.RestoredGap, trace.OutputLost:
		o.violate(e.Task, 0, "%s gave up: %s", o.taskName(int(e.Task)), e.Text)
	default: // it may fail so
	}
}
