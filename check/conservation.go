package check

import (
	"weir/id"
	"weir/trace"
)

// The conservation oracle: offsets, positions and epochs go on where they
// stood, and at the end nothing is left over.

// emitted: a source hands out its partition without gap or repetition.
func (c *Checker) emitted(e *trace.Event, t *task) {
	if e.From != t.offset {
		c.violate(Conservation, e.Task, 0, "the source handed out offsets (%d, %d] where it stood at %d", e.From, e.To, t.offset)
	}
	t.offset = e.To
}

// sealed: positions of a channel grow within an incarnation.
func (c *Checker) sealed(e *trace.Event) {
	if int(e.Channel) >= len(c.channels) || e.Channel < 0 {
		return
	}
	ch := &c.channels[e.Channel]
	if ch.knowsSealed && e.From < ch.sealedUpTo {
		c.violate(Conservation, e.Task, 0, "channel %s: positions (%d, %d] sealed behind position %d", e.Channel, e.From, e.To, ch.sealedUpTo)
	}
	ch.sealed += e.To - e.From
	ch.sealedUpTo, ch.knowsSealed = e.To, true
}

// checkEpoch: epochs of a task grow and none is used twice; a source's snapshot
// has the offset at which it stands.
func (c *Checker) checkEpoch(e *trace.Event, t *task) {
	if n := len(t.snapshots); n > 0 {
		if last := c.snapshots[t.snapshots[n-1]].epoch; e.Epoch <= last {
			c.violate(Conservation, e.Task, e.Epoch, "a snapshot began with epoch %s after one with epoch %s: an epoch is used once, lost ones included", e.Epoch, last)
		}
	}
	if c.x.Tasks[e.Task].Source && e.From != t.offset {
		c.violate(Conservation, e.Task, e.Epoch, "the snapshot has offset %d, the source stands at %d", e.From, t.offset)
	}
}

// finishConservation: every partition is handed out, and every channel is empty.
func (c *Checker) finishConservation() {
	for i := range c.tasks {
		t := &c.x.Tasks[i]
		if size := c.x.partition(t); t.Source && c.tasks[i].offset != size {
			c.violate(Conservation, id.TaskID(i), 0, "the job ended with partition %d of %d handed out up to offset %d of %d", t.Partition, t.Partitions, c.tasks[i].offset, size)
		}
	}
	if c.promised(c.x.State) == AtMostOnce {
		return
	}
	for n := range c.channels {
		ch := &c.channels[n]
		if ch.delivered < ch.sealed {
			c.violate(Conservation, ch.To, 0, "channel %s: the job ended with %d items sent and %d processed", id.ChannelID(n), ch.sealed, ch.delivered)
		} else if ch.delivered > ch.sealed && c.promised(c.x.State) == ExactlyOnce {
			c.violate(Conservation, ch.To, 0, "channel %s: the job ended with %d items sent and %d processed: some twice", id.ChannelID(n), ch.sealed, ch.delivered)
		}
	}
}
