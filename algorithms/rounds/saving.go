package rounds

import (
	"weir/algorithms/coordinator"
	"weir/id"
)

// Savepoint takes a savepoint of the running job, when no round is under way; last: the job
// ends with it, after one more checkpoint, which commits what the savepoint holds.
func (c *Coordinated) Savepoint(last bool) {
	if c.phase == finished || c.stopping {
		return
	}
	c.saving.Ask(last)
	c.trySave()
}

// trySave begins the savepoint that is asked for as soon as no round is under way. Its number
// is one among those of rounds, so that what sinks seal is in order.
func (c *Coordinated) trySave() {
	if !c.saving.Waiting() || c.phase != running || len(c.rounds) > 0 {
		return
	}
	for t := range c.tasks {
		if c.tasks[t].left || c.tasks[t].leaving {
			c.saving.Refuse(c.j.Tasks[t].Name + " of " + id.TaskID(t).String() + " has finished: only checkpoints have what it had")
			return
		}
	}
	c.lastIndex++
	c.saving.Begin(id.MakeEpoch(c.number, c.lastIndex))
}

// Cover takes one more checkpoint, for which all tasks stand where the savepoint has them.
// Without rounds nothing can be rolled back: what the savepoint holds is committed.
func (c *Coordinated) Cover(e id.Epoch, _ []id.Epoch) {
	if c.lead == nil {
		c.tellAll(&coordinator.Message{Kind: coordinator.Complete, Epoch: e})
		c.saving.Covered()
		return
	}
	n := c.lastIndex
	c.client.Cancel(c.trigger)
	c.pausing = false
	if c.startRound(); c.lastIndex == n {
		c.saving.Refuse("it is complete, and the job cannot end with it: no checkpoint can be taken")
		return
	}
	c.coveredBy = id.MakeEpoch(c.number, c.lastIndex)
}

// EndWith ends the job behind a savepoint, all output of which is committed.
func (c *Coordinated) EndWith(e id.Epoch) {
	c.endedWith, c.stopping = e, true
	c.stop()
}

// SavingOver goes on after a savepoint.
func (c *Coordinated) SavingOver() {
	c.coveredBy = 0
	if c.phase != running || c.lead == nil {
		return
	}
	c.schedule(c.cfg.Interval)
	c.drainedAgain()
}

func (c *Coordinated) tellAll(m *coordinator.Message) {
	data := m.Encode()
	for i := range c.tasks {
		if !c.tasks[i].left {
			c.h.Tell(id.TaskID(i), data)
		}
	}
}
