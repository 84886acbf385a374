package recoveryline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

type phase uint8

const (
	reading    phase = iota // storage, after a start
	delayed                 // until a restart may begin
	collecting              // positions of the survivors
	planning
	starting
	running
	finished
)

// Coordinator keeps the histories and finds recovery lines.
type Coordinator struct {
	h      dataflow.CoordHost
	j      *dataflow.JobInfo
	cfg    *dataflow.CheckpointConfig
	client *coordinator.Client

	phase    phase
	number   id.Attempt
	graph    *graph
	hist     []history
	lineages []lineage
	splits   coordinator.Assignment // of the newest plan
	// beginning is what the tasks began with, or are to, at the beginning of their histories;
	// letting: it is being deleted. Until it is gone plans name it, so that somebody ends that.
	beginning coordinator.Beginning
	letting   bool
	tasks     []taskStatus
	waiting   int // for: positions (collecting), readiness (starting)
	dropping  int // deletions of older plans under way: the end waits
	again     bool
	looking   bool // whether this coordinator still leads
	lookNext  bool // there is more to advance with when it has looked
	failures  int
	restarts  *coordinator.Restarts // says whether the job starts again
	stopping  bool                  // the plan to come is the last
	// damaged is the newest snapshot that could not be read, had the tasks that had any.
	damaged error
	had     []bool
	// unrestored are the snapshots that their tasks could not restore, by task, and why the
	// newest of them could not: what is wrong is in an object that no coordinator reads.
	unrestored [][]id.Epoch
	why        error

	saving *coordinator.Saving
	saves  uint32     // savepoints begun
	covers []id.Epoch // by task what the line must pass for a savepoint that ends the job; nil: there is none
}

type taskStatus struct {
	ready bool // its part of the newest plan is carried out
	dead  bool // failed since then
	left  bool
	asked bool // a position is awaited
}

// NewCoordinator returns a coordinator for c.
func NewCoordinator(c *dataflow.Config) *Coordinator {
	return &Coordinator{cfg: &c.Checkpoint}
}

// Start begins from storage alone.
func (c *Coordinator) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.h, c.j = h, j
	c.client = coordinator.NewClient(h)
	c.client.Mutant, c.client.Deposed = j.Config.Mutant, c.deposed
	c.saving = coordinator.NewSaving(c.client, h, j, c)
	c.restarts = coordinator.NewRestarts(&j.Config.Restart, c.client, h.Draw)
	c.graph = newGraph(j.Tasks)
	c.tasks, c.unrestored = make([]taskStatus, len(j.Tasks)), make([][]id.Epoch, len(j.Tasks))
	c.read()
}

// Done takes the outcome of a storage operation.
func (c *Coordinator) Done(t id.Ticket, r state.Result) { c.client.Done(t, r) }

// Timer takes an expiry.
func (c *Coordinator) Timer(t id.Ticket) { c.client.Timer(t) }

// failOver restarts everything, after the snapshot e, from the line that storage has.
func (c *Coordinator) failOver(e id.Epoch, cause error) {
	if c.failures = 0; c.phase == delayed {
		return // it is part of the failure whose delay runs
	}
	delay, err := c.restarts.Failed(cause)
	if err != nil {
		c.fail(err)
		return
	}
	c.h.Observe(trace.FailedOver, trace.Coordinator, c.number, e, cause.Error())
	c.restartAfter(delay, c.read)
}

// restartAfter begins a recovery after a delay. Survivors go on meanwhile.
func (c *Coordinator) restartAfter(delay dataflow.Nanos, begin func()) {
	c.saving.Interrupt()
	c.covers = nil
	c.phase = delayed
	c.restarts.After(delay, begin)
}

// deposed: another coordinator leads.
func (c *Coordinator) deposed() {
	c.end()
	c.h.Deposed()
}

// fail ends the job, if this coordinator still leads: one that was outrun misses what its
// successor has deleted.
func (c *Coordinator) fail(err error) {
	c.end()
	c.client.Confirm(func(error) { c.h.JobFailed(err) })
}

// end takes no more part in anything.
func (c *Coordinator) end() {
	c.phase = finished
	c.restarts.Stop()
	c.saving.Interrupt()
}

// reset forgets all snapshots and counts none.
func (c *Coordinator) reset() {
	c.hist = make([]history, len(c.j.Tasks))
	c.lineages = make([]lineage, len(c.j.Tasks))
	for t := range c.hist {
		c.hist[t].snaps = []coordinator.Part{initial(len(c.j.Tasks[t].Inputs), len(c.j.Tasks[t].Outputs))}
	}
}

// read rebuilds the histories from the newest plan and the snapshots that count.
func (c *Coordinator) read() {
	c.phase = reading
	c.reset()
	coordinator.ReadStorage(c.client, c.j, []string{coordinator.SnapshotPrefix}, func(p *coordinator.PlanRecord, highest id.Attempt, rows []state.Entry, err error) {
		if err == nil && p != nil && p.Over() {
			c.stayOver(p)
			return
		}
		if err == nil && p != nil && !p.Shape.Equal(coordinator.ShapeOf(c.j.Tasks)) {
			err = fmt.Errorf("the job was %s, it is %s: message logs are of its old channels, and nobody can read them for new ones: rescale from a savepoint", p.Shape, coordinator.ShapeOf(c.j.Tasks))
		}
		if err == nil && p != nil {
			c.lineages, err = decodeLineages(p.Lineage)
			if err == nil && len(c.lineages) != len(c.j.Tasks) {
				err = fmt.Errorf("a plan for %d tasks, this job has %d: the graph has changed", len(c.lineages), len(c.j.Tasks))
			}
		}
		if err == nil {
			c.splits, err = p.Assignment(c.j.Tasks)
		}
		if err != nil {
			c.fail(fmt.Errorf("recovery: %w", err))
			return
		}
		c.number, c.beginning, c.letting = highest, p.Beginning(c.j.Tasks), false
		if p == nil && c.j.From != nil {
			c.begin()
			return
		}
		c.readSnapshots(rows)
	})
}

// begin makes the first plan of a job that begins from a savepoint. Its attempts are newer than
// those of the job that wrote it, and of others that have begun from it, whose transactions stand in
// the same external store.
func (c *Coordinator) begin() {
	coordinator.ReadBeginning(c.client, c.j, func(b coordinator.Beginning, err error) {
		switch {
		case c.phase != reading: // the job has ended meanwhile
		case err != nil:
			c.fail(fmt.Errorf("begin from savepoint %q: %w", c.j.From.Root, err))
		default:
			c.beginning, c.number = b, max(c.number, b.UpTo().Attempt(), c.j.From.After)
			c.readSnapshots(nil)
		}
	})
}

func (c *Coordinator) readSnapshots(rows []state.Entry) {
	type row struct {
		task  id.TaskID
		epoch id.Epoch
		key   string
	}
	var want []row
	c.damaged, c.had = nil, make([]bool, len(c.j.Tasks))
	for t := range c.j.Tasks {
		prefix := coordinator.SnapshotPrefix + id.TaskID(t).String() + "/"
		for _, e := range rows {
			ep, ok := coordinator.EpochOfKey(e.Key)
			switch {
			case !ok || !strings.HasPrefix(e.Key, prefix) || !c.lineages[t].admits(ep):
			case slices.Contains(c.unrestored[t], ep):
				c.had[t], c.damaged = true, c.why
			default:
				want = append(want, row{id.TaskID(t), ep, e.Key})
			}
		}
	}
	left := len(want)
	if left == 0 {
		c.restartAll()
		return
	}
	for _, w := range want {
		c.client.Do(state.Op{Kind: state.OpGet, Key: w.key}, func(r state.Result) {
			if c.phase != reading {
				return
			}
			c.had[w.task] = true
			if err := c.take(w.task, w.epoch, r); err != nil {
				c.damaged = fmt.Errorf("recovery: %s: %w", w.key, err)
				if !c.cfg.Fallback {
					c.fail(fmt.Errorf("%w; the job can go on without this snapshot if checkpoint.fallback is set; output committed since the one before it may then be committed again", c.damaged))
					return
				}
				c.h.Observe(trace.FellBack, w.task, c.number, w.epoch, "")
				c.h.Observe(trace.Aborted, w.task, c.number, w.epoch, "damaged; going on without it: "+err.Error())
			}
			if left--; left == 0 {
				c.restartAll()
			}
		})
	}
}

// coveredUp refuses a line that only exists because a damaged snapshot was left
// out: a task that had snapshots would begin from nothing, though its log and
// the output that it has committed may have been let go.
func (c *Coordinator) coveredUp(l line) error {
	if c.damaged == nil {
		return nil
	}
	for t := range l {
		if c.had[t] && l[t] == 0 && c.hist[t].snaps[0].Epoch == 0 {
			return fmt.Errorf("%w; without it no recovery line is left for %s of %s", c.damaged, id.TaskID(t), c.j.Tasks[t].Name)
		}
	}
	return nil
}

// take adds the snapshot e that r holds to the history of a task, in order of epochs. A sound
// one of another task or epoch may stand in its place, as after a write that went astray.
func (c *Coordinator) take(t id.TaskID, e id.Epoch, r state.Result) error {
	if r.Status == state.NotFound {
		return nil // collected while its coordinator died: behind the line
	}
	if r.Status != state.OK {
		return coordinator.Error("read", r)
	}
	s, err := dataflow.DecodeSnapshot(r.Data)
	if err != nil {
		return err
	}
	if i := &c.j.Tasks[t]; s.Epoch != e || s.Task != i.Name || s.Index != i.Index {
		return fmt.Errorf("what stands there is snapshot %s of %s[%d]: %w", s.Epoch, s.Task, s.Index, state.ErrCorrupt)
	}
	if len(s.Delivered) != len(c.j.Tasks[t].Inputs) || len(s.Sealed) != len(c.j.Tasks[t].Outputs) {
		return fmt.Errorf("a snapshot of another graph")
	}
	c.insert(t, coordinator.PartOf(&dataflow.Stored{
		Ref: dataflow.SnapshotKey(t, s.Epoch), Size: int64(len(r.Data)), Header: s.Header, Files: s.Handle.Files, State: s.Handle.Bytes,
	}))
	return nil
}

func (c *Coordinator) insert(t id.TaskID, p coordinator.Part) {
	h := &c.hist[t]
	i := len(h.snaps)
	for i > 0 && h.snaps[i-1].Epoch >= p.Epoch {
		if h.snaps[i-1].Epoch == p.Epoch {
			return
		}
		i--
	}
	h.snaps = append(h.snaps, coordinator.Part{})
	copy(h.snaps[i+1:], h.snaps[i:])
	h.snaps[i] = p
}

// restartAll recovers from a total failure.
func (c *Coordinator) restartAll() {
	for t := range c.tasks {
		c.tasks[t] = taskStatus{dead: true}
		c.hist[t].live = nil
	}
	c.plan()
}

// Failed recovers from the failure of some tasks; survivors are kept if they
// stand on the recovery line.
func (c *Coordinator) Failed(tasks []id.TaskID, cause error) {
	if c.phase == finished || c.phase == reading {
		return
	}
	damaged := cause != nil && coordinator.Unreadable(cause)
	if damaged && c.atBeginning(tasks) {
		c.fail(fmt.Errorf("begin from savepoint %q: %w", c.beginning[0].Root, cause))
		return
	}
	if damaged && logLost(cause) {
		c.fail(c.withoutLog(cause))
		return
	}
	if damaged && !c.cfg.Fallback {
		c.fail(fmt.Errorf("%w; the job can go on without a damaged snapshot if checkpoint.fallback is set; output committed since the one before it may then be committed again", cause))
		return
	}
	var delay dataflow.Nanos
	if c.phase != delayed || damaged { // else it is part of the failure whose delay runs
		var err error
		if delay, err = c.restarts.Failed(cause); err != nil {
			c.fail(err)
			return
		}
	}
	if damaged {
		c.passOver(tasks, cause)
		c.restartAfter(delay, c.read)
		return
	}
	for _, t := range tasks {
		c.tasks[t].dead = true
		c.hist[t].live = nil
		if c.tasks[t].asked {
			c.tasks[t].asked = false
			c.waiting--
		}
	}
	switch c.phase {
	case delayed:
	case planning:
		c.again = true
	case collecting:
		c.tryPlan()
	default:
		for t := range c.tasks { // a task that is not ready now cannot be kept, however long the delay
			c.tasks[t].dead = c.tasks[t].dead || !c.tasks[t].ready
		}
		c.restartAfter(delay, c.collect)
	}
}

// atBeginning reports that one of tasks could not restore what a savepoint has of it: nothing is
// older.
func (c *Coordinator) atBeginning(tasks []id.TaskID) bool {
	return len(c.beginning) > 0 && c.phase == starting && slices.ContainsFunc(tasks, func(t id.TaskID) bool {
		s := c.hist[t].snaps
		return !c.tasks[t].ready && s[len(s)-1].Epoch == 0
	})
}

// passOver leaves out, from now on, the snapshots that tasks could not restore. It is
// what the newest plan has them restart from.
func (c *Coordinator) passOver(tasks []id.TaskID, cause error) {
	for _, t := range tasks {
		h := &c.hist[t]
		e := h.snaps[len(h.snaps)-1].Epoch
		if c.phase != starting || c.tasks[t].ready || e == 0 || slices.Contains(c.unrestored[t], e) {
			continue
		}
		c.unrestored[t], c.why = append(c.unrestored[t], e), fmt.Errorf("recovery: %w", cause)
		c.h.Observe(trace.FellBack, t, c.number, e, "")
		c.h.Observe(trace.Aborted, t, c.number, e, "damaged; going on without it: "+cause.Error())
	}
}

// logLost reports that a message log cannot be read: no older snapshot needs less of it.
func logLost(cause error) bool {
	var op *state.OpError
	return errors.As(cause, &op) && op.Kind == state.OpReadLog
}

// withoutLog says why the job ends: where a damaged snapshot was left out it is that, as the logs
// were let go for its sake, and what is left of older ones needs them.
func (c *Coordinator) withoutLog(cause error) error {
	if c.damaged == nil {
		return fmt.Errorf("%w; a log stands in storage once, and no older snapshot needs less of it", cause)
	}
	return fmt.Errorf("%w; without it the job would go back behind its recovery line, where logs are let go: %w", c.damaged, cause)
}

// collect asks the survivors where they stand. A task that has not carried out
// its part of the last plan cannot be kept.
func (c *Coordinator) collect() {
	c.phase = collecting
	c.waiting = 0
	m := (&coordinator.Message{Kind: Pause}).Encode()
	for t := range c.tasks {
		s := &c.tasks[t]
		s.asked = false
		c.hist[t].live = nil
		switch {
		case s.dead || !s.ready:
			s.dead = true
		case s.left:
			c.standsAtEnd(id.TaskID(t))
		default:
			s.asked = true
			c.waiting++
			c.h.Tell(id.TaskID(t), m)
		}
	}
	c.tryPlan()
}

// standsAtEnd takes the final snapshot of a task that has left for its live end.
func (c *Coordinator) standsAtEnd(t id.TaskID) {
	h := &c.hist[t]
	p := h.snaps[len(h.snaps)-1]
	h.live = &p
}

func (c *Coordinator) tryPlan() {
	if c.phase == collecting && c.waiting == 0 {
		c.plan()
	}
}

// Message from a task.
func (c *Coordinator) Message(from id.TaskID, data []byte) {
	if c.saving.Message(from, data) {
		return
	}
	m, part, err := coordinator.DecodeMessage(data)
	if err != nil {
		c.fail(err)
		return
	}
	if c.phase == finished || c.phase == reading {
		return
	}
	switch m.Kind {
	case coordinator.Ack:
		if !c.lineages[from].admits(m.Epoch) {
			return // rolled back meanwhile
		}
		c.failures = 0
		c.insert(from, part)
		c.h.Observe(trace.Acked, from, m.Epoch.Attempt(), m.Epoch, "")
		if c.phase == running {
			c.advance()
		}
	case coordinator.Decline:
		if m.Epoch == 0 { // a log: without it no snapshot will ever be visible again
			c.fail(fmt.Errorf("%s of %s: %s", c.j.Tasks[from].Name, from, m.Text))
			return
		}
		c.h.Observe(trace.Declined, from, c.number, m.Epoch, m.Text)
		c.hist[from].declined = max(c.hist[from].declined, m.Epoch)
		if c.failures++; c.cfg.Tolerated >= 0 && c.failures > c.cfg.Tolerated {
			c.failOver(m.Epoch, fmt.Errorf("snapshot %s of %s failed: %s", m.Epoch, c.j.Tasks[from].Name, m.Text))
		}
	case Position:
		if s := &c.tasks[from]; s.asked {
			s.asked = false
			part.Drained = false
			c.hist[from].live = &part
			c.waiting--
			c.tryPlan()
		}
	default: // goes the other way, or means nothing here
	}
}

// plan finds the recovery line, makes it durable and executes it.
func (c *Coordinator) plan() {
	if c.stopping {
		c.leaveNothing(0)
		return
	}
	c.phase, c.again = planning, false
	c.number++
	l := make(line, len(c.hist))
	for t := range l {
		l[t] = len(c.hist[t].snaps) - 1
		if c.hist[t].live != nil {
			l[t]++
		}
	}
	useless, err := c.graph.recoveryLine(c.hist, l)
	if err != nil {
		c.fail(err)
		return
	}
	if err := c.coveredUp(l); err != nil {
		c.fail(err)
		return
	}
	p := &coordinator.PlanRecord{Job: c.j.Name, Nonce: c.j.Nonce, Shape: coordinator.ShapeOf(c.j.Tasks), Plan: dataflow.Plan{Number: c.number}}
	next := make([]lineage, len(c.lineages))
	base := make([]id.Epoch, len(l)) // of the tasks that restart: acknowledgements still come in
	for t := range l {
		tp, cut := c.taskPlan(id.TaskID(t), l)
		p.Plan.Tasks = append(p.Plan.Tasks, tp)
		next[t] = c.lineages[t]
		if cut {
			base[t] = c.hist[t].snaps[l[t]].Epoch
			next[t] = next[t].cut(base[t], c.number)
		}
	}
	p.Lineage = encodeLineages(next)
	c.splits.Into(&p.Plan)
	c.beginAgain(&p.Plan)
	c.client.Do(state.Op{Kind: state.OpCreate, Key: coordinator.PlanKey(c.number), Data: p.Encode()}, func(r state.Result) {
		switch {
		case c.phase != planning: // the job has failed meanwhile
		case r.Status == state.Lost:
			c.read() // somebody took the number: see what they did
		case r.Status != state.OK:
			c.fail(coordinator.Error(coordinator.PlanKey(c.number), r))
		case c.again:
			c.plan() // a task that was to be kept has failed meanwhile
		default:
			c.execute(p, base, next, useless)
		}
	})
}

// beginAgain says in a plan what the tasks begin with that go back to the beginning. It
// stands there for the others too: a later plan may have them go back so far.
func (c *Coordinator) beginAgain(p *dataflow.Plan) {
	c.beginning.Into(p)
	began := false
	for t := range c.beginning {
		if tp := &p.Tasks[t]; tp.Mode == dataflow.Restart && tp.Ref == "" {
			tp.Stable, began = c.beginning.UpTo(), true
		}
	}
	if began {
		coordinator.Vanish(id.TaskID(c.beginning.Names()), c.j.Tasks, p)
	}
}

// taskPlan says what happens to a task on line l; cut: it restarts.
func (c *Coordinator) taskPlan(t id.TaskID, l line) (p dataflow.TaskPlan, cut bool) {
	h := &c.hist[t]
	at := point(h, l[t])
	cut = l[t] < len(h.snaps)
	p.Mode = dataflow.Keep
	if cut {
		p.Mode, p.Ref = dataflow.Restart, at.Ref
		p.Left = c.tasks[t].left && at.Drained
		p.Stable = h.snaps[h.stable].Epoch
		if !c.anyLive() || c.j.Config.Mutant == MutantRestoredIsStable {
			p.Stable = at.Epoch // after a total failure the line is stable
		}
	}
	for i, from := range c.graph.inputs[t] {
		senderRestarts := l[from.task] < len(c.hist[from.task].snaps)
		if !cut && !senderRestarts || p.Left {
			continue // that connection stays as it is
		}
		sent := point(&c.hist[from.task], l[from.task]).Sealed[from.index]
		if sent > at.Delivered[i] {
			p.Inject = append(p.Inject, dataflow.LogRange{In: i, Log: c.graph.logs[t][i], From: at.Delivered[i], To: sent})
		}
	}
	return p, cut
}

func (c *Coordinator) anyLive() bool {
	for t := range c.hist {
		if c.hist[t].live != nil {
			return true
		}
	}
	return false
}

func (c *Coordinator) execute(p *coordinator.PlanRecord, base []id.Epoch, next []lineage, useless int) {
	c.h.Observe(trace.PlanDurable, trace.Coordinator, c.number, 0, "")
	c.phase = starting
	c.waiting = len(c.tasks)
	for t := range p.Plan.Tasks {
		// After a total failure the restored snapshots are the line.
		tp, h := &p.Plan.Tasks[t], &c.hist[t]
		if tp.Mode != dataflow.Restart || tp.Stable != base[t] || tp.Stable == 0 {
			continue
		}
		h.passed = tp.Stable
		if h.snaps[h.stable].Epoch < tp.Stable {
			c.h.Observe(trace.LineAdvanced, id.TaskID(t), c.number, tp.Stable, "")
		}
	}
	kept := 0
	for t := range c.tasks {
		h := &c.hist[t]
		if p.Plan.Tasks[t].Mode == dataflow.Restart { // a kept task's snapshots count, also those that came since the line was found
			h.snaps = h.snaps[:h.upTo(base[t])] // the others are swept
		} else {
			kept++
		}
		h.live = nil
		left := p.Plan.Tasks[t].Left || p.Plan.Tasks[t].Mode == dataflow.Keep && c.tasks[t].left
		c.tasks[t] = taskStatus{left: left}
	}
	c.lineages = next
	c.h.Observe(trace.PlanExecuted, trace.Coordinator, c.number, 0, fmt.Sprintf("kept %d of %d, useless snapshots %d", kept, len(c.tasks), useless)+c.restarts.Waited())
	c.h.Execute(&p.Plan)
	c.dropping++
	coordinator.DropPlans(c.client, c.number, func() {
		c.dropping--
		c.tryFinish()
	})
	c.sweep()
}

// Ready counts the tasks that have carried out the plan.
func (c *Coordinator) Ready(t id.TaskID, a id.Attempt) {
	if a != c.number || c.tasks[t].ready || c.tasks[t].dead {
		return
	}
	c.tasks[t].ready = true
	if c.phase != starting {
		return
	}
	if c.waiting--; c.waiting == 0 {
		c.phase = running
		c.advance()
		c.tryFinish()
		c.trySave()
	}
}

// Left notes that a task has gone.
func (c *Coordinator) Left(t id.TaskID) {
	s := &c.tasks[t]
	if s.left || c.phase == finished || c.phase == reading {
		return
	}
	s.left = true
	c.saving.Left(t)
	c.tryCovered()
	if s.asked { // it will not answer any more
		s.asked = false
		c.standsAtEnd(t)
		c.waiting--
		c.tryPlan()
	}
	c.tryFinish()
}

func (c *Coordinator) tryFinish() {
	if c.phase != running || c.dropping > 0 {
		return
	}
	for t := range c.tasks {
		if !c.tasks[t].left {
			return
		}
	}
	c.end()
	c.cleanUp()
}
