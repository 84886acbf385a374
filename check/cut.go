package check

import (
	"slices"

	"weir/id"
	"weir/trace"
)

// checkpointCompleted takes the moment at which a job-wide checkpoint became true.
func (c *Checker) checkpointCompleted(e *trace.Event) {
	c.report.Checkpoints++
	c.mark("between two checkpoints")
	c.completed = append(c.completed, e.Epoch)
	if c.x.Coordinated && c.gatherParts(e.Epoch) {
		c.checkDurable(e.Epoch)
		c.checkCut(e.Epoch)
		for i := range c.tasks {
			c.tasks[i].part = c.parts[i]
		}
	}
	c.retain(e.Epoch)
}

// gatherParts finds the snapshot of every task that belongs to checkpoint e; for
// one that has left, the last that stood for it.
func (c *Checker) gatherParts(e id.Epoch) bool {
	whole := true
	for i := range c.tasks {
		t := &c.tasks[i]
		p := c.find(t, e)
		if t.left && (p == none || !c.snapshots[p].stored) {
			p = t.part // drained before and gone meanwhile
		}
		if p == none {
			c.violate(Cut, id.TaskID(i), e, "the checkpoint is complete without a snapshot of %s, which has not left", c.taskName(i))
			whole = false
		}
		c.parts[i] = p
	}
	return whole
}

// checkDurable: complete means that every share was known durable.
func (c *Checker) checkDurable(e id.Epoch) {
	for i, p := range c.parts {
		if !c.snapshots[p].stored {
			c.violate(StorageWhole, id.TaskID(i), e, "the checkpoint is complete before the snapshot of %s was durable", c.taskName(i))
		}
	}
}

// checkCut is the cut oracle on the snapshots in c.parts.
func (c *Checker) checkCut(e id.Epoch) {
	if c.x.State == ExactlyOnce {
		for n := range c.channels {
			c.checkChannel(id.ChannelID(n), e)
		}
	}
	c.checkPrefix(e)
}

// checkChannel: what the receiver had was sent, and what was sent is either
// delivered or captured, once.
func (c *Checker) checkChannel(n id.ChannelID, e id.Epoch) {
	ch := &c.channels[n]
	from, to := &c.snapshots[c.parts[ch.From]], &c.snapshots[c.parts[ch.To]]
	sealed, delivered := c.sealedAt(from, n), c.deliveredAt(to, n)
	if delivered > sealed {
		c.violate(Cut, ch.To, e, "channel %s: the snapshot of %s has received %d items, that of %s has sent %d: effects without their cause", n, c.taskName(int(ch.To)), delivered, c.taskName(int(ch.From)), sealed)
		return
	}
	c.ranges = c.ranges[:0]
	c.gatherCaptures(to, n, e, false)
	c.gatherCaptures(from, n, e, true)
	total := delivered
	slices.SortFunc(c.ranges, func(a, b capture) int { return int(int64(a.from) - int64(b.from)) })
	for i := range c.ranges {
		total += c.ranges[i].to - c.ranges[i].from
		if i > 0 && c.ranges[i].from < c.ranges[i-1].to {
			c.violate(Cut, ch.To, e, "channel %s: positions (%d, %d] and (%d, %d] are captured both: some in-flight items twice", n, c.ranges[i-1].from, c.ranges[i-1].to, c.ranges[i].from, c.ranges[i].to)
		}
	}
	if total != sealed {
		c.violate(Cut, ch.To, e, "channel %s: %d items were sent before the cut; %d are in the receiver's state and %d captured in flight, %s", n, sealed, delivered, total-delivered, balance(total, sealed))
	}
}

func balance(have, want uint64) string {
	if have < want {
		return "so the rest is lost when the checkpoint is restored"
	}
	return "so some come twice when the checkpoint is restored"
}

// gatherCaptures adds what snapshot s captured of a channel to c.ranges. What a
// task that has left once captured is not put back.
func (c *Checker) gatherCaptures(s *snapshot, n id.ChannelID, e id.Epoch, out bool) {
	if s.epoch != e {
		return
	}
	for k := s.captures; k != none; k = c.captures[k].next {
		if x := &c.captures[k]; x.channel == n && x.out == out {
			c.ranges = append(c.ranges, *x)
		}
	}
}

// checkPrefix: the records in the state of the first tasks, and those captured
// on their way there, are what the sources had handed out, each once. At least
// once means that none is missing.
func (c *Checker) checkPrefix(e id.Epoch) {
	if c.x.State == AtMostOnce {
		return
	}
	clear(c.counts)
	for i := range c.tasks {
		s := &c.snapshots[c.parts[i]]
		if c.tasks[i].fed {
			c.addLineage(s.segment, s.records)
		}
		if s.epoch != e {
			continue
		}
		for k := s.captures; k != none; k = c.captures[k].next {
			x := &c.captures[k]
			for _, r := range c.captured[x.first : x.first+x.n] {
				c.counts[r]++
			}
		}
	}
	missing, extra, firstMissing, firstExtra := 0, 0, 0, 0
	for r := c.x.Records - 1; r >= 0; r-- {
		want := int32(0)
		if c.handedOut(r) {
			want = c.x.copies(r)
		}
		if n := c.counts[r]; n < want {
			missing, firstMissing = missing+1, r
		} else if n > want {
			extra, firstExtra = extra+1, r
		}
	}
	if missing > 0 {
		c.violate(Cut, trace.Coordinator, e, "the sources stand behind %d records that are neither in the state of the checkpoint nor captured in flight; the first is record %d", missing, firstMissing)
	}
	if extra > 0 && c.x.State == ExactlyOnce {
		c.violate(Cut, trace.Coordinator, e, "%d records are in the checkpoint more often than the sources, where they stand, had handed out; the first is record %d (%d times)", extra, firstExtra, c.counts[firstExtra])
	}
}

// handedOut reports whether record r lies before the offset of its source in c.parts.
func (c *Checker) handedOut(r int) bool {
	for i := range c.x.Tasks {
		if s := &c.x.Tasks[i]; s.Source && r%s.Partitions == s.Partition {
			return uint64(r/s.Partitions) < c.snapshots[c.parts[i]].offset
		}
	}
	return false
}
