package check

import (
	"time"

	"weir/trace"
)

// faultStruck notes a fault; lethal ones are the moments at which every
// retained checkpoint must be whole.
func (c *Checker) faultStruck(lethal bool) {
	c.report.LastFault = c.now
	c.lastMark = c.now
	if lethal && c.x.Storage != nil {
		c.verifyAll()
	}
}

// mark ends a stretch of time in which a checkpoint should have completed.
func (c *Checker) mark(what string) {
	if d := c.now - c.lastMark; c.x.CheckpointWithin > 0 && d > c.x.CheckpointWithin {
		c.violate(Progress, trace.Coordinator, 0, "%v passed %s; at most %v is expected", time.Duration(d), what, time.Duration(c.x.CheckpointWithin))
	}
	c.lastMark = c.now
}

// finishProgress is the progress oracle: the job ended, and soon enough.
func (c *Checker) finishProgress(end End) {
	c.report.EndOfWork = c.now
	switch {
	case !c.done && end.Err != nil && c.x.MayFail:
	case !c.done && end.Err != nil:
		c.violate(Progress, trace.Coordinator, 0, "the job failed: %v", end.Err)
	case !c.done:
		c.violate(Progress, trace.Coordinator, 0, "the job did not end; %d checkpoints completed, the last fault struck at %v", c.report.Checkpoints, time.Duration(c.report.LastFault))
	default:
		c.mark("without a checkpoint before the job ended")
		if d := c.now - c.report.LastFault; c.x.EndWithin > 0 && d > c.x.EndWithin {
			c.violate(Progress, trace.Coordinator, 0, "the job ended %v after the last fault; at most %v is expected", time.Duration(d), time.Duration(c.x.EndWithin))
		}
	}
}
