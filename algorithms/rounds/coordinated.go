package rounds

import (
	"fmt"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Coordinated is the coordinator of algorithms that take job-wide snapshots in
// rounds and roll every task back to the newest complete one, or the regions in which
// something failed (region.go). Without a lead it only starts and restarts the job (the
// negative control).
type Coordinated struct {
	h      dataflow.CoordHost
	j      *dataflow.JobInfo
	cfg    *dataflow.CheckpointConfig
	client *coordinator.Client

	lead    Lead
	shape   coordinator.Shape
	phase   phase
	number  id.Attempt              // of the newest plan this coordinator made
	adopts  bool                    // the plan to come keeps all tasks
	adopted bool                    // the newest plan does
	highest id.Attempt              // of any plan seen in storage
	newest  *coordinator.PlanRecord // found in storage; nil: there is none
	splits  coordinator.Assignment  // of the newest plan; nil: not looked at yet
	// beginning is what the job began with, or is to; first: this is its first plan; letting: it
	// is being deleted. Until it is gone plans name it, so that somebody ends that.
	beginning coordinator.Beginning
	first     bool
	letting   bool
	retained  []*coordinator.Record // complete checkpoints, oldest first; they may be of older shapes
	doomed    []*coordinator.Record // no longer retained, but a round under way may refer to their files
	tasks     []taskStatus
	notReady  int
	notLeft   int
	regions   []id.TaskID // by task: the first one of its region; nil: the job restarts as a whole
	keep      []bool      // by task: the newest plan keeps it; nil: it restarts all
	givenUp   *Round      // the newest that failures of tasks have ended
	outdated  bool        // a task that it keeps has failed before it was executed

	lastIndex uint32 // of the newest epoch of this attempt
	rounds    []*Round
	creating  bool // a record is being made
	dropping  int  // deletions of older plans under way: the end waits
	trigger   id.Ticket
	pausing   bool // within MinPause of the last round's end
	pauseEnd  id.Ticket
	deferred  bool                  // a trigger fell into the pause
	failures  int                   // consecutive rounds given up
	restarts  *coordinator.Restarts // says whether the job starts again

	needed   map[string]bool // scratch: objects that something refers to
	scratch  []string        // references of one share
	stopping bool
	stopAt   id.Epoch // the round after which a stopping job ends, 0 = not begun

	saving    *coordinator.Saving
	coveredBy id.Epoch // the round with which a savepoint is covered that ends the job; 0: none
	endedWith id.Epoch // the savepoint that the job has ended with; 0: none
}

type phase uint8

const (
	idle phase = iota
	reading
	waiting // for the delay of a restart
	planning
	adopting // a plan that keeps all tasks is being handed over
	starting
	running
	finished
)

type taskStatus struct {
	ready   bool // has carried out the newest plan
	lives   bool // was ready once, and has not failed since: a plan can keep it
	leaving bool // takes no new round
	left    bool
	drained bool
	part    *coordinator.Part // of the newest complete checkpoint of this shape; nil: there is none
}

// NewCoordinated returns a coordinator for c. lead leads its rounds, nil: there
// are none, it only starts and restarts the job.
func NewCoordinated(c *dataflow.Config, lead Lead) *Coordinated {
	return &Coordinated{cfg: &c.Checkpoint, lead: lead, needed: map[string]bool{}}
}

// Start begins from storage alone.
func (c *Coordinated) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.h, c.j = h, j
	c.client = coordinator.NewClient(h)
	c.client.Mutant, c.client.Deposed = j.Config.Mutant, c.deposed
	c.saving = coordinator.NewSaving(c.client, h, j, c)
	c.shape = coordinator.ShapeOf(j.Tasks)
	c.restarts = coordinator.NewRestarts(&j.Config.Restart, c.client, h.Draw)
	c.tasks = make([]taskStatus, len(j.Tasks))
	if c.lead != nil && j.Config.Restart.Failover == dataflow.FailoverRegion {
		c.regions = regionsOf(j.Tasks, j.Config.Mutant)
	}
	c.recover()
}

// Done takes the outcome of a storage operation.
func (c *Coordinated) Done(t id.Ticket, r state.Result) { c.client.Done(t, r) }

// Timer takes an expiry.
func (c *Coordinated) Timer(t id.Ticket) { c.client.Timer(t) }

// Failed starts a recovery, now or after a delay: of the regions in which something failed, or
// of the whole job.
func (c *Coordinated) Failed(tasks []id.TaskID, cause error) {
	c.died(tasks)
	if c.phase == finished || c.phase == reading || c.phase == waiting || c.phase == planning {
		return // the plan to come restarts all that does not live, or is handed over then
	}
	if c.phase == adopting {
		c.notAdopted()
		return
	}
	if c.stopping {
		c.stop()
		return
	}
	if cause != nil && coordinator.Unreadable(cause) && c.phase == starting && c.fromSaved() != "" {
		c.fail(fmt.Errorf("begin from savepoint %q: %w", c.beginning[0].Root, cause))
		return
	}
	if cause != nil && coordinator.Unreadable(cause) && !c.fallBack() {
		c.fail(fmt.Errorf("%w; the job can go back to the checkpoint before it if several are retained and checkpoint.fallback is set; output committed since is then committed again", cause))
		return
	}
	delay, err := c.restarts.Failed(cause)
	if err != nil {
		c.fail(err)
		return
	}
	making := c.rounds
	if n := len(making); n > 0 {
		c.givenUp = making[n-1]
	}
	if c.kept() != nil {
		c.giveUpEach("tasks failed")
	}
	c.giveUpAll("tasks failed")
	if c.j.Config.Mutant == MutantFailoverKeepsRound && len(making) > 0 && making[0].done {
		c.rounds, c.creating = making[:1], true
	}
	c.restartAfter(delay)
}

// fallBack passes over the newest checkpoint, which does not restore; false: there is no
// other one, or it may not.
func (c *Coordinated) fallBack() bool {
	if c.phase != starting || !c.cfg.Fallback || len(c.retained) < 2 {
		return false
	}
	bad := c.retained[len(c.retained)-1]
	c.retained = c.retained[:len(c.retained)-1]
	c.keepNone()
	c.h.Observe(trace.FellBack, trace.Coordinator, c.number, bad.Epoch, "")
	c.h.Observe(trace.Aborted, trace.Coordinator, c.number, bad.Epoch, "damaged; falling back to the checkpoint before it")
	return true
}

// failOver restarts everything, after the round e, from the newest checkpoint: what a
// round fails for may be in the tasks. Where restarting is no help either the job fails.
func (c *Coordinated) failOver(e id.Epoch, cause error) {
	c.failures = 0
	delay, err := c.restarts.Failed(cause)
	if err != nil {
		c.fail(err)
		return
	}
	c.h.Observe(trace.FailedOver, trace.Coordinator, c.number, e, cause.Error())
	c.keepNone()
	c.giveUpAll("too many rounds failed")
	c.restartAfter(delay)
}

// restartAfter restarts after a delay what the plan does not keep. What tasks that live do
// meanwhile is rolled back with the others, unless it keeps them.
func (c *Coordinated) restartAfter(delay dataflow.Nanos) {
	c.phase = waiting
	c.restarts.After(delay, c.plan)
}

// fail ends the job, if this coordinator still leads: one that was outrun misses what its
// successor has deleted.
func (c *Coordinated) fail(err error) {
	c.giveUpAll("the job fails")
	c.end()
	c.client.Confirm(func(error) { c.h.JobFailed(err) })
}

// end takes no more part in anything.
func (c *Coordinated) end() {
	c.phase = finished
	c.restarts.Stop()
	c.saving.Interrupt()
}

// deposed: another coordinator leads. Whatever this one had under way is for that one to judge.
func (c *Coordinated) deposed() {
	c.end()
	c.h.Deposed()
}

// --- recovery ---

// recover reads storage: the newest plan, and the checkpoints that count.
func (c *Coordinated) recover() {
	c.phase = reading
	c.keepNone()
	coordinator.ReadStorage(c.client, c.j, []string{coordinator.RecordPrefix}, func(p *coordinator.PlanRecord, highest id.Attempt, rows []state.Entry, err error) {
		if err != nil {
			c.fail(fmt.Errorf("recovery: %w", err))
			return
		}
		c.highest = highest
		c.beginning, c.letting = p.Beginning(c.j.Tasks), false
		switch {
		case p != nil && p.Over():
			c.stayOver(p)
			return
		case c.stopsForGood() && (p != nil || c.j.From == nil):
			c.leaveNothing(0)
			return
		}
		c.newest, c.splits, c.first = p, nil, false
		var records []id.Epoch
		for _, r := range rows {
			if e, ok := coordinator.EpochOfKey(r.Key); ok && p != nil {
				records = append(records, e)
			}
		}
		if p == nil && c.j.From != nil {
			c.begin()
			return
		}
		if p == nil {
			p = &coordinator.PlanRecord{}
		}
		c.readRecords(c.counting(p, records))
	})
}

// begin makes the first plan of a job that begins from a savepoint. Its attempts are newer than
// those of the job that wrote it, and of others that have begun from it, whose transactions stand in
// the same external store.
func (c *Coordinated) begin() {
	coordinator.ReadBeginning(c.client, c.j, func(b coordinator.Beginning, err error) {
		switch {
		case c.phase != reading: // the job has ended meanwhile
		case err != nil:
			c.fail(fmt.Errorf("begin from savepoint %q: %w", c.j.From.Root, err))
		default:
			c.beginning, c.first = b, true
			c.highest = max(c.highest, b.UpTo().Attempt(), c.j.From.After)
			c.retained = nil
			if c.stopsForGood() {
				c.leaveNothing(0)
				return
			}
			c.plan()
		}
	})
}

// counting returns the epochs whose records count, oldest first: those the
// newest plan found, and those its own attempt made.
func (c *Coordinated) counting(p *coordinator.PlanRecord, records []id.Epoch) []id.Epoch {
	var es []id.Epoch
	late := c.j.Config.Mutant == MutantLateRecordCounts
	for _, e := range records {
		if late || e.Attempt() == p.Plan.Number || contains(p.Retained, e) {
			es = append(es, e)
		}
	}
	for i := 1; i < len(es); i++ {
		for k := i; k > 0 && es[k] < es[k-1]; k-- {
			es[k], es[k-1] = es[k-1], es[k]
		}
	}
	return es
}

func contains(es []id.Epoch, e id.Epoch) bool {
	for _, x := range es {
		if x == e {
			return true
		}
	}
	return false
}

// readRecords reads the records that count and goes on to plan.
func (c *Coordinated) readRecords(es []id.Epoch) {
	c.retained = nil
	var damage error // of the newest record, bad
	var bad id.Epoch
	var next func(i int)
	next = func(i int) {
		if i == len(es) && damage != nil && (!c.cfg.Fallback && c.j.Config.Mutant != MutantSilentFallback || len(c.retained) == 0) {
			c.fail(fmt.Errorf("recovery: %w; the job can go back to the checkpoint before it if several are retained and checkpoint.fallback is set; output committed since is then committed again", damage))
			return
		}
		if i == len(es) {
			if damage != nil {
				c.h.Observe(trace.FellBack, trace.Coordinator, c.highest, bad, "")
			}
			// Beyond the retained number a record may be about to go: its deletion was
			// asked for by a coordinator that is dead, for which the damaged ones counted.
			for len(c.retained) > 1 && c.retained[0].Epoch < es[max(0, len(es)-c.cfg.Retain)] {
				c.h.Observe(trace.Subsumed, trace.Coordinator, c.highest, c.retained[0].Epoch, "")
				c.retained = c.retained[1:]
			}
			c.adopts = c.adoptable(damage != nil)
			c.plan()
			return
		}
		key := (&coordinator.Record{Epoch: es[i]}).Key()
		c.client.Do(state.Op{Kind: state.OpGet, Key: key}, func(r state.Result) {
			rec, err := c.decodeRecord(r)
			switch {
			case r.Status == state.NotFound && i < len(es)-1:
				// subsumed while its coordinator died: a newer one stands
			case err == nil:
				c.retained, damage = append(c.retained, rec), nil
			default:
				damage, bad = fmt.Errorf("%s: %w", key, err), es[i]
				c.h.Observe(trace.Aborted, trace.Coordinator, c.highest, es[i], "damaged; going on without it: "+err.Error())
			}
			next(i + 1)
		})
	}
	next(0)
}

func (c *Coordinated) decodeRecord(r state.Result) (*coordinator.Record, error) {
	if r.Status != state.OK {
		return nil, coordinator.Error("read", r)
	}
	rec, err := coordinator.DecodeRecord(r.Data)
	switch {
	case err != nil:
	case rec.Job != c.j.Name:
		err = fmt.Errorf("a checkpoint of job %q, this is %q: give each job a directory of its own", rec.Job, c.j.Name)
	case len(rec.Parts) != rec.Shape.Tasks():
		err = fmt.Errorf("a checkpoint of %d tasks says that the job has %d (%s): %w", len(rec.Parts), rec.Shape.Tasks(), rec.Shape, state.ErrCorrupt)
	}
	return rec, err
}

// plan makes the next plan durable and executes it: all that it does not keep restarts from
// the newest complete checkpoint.
func (c *Coordinated) plan() {
	c.phase, c.outdated = planning, false
	c.adopted, c.adopts = c.adopts, false
	c.doomed = nil // what they needed is swept
	c.highest++
	c.number = c.highest
	p := &coordinator.PlanRecord{Job: c.j.Name, Nonce: c.j.Nonce, Shape: c.shape, Plan: dataflow.Plan{Number: c.number}}
	for _, r := range c.retained {
		p.Retained = append(p.Retained, r.Epoch)
	}
	p.Plan.Tasks = make([]dataflow.TaskPlan, len(c.tasks))
	if err := c.restartFrom(&p.Plan); err != nil {
		c.fail(fmt.Errorf("recovery: %w", err))
		return
	}
	if c.splits == nil {
		var err error
		if c.splits, err = c.newest.Assignment(c.j.Tasks); err != nil {
			c.fail(fmt.Errorf("recovery: %w", err))
			return
		}
		c.misdeal()
	}
	c.keepInto(&p.Plan)
	if c.number == 1 || len(c.retained) > 0 || c.j.Config.Mutant != MutantFailoverKeepsSplits {
		c.splits.Into(&p.Plan)
	}
	if c.adopted {
		keepAll(&p.Plan)
	}
	c.client.Do(state.Op{Kind: state.OpCreate, Key: coordinator.PlanKey(c.number), Data: p.Encode()}, func(r state.Result) {
		switch {
		case c.phase != planning: // the job has ended meanwhile
		case r.Status == state.OK && c.outdated:
			c.plan() // nobody has carried that one out
		case r.Status == state.OK:
			c.execute(p)
		case r.Status == state.Lost:
			c.recover() // somebody took the number: see what they did
		default:
			c.fail(coordinator.Error(coordinator.PlanKey(c.number), r))
		}
	})
}

func (c *Coordinated) execute(p *coordinator.PlanRecord) {
	c.h.Observe(trace.PlanDurable, trace.Coordinator, c.number, 0, "")
	c.phase = starting
	c.notReady, c.notLeft = len(c.tasks), 0
	c.lastIndex = 0
	for i := range c.tasks {
		if c.keeps(id.TaskID(i)) {
			c.goesOn(&c.tasks[i])
			continue
		}
		var s taskStatus
		if base := c.base(); base != nil && base.Shape.Equal(c.shape) {
			s.part = &base.Parts[i]
			s.drained = s.part.Drained
			s.left = s.part.Left
		}
		if !s.left {
			c.notLeft++
		}
		c.tasks[i] = s
	}
	c.first = false
	if c.adopted {
		c.h.Observe(trace.PlanExecuted, trace.Coordinator, c.number, p.Base(), "keep all")
		c.handOver(&p.Plan)
		return
	}
	c.h.Observe(trace.PlanExecuted, trace.Coordinator, c.number, p.Base(), c.restarting()+c.fromSaved()+c.restarts.Waited())
	c.h.Execute(&p.Plan)
	if c.phase != starting || c.number != p.Plan.Number {
		return // somebody whom it keeps did not live: the plan that is made now sweeps behind itself
	}
	c.sweepOld()
	c.letGo()
}

// letGo deletes a savepoint of the job's own as soon as there is a checkpoint to go back to.
func (c *Coordinated) letGo() {
	if c.base() == nil || len(c.beginning) == 0 || c.letting {
		return
	}
	c.letting = true
	c.dropping++
	c.beginning.LetGo(c.client, func() {
		if c.letting { // not read anew meanwhile
			c.beginning, c.letting = nil, false
		}
		c.dropped()
	})
}

// fromSaved says in a plan's text that it goes back to a savepoint.
func (c *Coordinated) fromSaved() string {
	if len(c.beginning) == 0 || c.base() != nil {
		return ""
	}
	return fmt.Sprintf(" from savepoint %s", c.beginning.Epoch())
}

// sweepOld deletes what older attempts left behind.
func (c *Coordinated) sweepOld() {
	if c.j.Config.Mutant != MutantPlansStay {
		c.dropping++
		coordinator.DropPlans(c.client, c.number, c.dropped)
	}
	c.client.Sweep(id.MakeEpoch(c.number, 0), c.garbagePrefixes(), c.isLive, nil)
}

// dropped: older plans are gone. The job may have waited for that.
func (c *Coordinated) dropped() {
	c.dropping--
	if c.phase == running && c.notLeft == 0 {
		c.finish()
	}
}

// garbagePrefixes are where a recovery or a round given up leaves something.
func (c *Coordinated) garbagePrefixes() []string {
	all := []string{coordinator.RecordPrefix, coordinator.SnapshotPrefix, coordinator.FilePrefix}
	if c.j.Config.Mutant == MutantFilesNeverListed {
		return all[:2]
	}
	return all
}

// isLive reports whether a retained or pinned checkpoint needs an object.
func (c *Coordinated) isLive(key string) bool {
	for _, set := range [...][]*coordinator.Record{c.retained, c.doomed} {
		for _, r := range set {
			if r.Stands(key) {
				return true
			}
			for i := range r.Parts {
				p := &r.Parts[i]
				if string(p.Ref) == key {
					return true
				}
				for k := range p.Files {
					if p.Files[k].Name == key {
						return true
					}
				}
			}
		}
	}
	return false
}

// Ready counts the tasks that have carried out the plan.
func (c *Coordinated) Ready(task id.TaskID, a id.Attempt) {
	if c.phase != starting || a != c.number || c.tasks[task].ready {
		return
	}
	c.tasks[task].ready, c.tasks[task].lives = true, true
	if c.notReady--; c.notReady == 0 {
		c.goOn()
	}
}

// goOn: every task has carried out the plan.
func (c *Coordinated) goOn() {
	c.phase = running
	if c.adopted {
		c.takenOver()
	}
	if c.notLeft == 0 {
		c.finish()
		return
	}
	c.schedule(c.cfg.Interval)
	c.trySave()
}

// Left notes that a task has gone; when all have, the job is done.
func (c *Coordinated) Left(task id.TaskID) {
	t := &c.tasks[task]
	if c.phase == finished || t.left {
		return
	}
	t.left = true
	c.notLeft--
	c.saving.Left(task)
	if c.notLeft == 0 && c.phase == running {
		c.finish()
	}
}

// finish cleans up and ends the job. A record under way is waited for: it would
// count for a coordinator that restarts during the clean-up, and must not be garbage then.
// So are older plans that are being deleted. One that a coordinator which was replaced
// has made since, under a number that was free again, goes now.
func (c *Coordinated) finish() {
	if c.creating || c.dropping > 0 {
		return
	}
	c.giveUpAll("the job has ended")
	c.end()
	c.doomed = nil
	if c.cfg.OnCancel == dataflow.DeleteOnCancel {
		c.leaveNothing(c.newestEpoch())
		return
	}
	end := func() {
		c.client.Sweep(^id.Epoch(0), c.garbagePrefixes(), c.isLive, func() {
			c.h.Observe(trace.JobDone, trace.Coordinator, c.number, 0, "")
			c.h.JobDone()
		})
	}
	if c.j.Config.Mutant == MutantPlansStay {
		end()
		return
	}
	coordinator.DropPlans(c.client, c.number, end)
}
