package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// advance moves the line of a total failure forward with what has been
// acknowledged, once this coordinator is confirmed in the lead: whoever takes it later
// finds the same snapshots, and goes back behind that line no more.
func (c *Coordinator) advance() {
	if c.looking {
		c.lookNext = true
		return
	}
	to, ahead, err := c.stableLine()
	if err != nil {
		c.fail(err)
		return
	}
	if !ahead {
		return
	}
	c.looking, c.lookNext = true, false
	number := c.number
	c.client.Confirm(func(err error) {
		c.looking = false
		switch {
		case c.phase != running: // the recovery under way ends with another look
		case err != nil:
			c.fail(err)
		case c.number != number:
			c.advance()
		default:
			c.pass(to)
			c.tryCovered()
			if c.lookNext {
				c.advance()
			}
		}
	})
}

// stableLine returns, by task, the snapshots on the newest consistent line, and whether
// any of them is ahead of the line as it stands.
func (c *Coordinator) stableLine() (at []id.Epoch, ahead bool, err error) {
	l := make(line, len(c.hist))
	for t := range l {
		l[t] = len(c.hist[t].snaps) - 1
	}
	if c.j.Config.Mutant != MutantLineAhead {
		if _, err := c.graph.recoveryLine(c.hist, l); err != nil {
			return nil, false, err
		}
	}
	at = make([]id.Epoch, len(l))
	for t := range l {
		at[t] = c.hist[t].snaps[l[t]].Epoch
		ahead = ahead || l[t] > c.hist[t].stable
	}
	return at, ahead, nil
}

// pass moves the line to the snapshots to: commits what it passes, collects what it
// leaves behind.
func (c *Coordinator) pass(to []id.Epoch) {
	var dead []string
	behind := false
	for t := range to {
		h := &c.hist[t]
		k := h.upTo(to[t]) - 1
		if k <= h.stable {
			continue
		}
		dead = append(dead, unreferenced(h.snaps[:k], h.snaps[k:])...)
		h.snaps = append(h.snaps[:0], h.snaps[k:]...)
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
	c.letGo()
}

// letGo deletes a savepoint of the job's own as soon as the line has left the beginning.
func (c *Coordinator) letGo() {
	for t := range c.hist {
		if h := &c.hist[t]; len(c.beginning) == 0 || c.letting || h.snaps[h.stable].Epoch == 0 {
			return
		}
	}
	c.letting = true
	c.dropping++
	c.beginning.LetGo(c.client, func() {
		if c.letting { // not read anew meanwhile
			c.beginning, c.letting = nil, false
		}
		c.dropping--
		c.tryFinish()
	})
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
	c.client.Find([]string{coordinator.SnapshotPrefix, coordinator.FilePrefix}, func(rows []state.Entry, _ []string) {
		if c.number != number || c.phase == reading {
			return // the recovery under way will sweep
		}
		live := c.live()
		var dead []string
		for _, row := range rows { // what storage does not list the next sweep finds
			t, e, ok := coordinator.OwnerOfKey(row.Key)
			if ok && int(t) < len(c.hist) && c.gone(t, e) && !live[row.Key] {
				dead = append(dead, row.Key)
			}
		}
		c.client.DeleteConfirmed(dead, func(string) bool { return c.number != number || c.phase == reading }, nil)
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
	c.client.Confirm(func(err error) {
		if err != nil {
			c.fail(err)
			return
		}
		coordinator.DropPlans(c.client, c.number, func() { // those that a coordinator which was replaced has made since
			c.trimAll(func() {
				c.client.Sweep(^id.Epoch(0), prefixes, func(k string) bool { return live[k] }, func() {
					c.beginning.LetGo(c.client, func() { // where nothing was left to pass, as after a crash in the middle of it
						c.h.Observe(trace.JobDone, trace.Coordinator, c.number, 0, "")
						c.h.JobDone()
					})
				})
			})
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
