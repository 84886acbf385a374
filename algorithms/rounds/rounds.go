package rounds

import (
	"fmt"
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// schedule sets the next trigger.
func (c *Coordinated) schedule(d dataflow.Nanos) {
	if c.lead == nil {
		return
	}
	c.client.Cancel(c.trigger)
	number := c.number
	if c.j.Config.Mutant == MutantFirstAttemptOnly && number > 1 && d == c.cfg.Interval {
		return
	}
	c.trigger = c.client.After(d, func() {
		if c.phase == running && number == c.number {
			c.startRound()
			if c.j.Config.Mutant != MutantThreeRoundsOnly || c.lastIndex < 3 {
				c.schedule(c.cfg.Interval)
			}
		}
	})
}

// pause keeps the next round from starting for MinPause.
func (c *Coordinated) pause() {
	if c.cfg.MinPause == 0 {
		return
	}
	c.pausing = true
	number := c.number
	c.client.Cancel(c.pauseEnd)
	c.pauseEnd = c.client.After(c.cfg.MinPause, func() {
		if number != c.number {
			return
		}
		c.pausing = false
		if c.deferred && c.phase == running {
			c.deferred = false
			c.startRound()
		}
	})
}

// anyStays reports whether some task still has something to put into a round: those
// that leave, or have left, are only carried over.
func (c *Coordinated) anyStays() bool {
	return slices.ContainsFunc(c.tasks, func(t taskStatus) bool { return !t.left && !t.leaving })
}

// partlyFinished reports whether some tasks have finished and others still have something to
// do. When these have drained too, the last round is due.
func (c *Coordinated) partlyFinished() bool {
	return slices.ContainsFunc(c.tasks, func(t taskStatus) bool { return t.left || t.leaving }) &&
		slices.ContainsFunc(c.tasks, func(t taskStatus) bool { return !t.left && !t.drained })
}

// startRound begins a checkpoint unless as many as allowed are under way.
func (c *Coordinated) startRound() {
	if c.saving.Waiting() || c.saving.UnderWay() {
		return // what comes of it begins rounds again
	}
	if len(c.rounds) >= c.cfg.MaxConcurrent || !c.anyStays() || !c.cfg.AfterFinished && c.partlyFinished() {
		return
	}
	if c.pausing {
		c.deferred = true
		return
	}
	c.lastIndex++
	r := &Round{
		c:     c,
		epoch: c.epoch(), parts: make([]coordinator.Part, len(c.tasks)),
		acked: make([]bool, len(c.tasks)), missing: len(c.tasks),
	}
	if n := len(c.retained); n > 0 {
		r.base = c.retained[n-1]
	}
	c.rounds = append(c.rounds, r)
	r.timeout = r.After(c.cfg.Timeout, func() {
		if !r.done { // a record being made cannot be withdrawn: it would count
			c.h.Observe(trace.TimedOut, trace.Coordinator, c.number, r.epoch, "")
			c.abort(r, "timed out")
		}
	})
	c.h.Observe(trace.Triggered, trace.Coordinator, c.number, r.epoch, "")
	for i := range c.tasks {
		if c.tasks[i].left || c.tasks[i].leaving {
			c.carryOver(r, id.TaskID(i))
		}
	}
	c.shareOfKept(r)
	c.lead.Begin(r)
	c.completeRounds()
}

// carryOver lets the last snapshot of a task that has left stand for it, if it
// has no share in r yet.
func (c *Coordinated) carryOver(r *Round, task id.TaskID) bool {
	t := &c.tasks[task]
	if r.acked[task] || t.part == nil {
		return false
	}
	p := *t.part
	p.Left = c.j.Config.Mutant != MutantCarriedUnmarked
	r.parts[task], r.acked[task] = p, true
	r.missing--
	return true
}

// carryNewest lets the newest complete share of each task that has left stand for it in
// the rounds under way. A share carried over before is of an older checkpoint, and goes
// with it.
func (c *Coordinated) carryNewest() {
	for _, r := range c.rounds {
		for i := range r.parts {
			if p := &r.parts[i]; p.Left {
				*p = *c.tasks[i].part
				p.Left = true
			}
		}
	}
}

// Message takes acknowledgements and reports from tasks.
func (c *Coordinated) Message(from id.TaskID, data []byte) {
	if c.saving.Message(from, data) {
		return
	}
	m, part, err := coordinator.DecodeMessage(data, Trigger, Drained, Leaving)
	if err != nil {
		c.fail(err)
		return
	}
	if c.phase != running && c.phase != starting && !c.goesThrough(from) {
		return
	}
	switch m.Kind {
	case coordinator.Ack:
		if r := c.round(m.Epoch); r != nil && !r.acked[from] {
			r.parts[from], r.acked[from] = part, true
			r.missing--
			c.h.Observe(trace.Acked, from, c.number, m.Epoch, "")
			c.completeRounds()
		}
	case coordinator.Decline:
		if r := c.round(m.Epoch); r != nil {
			c.h.Observe(trace.Declined, from, c.number, r.epoch, m.Text)
			c.abort(r, fmt.Sprintf("%s of %s: %s", c.j.Tasks[from].Name, from, m.Text))
		}
	case Drained:
		c.drained(from)
	case Leaving:
		c.tasks[from].leaving = true
		for _, r := range c.rounds {
			if r.epoch > m.Epoch && c.j.Config.Mutant != MutantLeavingUnheard && c.carryOver(r, from) {
				c.lead.CarriedOver(r, from)
			}
		}
		c.completeRounds()
	default:
		if r := c.round(m.Epoch); r != nil {
			m, part := m, part // these go to the heap, the common messages do not
			c.lead.Message(r, from, &m, &part)
		}
	}
}

// drained takes the final checkpoint as soon as every task has nothing left to do.
func (c *Coordinated) drained(from id.TaskID) {
	c.tasks[from].drained = true
	for i := range c.tasks {
		if t := &c.tasks[i]; !t.drained && !t.left {
			return
		}
	}
	if c.phase == running {
		c.schedule(1)
	}
}

func (c *Coordinated) round(e id.Epoch) *Round {
	for _, r := range c.rounds {
		if r.epoch == e {
			return r
		}
	}
	return nil
}

// completeRounds makes the record of a round once everybody has acknowledged.
// Rounds become true in order; one that a newer round has passed is given up.
func (c *Coordinated) completeRounds() {
	if c.creating {
		return
	}
	newest := len(c.rounds) - 1
	for newest >= 0 && c.rounds[newest].missing > 0 {
		newest--
	}
	if newest < 0 {
		return
	}
	for range newest {
		c.giveUp(c.rounds[0], "a newer round is complete")
	}
	if newest > 0 {
		c.sweepGivenUp()
	}
	r := c.rounds[0]
	r.done = true
	c.creating = true
	c.h.Observe(trace.AllAcked, trace.Coordinator, c.number, r.epoch, "")
	rec := &coordinator.Record{Job: c.j.Name, Epoch: r.epoch, Nonce: c.j.Nonce, Shape: c.shape, Parts: r.parts}
	switch c.j.Config.Mutant {
	case MutantCommitBeforeRecord:
		c.announce(rec)
	case MutantRetireBeforeRecord:
		if len(c.retained) == c.cfg.Retain {
			c.client.Delete([]string{c.retained[0].Key()}, nil)
		}
	default: // not of this place
	}
	c.client.Do(state.Op{Kind: state.OpCreate, Key: rec.Key(), Data: rec.Encode()}, func(res state.Result) {
		c.recordMade(r, rec, res)
	})
}

// recordMade: the record of a round is durable. The checkpoint is complete if this
// coordinator led after that: then whoever takes the lead later finds the record, and goes
// back behind it no more. Else its successor may have looked before.
func (c *Coordinated) recordMade(r *Round, rec *coordinator.Record, res state.Result) {
	if !c.makes(r) {
		return
	}
	if res.Status != state.OK {
		c.creating = false
		c.abort(r, coordinator.Error(rec.Key(), res).Error())
		if c.notLeft == 0 && c.phase == running {
			c.finish()
		}
		return
	}
	c.client.Confirm(func(err error) {
		switch {
		case !c.makes(r):
		case err != nil: // the record stands: the round can be neither completed nor given up
			c.fail(err)
		default:
			c.completed(r, rec)
		}
	})
}

// makes reports whether the record of r is still being made; if not, the round was given
// up meanwhile, and the record does not count.
func (c *Coordinated) makes(r *Round) bool { return len(c.rounds) > 0 && c.rounds[0] == r }

// completed makes a checkpoint true for the tasks.
func (c *Coordinated) completed(r *Round, rec *coordinator.Record) {
	c.creating = false
	c.client.Cancel(r.timeout)
	c.rounds = c.rounds[1:]
	c.failures = 0
	c.restarts.Progress()
	c.retained = append(c.retained, rec)
	for i := range c.tasks {
		c.tasks[i].part = &rec.Parts[i]
	}
	c.carryNewest()
	c.h.Observe(trace.Completed, trace.Coordinator, c.number, rec.Epoch, "")
	if c.j.Config.Mutant != MutantCommitBeforeRecord {
		c.announce(rec)
	}
	c.retire()
	c.letGo()
	if c.stopping && c.stopAt != 0 && rec.Epoch >= c.stopAt {
		c.stop()
		return
	}
	if c.notLeft == 0 {
		c.finish()
		return
	}
	c.pause()
	c.completeRounds()
	if c.coveredBy != 0 && rec.Epoch >= c.coveredBy {
		c.client.Cancel(c.trigger)
		c.saving.Covered()
		return
	}
	if !c.allDrainedIn(rec) {
		c.drainedAgain()
	}
	c.tryStop()
	c.trySave()
}

// drainedAgain asks for the final checkpoint when all tasks drained while a
// round was under way.
func (c *Coordinated) drainedAgain() {
	for i := range c.tasks {
		if !c.tasks[i].drained && !c.tasks[i].left {
			return
		}
	}
	if c.failures > 0 {
		c.schedule(c.cfg.Interval) // not in a tight loop against a storage that refuses
		return
	}
	c.schedule(1)
}

func (c *Coordinated) allDrainedIn(rec *coordinator.Record) bool {
	for i := range rec.Parts {
		if !rec.Parts[i].Drained {
			return false
		}
	}
	return true
}

func (c *Coordinated) announce(rec *coordinator.Record) {
	m := (&coordinator.Message{Kind: coordinator.Complete, Epoch: rec.Epoch, Base: rec.Epoch}).Encode()
	for i := range c.tasks {
		if !c.tasks[i].left {
			c.h.Tell(id.TaskID(i), m)
		}
	}
}

// retire lets go of checkpoints beyond the retained number and deletes what
// nothing needs any more.
func (c *Coordinated) retire() {
	for len(c.retained) > c.cfg.Retain {
		old := c.retained[0]
		c.retained = c.retained[1:]
		c.doomed = append(c.doomed, old)
		c.h.Observe(trace.Subsumed, trace.Coordinator, c.number, old.Epoch, "")
	}
	c.saving.Collect(c.retained[0].Epoch)
	c.collect()
}

// collect deletes the doomed checkpoints that no round under way is based on:
// first the record, then the objects that nothing else needs.
func (c *Coordinated) collect() {
	kept := c.doomed[:0]
	var dead []*coordinator.Record
	for _, d := range c.doomed {
		if c.pinned(d) {
			kept = append(kept, d)
		} else {
			dead = append(dead, d)
		}
	}
	c.doomed = kept
	for _, d := range dead {
		c.client.Delete([]string{d.Key()}, func() { c.client.Delete(c.unreferenced(d.References()), nil) })
	}
}

func (c *Coordinated) pinned(d *coordinator.Record) bool {
	for _, r := range c.rounds {
		if r.base == d && c.j.Config.Mutant != MutantBaseNotPinned {
			return true
		}
	}
	return false
}

// unreferenced returns those of keys that no retained or pinned checkpoint needs.
// Nor does a share of a round under way, then: of what is older than the round it
// refers to files of the round's base, which is pinned, and to the share of a task that
// has left which the newest checkpoint has too.
func (c *Coordinated) unreferenced(keys []string) []string {
	clear(c.needed)
	if c.j.Config.Mutant == MutantSharedNotCounted {
		return keys
	}
	for _, set := range [...][]*coordinator.Record{c.retained, c.doomed} {
		for _, r := range set {
			c.need(r.Parts)
		}
	}
	return slices.DeleteFunc(keys, func(k string) bool { return c.needed[k] })
}

// need notes what shares refer to.
func (c *Coordinated) need(ps []coordinator.Part) {
	ownOnly := c.j.Config.Mutant == MutantRestoredNotCounted
	for i := range ps {
		c.scratch = ps[i].AppendReferences(c.scratch[:0])
		for _, k := range c.scratch {
			c.needed[k] = true
			if ownOnly {
				e, _ := coordinator.EpochOfKey(k)
				c.needed[k] = e.Attempt() == c.number
			}
		}
	}
}

// abort gives a round up; too many in a row make the job start again from its
// newest checkpoint.
func (c *Coordinated) abort(r *Round, reason string) {
	if !c.giveUp(r, reason) {
		return
	}
	if c.stopping {
		c.stop()
		return
	}
	if c.coveredBy != 0 && r.epoch >= c.coveredBy {
		c.saving.Refuse("it is complete, and the job cannot end with it: the checkpoint to commit its output has failed: " + reason)
	}
	c.failures++
	if c.cfg.Tolerated >= 0 && c.failures > c.cfg.Tolerated {
		c.failOver(r.epoch, fmt.Errorf("checkpoint %s failed (%s); %d failures in a row are more than the tolerated %d", r.epoch, reason, c.failures, c.cfg.Tolerated))
		return
	}
	c.sweepGivenUp()
	c.collect()
	c.pause()
	c.completeRounds()
	c.drainedAgain()
	c.trySave()
}

// passed gives a round up that some task has not taken before a newer one. That is no failure: messages
// overtake each other.
func (c *Coordinated) passed(r *Round, by id.TaskID) {
	c.giveUp(r, fmt.Sprintf("a newer round came first to %s of %s", c.j.Tasks[by].Name, by))
	c.sweepGivenUp()
	c.collect()
	c.completeRounds()
	c.drainedAgain()
	c.trySave()
}

// sweepGivenUp deletes what rounds that were given up have stored so far, also
// behind an older one that is still under way. If tasks fail meanwhile it leaves all to
// the recovery: the record of a round that was given up with them may have landed,
// and counts until the plan has.
func (c *Coordinated) sweepGivenUp() {
	number := c.number
	c.client.Sweep(id.MakeEpoch(c.number, c.lastIndex+1), c.garbagePrefixes(), func(key string) bool {
		e, _ := coordinator.EpochOfKey(key)
		return c.number != number || c.phase == waiting || c.round(e) != nil && c.j.Config.Mutant != MutantSweepsUnderWay || c.isLive(key)
	}, nil)
}

func (c *Coordinated) giveUp(r *Round, reason string) bool {
	for i, x := range c.rounds {
		if x != r {
			continue
		}
		if i == 0 {
			c.creating = false
		}
		c.rounds = append(c.rounds[:i], c.rounds[i+1:]...)
		c.client.Cancel(r.timeout)
		c.h.Observe(trace.Aborted, trace.Coordinator, c.number, r.epoch, reason)
		m := (&coordinator.Message{Kind: Abort, Epoch: r.epoch}).Encode()
		for k := range c.tasks {
			if !c.tasks[k].left {
				c.h.Tell(id.TaskID(k), m)
			}
		}
		return true
	}
	return false
}

// giveUpEach ends every round and tells the tasks, which store no more for it.
func (c *Coordinated) giveUpEach(reason string) {
	for len(c.rounds) > 0 {
		c.giveUp(c.rounds[0], reason)
	}
}

// giveUpAll ends every round without telling the tasks, which restart or have left.
func (c *Coordinated) giveUpAll(reason string) {
	for _, r := range c.rounds {
		c.client.Cancel(r.timeout)
		c.h.Observe(trace.Aborted, trace.Coordinator, c.number, r.epoch, reason)
	}
	c.rounds, c.creating = nil, false
	c.saving.Interrupt()
	c.coveredBy = 0
	c.client.Cancel(c.trigger)
	c.pausing, c.deferred = false, false
}
