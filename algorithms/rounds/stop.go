package rounds

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
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
	c.saving.Refuse("the job is stopped")
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
	leaves := c.cfg.OnCancel == dataflow.RetainOnCancel
	if c.phase == reading && !leaves {
		return // until the newest plan is known
	}
	if !leaves {
		c.giveUpEach("the job is stopped")
	}
	c.giveUpAll("the job is stopped")
	c.end()
	if !leaves {
		c.leaveNothing(0)
		return
	}
	from := c.newestEpoch()
	if c.endedWith != 0 {
		from = c.endedWith
	}
	c.h.Observe(trace.Stopped, trace.Coordinator, c.number, from, "")
	c.h.JobDone()
}

// newestEpoch is that of the newest complete checkpoint, 0 if there is none.
func (c *Coordinated) newestEpoch() id.Epoch {
	if n := len(c.retained); n > 0 {
		return c.retained[n-1].Epoch
	}
	return 0
}

// stopsForGood reports that the job is stopped and leaves nothing.
func (c *Coordinated) stopsForGood() bool {
	return c.stopping && c.cfg.OnCancel == dataflow.DeleteOnCancel
}

// leaveNothing ends the job for good. at is the checkpoint with which its input has ended,
// 0: it was stopped.
func (c *Coordinated) leaveNothing(at id.Epoch) {
	c.end()
	coordinator.LeaveNothing(c.client, c.j, c.highest+1, at, c.beginning, c.stayOver, c.recover, c.fail)
}

// stayOver deletes what a job that is over may have left, and says that it has ended.
func (c *Coordinated) stayOver(p *coordinator.PlanRecord) {
	c.end()
	coordinator.DeleteAll(c.client, p.Plan.Number, func() {
		p.Claimed().LetGo(c.client, func() { coordinator.EndAgain(c.h, p) })
	})
}
