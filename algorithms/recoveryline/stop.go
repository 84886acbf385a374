package recoveryline

import "weir/trace"

// Stop ends the job before its input does, with the snapshots that there are: whoever
// starts it again finds the line that a total failure would.
func (c *Coordinator) Stop() {
	if c.phase == finished {
		return
	}
	c.phase = finished
	c.h.Observe(trace.Stopped, trace.Coordinator, c.number, 0, "")
	c.h.JobDone()
}
