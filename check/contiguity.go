package check

import "weir/trace"

// taskFailed is the contiguity oracle: a task that has not been replaced gives
// up because its channel or its output is broken.
func (c *Checker) taskFailed(e *trace.Event, t *task) {
	c.report.TaskFailures++
	if e.Attempt < t.attempt {
		return
	}
	switch e.Cause {
	case trace.Gap, trace.RestoredGap, trace.OutputLost:
		c.violate(Contiguity, e.Task, 0, "%s gave up: %s", c.taskName(int(e.Task)), e.Text)
	default: // it may fail so
	}
}
