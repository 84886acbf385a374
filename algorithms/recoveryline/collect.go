package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// advance moves the line of a total failure forward with what has been
// acknowledged: commits what it passes, collects what it leaves behind.
func (c *Coordinator) advance() {
	l := make(line, len(c.hist))
	for t := range l {
		l[t] = len(c.hist[t].snaps) - 1
	}
	if c.j.Config.Mutant != MutantLineAhead {
		if _, err := c.graph.recoveryLine(c.hist, l); err != nil {
			c.fail(err)
			return
		}
	}
	var dead []string
	behind := false
	for t := range l {
		h := &c.hist[t]
		if l[t] <= h.stable {
			continue
		}
		dead = append(dead, unreferenced(h.snaps[:l[t]], h.snaps[l[t]:])...)
		h.snaps = append(h.snaps[:0], h.snaps[l[t]:]...)
		h.stable = 0
		at := &h.snaps[0]
		h.passed = at.Epoch
		if h.declined != 0 && h.declined < at.Epoch {
			behind, h.declined = true, 0
		}
		c.restarts.Progress()
		c.h.Observe(trace.LineAdvanced, id.TaskID(t), c.number, at.Epoch, "")
		if !c.tasks[t].left {
			c.h.Tell(id.TaskID(t), (&coordinator.Message{Kind: coordinator.Complete, Epoch: at.Epoch}).Encode())
		}
		for i, d := range at.Delivered {
			c.trim(id.TaskID(t), i, d, nil)
		}
	}
	if c.j.Config.Mutant != MutantPassedStays {
		c.client.Delete(dead, nil)
	}
	if behind {
		c.sweep()
	}
}

// unreferenced returns the objects of dropped snapshots that kept ones of the
// same task do not need.
func unreferenced(dropped, kept []coordinator.Part) []string {
	need := map[string]bool{}
	for i := range kept {
		for _, k := range kept[i].References() {
			need[k] = true
		}
	}
	var dead []string
	for i := range dropped {
		for _, k := range dropped[i].References() {
			if !need[k] {
				need[k] = true // once is enough
				dead = append(dead, k)
			}
		}
	}
	return dead
}

// sweep deletes what rolled-back attempts have left: snapshots that do not count
// any more, whether or not the recovery has seen them, and files of drafts that died
// with their task. And what is behind the line of a total failure and was never
// acknowledged: files of snapshots that could not be stored.
func (c *Coordinator) sweep() {
	if c.j.Config.Mutant == MutantNeverSwept {
		return
	}
	number := c.number
	c.client.List([]string{coordinator.SnapshotPrefix, coordinator.FilePrefix}, func(rows []state.Entry, err error) {
		if c.number != number || c.phase == reading {
			return // the recovery under way will sweep
		}
		live := c.live()
		var dead []string
		for _, row := range rows { // a failed listing finds nothing: the next sweep will
			t, e, ok := coordinator.OwnerOfKey(row.Key)
			if ok && int(t) < len(c.hist) && c.gone(t, e) && !live[row.Key] {
				dead = append(dead, row.Key)
			}
		}
		c.client.Delete(dead, nil)
	})
}

// gone reports that no recovery goes back to snapshot e of a task.
func (c *Coordinator) gone(t id.TaskID, e id.Epoch) bool {
	return e.Attempt() < c.number && !c.lineages[t].admits(e) || e < c.hist[t].passed
}

// live returns the objects that snapshots need which count.
func (c *Coordinator) live() map[string]bool {
	live := map[string]bool{}
	for t := range c.hist {
		for i := range c.hist[t].snaps {
			for _, k := range c.hist[t].snaps[i].References() {
				live[k] = true
			}
		}
	}
	return live
}

// cleanUp deletes everything that the final snapshots do not need and ends the job.
func (c *Coordinator) cleanUp() {
	if c.cfg.OnCancel == dataflow.DeleteOnCancel {
		c.leaveNothing(id.MakeEpoch(c.number, 1))
		return
	}
	live := map[string]bool{}
	for t := range c.hist {
		last := &c.hist[t].snaps[len(c.hist[t].snaps)-1]
		for _, k := range last.References() {
			live[k] = true
		}
	}
	prefixes := []string{coordinator.SnapshotPrefix, coordinator.FilePrefix}
	c.trimAll(func() {
		c.client.Sweep(^id.Epoch(0), prefixes, func(k string) bool { return live[k] }, func() {
			c.h.Observe(trace.JobDone, trace.Coordinator, c.number, 0, "")
			c.h.JobDone()
		})
	})
}

// trim lets the log of an input go up to a position.
func (c *Coordinator) trim(t id.TaskID, in int, to id.Seq, then func(state.Result)) {
	switch c.j.Config.Mutant {
	case MutantNeverTrimmed:
		to = 0
	case MutantTrimmedAhead:
		to++
	case MutantTrimmedAtEnd:
		if then == nil { // who waits is the end of the job
			return
		}
	case MutantTrimmedToSender:
		from := c.graph.inputs[t][in]
		to = c.hist[from.task].snaps[0].Sealed[from.index]
	default: // not of this place
	}
	c.client.Do(state.Op{Kind: state.OpTrim, Key: c.graph.logs[t][in], To: to}, then)
}

// trimAll empties the logs of a job that has ended, and then calls then.
func (c *Coordinator) trimAll(then func()) {
	left := 1
	trimmed := func(state.Result) {
		if left--; left == 0 {
			then()
		}
	}
	for t := range c.hist {
		last := &c.hist[t].snaps[len(c.hist[t].snaps)-1]
		for i, d := range last.Delivered {
			left++
			c.trim(id.TaskID(t), i, d, trimmed)
		}
	}
	trimmed(state.Result{})
}
