package rounds

import (
	"weir/id"
	"weir/trace"
)

// Stop ends the job before its input does: after one more checkpoint, or, where
// none can be taken, with the newest one there is. Transactions that this
// checkpoint covers and that are not committed yet are committed by whoever
// restores it.
func (c *Coordinated) Stop() {
	if c.phase == finished || c.stopping {
		return
	}
	c.stopping = true
	if c.lead == nil || c.phase != running || c.notLeft == 0 {
		c.stop()
		return
	}
	c.tryStop()
}

// tryStop begins the last round as soon as there is room for it.
func (c *Coordinated) tryStop() {
	if !c.stopping || c.stopAt != 0 || c.phase != running || len(c.rounds) >= c.cfg.MaxConcurrent {
		return
	}
	c.client.Cancel(c.trigger)
	c.pausing = false
	n := c.lastIndex
	c.startRound()
	if c.lastIndex == n || len(c.rounds) == 0 {
		c.stop()
		return
	}
	c.stopAt = c.rounds[len(c.rounds)-1].epoch
}

func (c *Coordinated) stop() {
	c.giveUpAll("the job is stopped")
	c.phase = finished
	var newest id.Epoch
	if n := len(c.retained); n > 0 {
		newest = c.retained[n-1].Epoch
	}
	c.h.Observe(trace.Stopped, trace.Coordinator, c.number, newest, "")
	c.h.JobDone()
}
