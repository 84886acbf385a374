package check

import (
	"slices"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// outputCommitted is the commit oracle's view of rows becoming visible: each
// transaction once, of the surviving history, and only when its snapshot can no
// longer be rolled back.
func (c *Checker) outputCommitted(e *trace.Event, t *task) {
	c.addOutput(e)
	if c.x.AppendSink || e.Epoch == 0 {
		return
	}
	if slices.Contains(t.committed, e.Epoch) {
		if t.committed[len(t.committed)-1] == e.Epoch && t.committedAt == e.Time {
			return // more rows of a large transaction
		}
		c.violate(Commit, e.Task, e.Epoch, "the rows of the transaction became visible a second time")
		return
	}
	t.committed, t.committedAt = append(t.committed, e.Epoch), e.Time
	p := c.find(t, e.Epoch)
	switch {
	case p == none:
		c.violate(Commit, e.Task, e.Epoch, "output became visible for which there is no snapshot")
	case !c.survives(&c.snapshots[p], t.segment):
		c.violate(Commit, e.Task, e.Epoch, "output of a history that was rolled back became visible: its transaction should have been aborted")
	case !c.irrevocable(e.Epoch, t, p):
		c.violate(Commit, e.Task, e.Epoch, "output became visible before its checkpoint was durable: a crash now would produce it again")
	}
}

// irrevocable reports whether nothing can roll snapshot p of t back any more.
func (c *Checker) irrevocable(e id.Epoch, t *task, p int32) bool {
	if !c.x.Coordinated {
		return t.line >= e // a snapshot that is only stored may still be rolled back
	}
	if c.x.Storage == nil || c.x.Layout.RecordKey == nil {
		return c.isCompleted(e)
	}
	if i := len(c.completed); i > 0 && c.completed[i-1] > e {
		return true // subsumed by a newer one
	}
	if t.restored != none && c.snapshots[t.restored].epoch >= e {
		return true
	}
	if c.base >= e && c.durable(c.base) {
		return true // a recovery has begun that does not go behind it
	}
	return c.durable(e)
}

// durable reports whether the record of a checkpoint can be read.
func (c *Checker) durable(e id.Epoch) bool {
	return c.x.Storage.Do(state.Op{Kind: state.OpGet, Key: c.x.Layout.RecordKey(e)}).Status == state.OK
}

// checkCommitted: recovery never goes behind visible output.
func (c *Checker) checkCommitted(e *trace.Event, t *task) {
	if c.x.AppendSink || len(t.committed) == 0 {
		return
	}
	if newest := slices.Max(t.committed); newest > e.Epoch {
		c.violate(Commit, e.Task, e.Epoch, "restored from epoch %s although the output of epoch %s is visible: what lies between will be produced again", e.Epoch, newest)
	}
}

// externalIssued counts commits that are asked for again.
func (c *Checker) externalIssued(e *trace.Event, t *task) {
	if e.Op != trace.Commit {
		return
	}
	if slices.Contains(t.asked, e.Epoch) {
		c.report.CommitsRetried++
		return
	}
	t.asked = append(t.asked, e.Epoch)
}
