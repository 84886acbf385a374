package check

import (
	"weir/id"
	"weir/trace"
)

// taskRestored begins a new branch at the restored snapshot. The restore oracle:
// the snapshot exists, lies on the task's own history, and its state and offset
// are what they were.
func (c *Checker) taskRestored(e *trace.Event, t *task) {
	before := c.records(t)
	t.left, t.restored = false, none
	if e.Epoch == 0 {
		c.restoredEmpty(e, t)
		c.report.LostWork += int64(before)
		return
	}
	p := c.find(t, e.Epoch)
	if p == none {
		c.violate(Restore, e.Task, e.Epoch, "restored a snapshot that the task never began")
		return
	}
	s := &c.snapshots[p]
	if !c.survives(s, t.segment) {
		c.violate(Restore, e.Task, e.Epoch, "restored a snapshot that an earlier recovery had rolled back: an abandoned history came back to life")
	}
	if s.sum != e.Sum {
		c.violate(Restore, e.Task, e.Epoch, "the restored state is not that of the snapshot: content hash %016x, it was %016x when the snapshot began", e.Sum, s.sum)
	}
	if c.x.Tasks[e.Task].Source && s.offset != e.From {
		c.violate(Restore, e.Task, e.Epoch, "the source goes on from offset %d; the snapshot has %d", e.From, s.offset)
	}
	c.report.RestoredTasks++
	c.report.LostWork += int64(max(before-s.records, 0))
	c.checkCommitted(e, t)
	c.tick++
	t.segment = c.branch(s.segment, s.records, s.tick)
	t.restored, t.part = p, p
	t.offset = e.From
	c.setMarks(t, s)
	c.line.restored(e.Task, e.Epoch)
}

// restoredEmpty is the start of a task from its initial state.
func (c *Checker) restoredEmpty(e *trace.Event, t *task) {
	if c.x.Tasks[e.Task].Source && e.From != 0 && c.x.State != AtMostOnce {
		c.violate(Restore, e.Task, 0, "the source starts from nothing, but at offset %d", e.From)
	}
	c.checkCommitted(e, t)
	t.segment = c.branch(none, 0, 0)
	t.part = none
	t.offset = e.From
	c.setMarks(t, nil)
	c.line.restored(e.Task, 0)
}

// setMarks takes the task's ends of its channels back to where they were at s;
// nil: the start.
func (c *Checker) setMarks(t *task, s *snapshot) {
	mark := func(i int) uint64 {
		if s == nil {
			return 0
		}
		return c.marks[s.marks+i]
	}
	for i, n := range t.inputs {
		c.channels[n].delivered = mark(i)
	}
	for i, n := range t.outputs {
		ch := &c.channels[n]
		ch.sealed = mark(len(t.inputs) + i)
		ch.knowsSealed = false
	}
}

// deliveredAt and sealedAt return a task's counts of a channel at a snapshot.
func (c *Checker) deliveredAt(s *snapshot, ch id.ChannelID) uint64 {
	t := &c.tasks[s.task]
	for i, n := range t.inputs {
		if n == ch {
			return c.marks[s.marks+i]
		}
	}
	return 0
}

func (c *Checker) sealedAt(s *snapshot, ch id.ChannelID) uint64 {
	t := &c.tasks[s.task]
	for i, n := range t.outputs {
		if n == ch {
			return c.marks[s.marks+len(t.inputs)+i]
		}
	}
	return 0
}
