package check

import (
	"strings"

	"weir/trace"
)

// breaches are parts of the reasons that the kernel gives when what it takes for
// granted does not hold.
func breaches() [3]string {
	return [3]string{
		"the channel lost or repeated something",
		"does not follow",
		"output is lost",
	}
}

// taskFailed is the contiguity oracle: a task that has not been replaced gives
// up because its channel or its output is broken.
func (c *Checker) taskFailed(e *trace.Event, t *task) {
	c.report.TaskFailures++
	if e.Attempt < t.attempt {
		return
	}
	for _, b := range breaches() {
		if strings.Contains(e.Text, b) {
			c.violate(Contiguity, e.Task, 0, "%s gave up: %s", c.taskName(int(e.Task)), e.Text)
			return
		}
	}
}
