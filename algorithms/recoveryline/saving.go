package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// Cover asks a task for a snapshot of where it stands in a savepoint.
const Cover coordinator.MessageKind = "cover"

// Savepoint takes a savepoint of the running job; last: the job ends with it, when the
// recovery line has passed it.
func (c *Coordinator) Savepoint(last bool) {
	if c.phase == finished || c.stopping {
		return
	}
	c.saving.Ask(last)
	c.trySave()
}

// trySave begins the savepoint that is asked for. Tasks number what they seal for it
// themselves.
func (c *Coordinator) trySave() {
	if !c.saving.Waiting() || c.phase != running {
		return
	}
	for t := range c.tasks {
		if c.tasks[t].left {
			c.saving.Refuse(c.j.Tasks[t].Name + " of " + id.TaskID(t).String() + " has finished: only its last snapshot has what it had")
			return
		}
	}
	c.saves++
	c.saving.Begin(id.MakeEpoch(c.number, c.saves))
}

// Cover has every task take a snapshot. Nothing is under way, so that all of them together
// are a line.
func (c *Coordinator) Cover(_ id.Epoch, taken []id.Epoch) {
	c.covers = taken
	m := (&coordinator.Message{Kind: Cover}).Encode()
	for t := range c.tasks {
		if !c.tasks[t].left {
			c.h.Tell(id.TaskID(t), m)
		}
	}
}

// tryCovered looks whether the line has passed the savepoint.
func (c *Coordinator) tryCovered() {
	if c.covers == nil {
		return
	}
	for t, e := range c.covers {
		if c.hist[t].passed <= e && !c.tasks[t].left {
			return
		}
	}
	c.covers = nil
	c.saving.Covered()
}

// EndWith ends the job behind a savepoint, all output of which is committed.
func (c *Coordinator) EndWith(e id.Epoch) {
	if c.cfg.OnCancel == dataflow.DeleteOnCancel {
		c.stopAll()
		return
	}
	c.end()
	c.h.Observe(trace.Stopped, trace.Coordinator, c.number, e, "")
	c.h.JobDone()
}

// SavingOver has nothing to do: tasks take snapshots at their own times.
func (c *Coordinator) SavingOver() { c.covers = nil }

// Saving gives the share of a savepoint a number among the snapshots of the task.
func (p *Participant) Saving(id.Epoch) id.Epoch {
	p.saving = true
	p.index++
	return id.MakeEpoch(p.K.Attempt(), p.index)
}

// Saved goes on taking snapshots.
func (p *Participant) Saved() {
	p.saving, p.cover = false, false
	p.takeFinal()
}

// tryCover takes the snapshot that covers a savepoint.
func (p *Participant) tryCover() {
	if p.cover && p.saving && p.underWay == 0 {
		p.cover = false
		p.snapshot()
	}
}
