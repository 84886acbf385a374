package sim

import (
	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/sim/seed"
	"weir/state"
	"weir/trace"
)

// coordHost is the coordinator through all its incarnations, and the CoordHost
// of the one that runs.
type coordHost struct {
	s       *Sim
	coord   dataflow.Coordinator // nil: none runs
	job     dataflow.JobInfo
	tickets id.Ticket
	chain   uint64
	stalled Nanos
	stopped bool // the incarnation that runs has ended the job before its end
	random  *seed.Stream
	zombie  uint32   // its incarnation, if it was taken for dead and goes on; else 0
	process *process // in which it leads, of several; nil: it is the only one
}

func (c *coordHost) reset() {
	*c = coordHost{s: c.s}
	job := c.s.cfg.Job
	c.job = dataflow.JobInfo{Name: job.Name, Tasks: c.s.infos, Config: &job.Config, From: job.From}
}

// term is the number of the incarnation, from 1.
func (c *coordHost) term() uint32 {
	if c.zombie != 0 {
		return c.zombie
	}
	return uint32(c.s.roster.Term())
}

func (c *coordHost) mix(a, b uint64) {
	if c.s.cfg.Job.Config.HashContents {
		c.chain = mix(c.chain, a, b)
	}
}

func (c *coordHost) mixBytes(a uint64, data []byte) {
	if c.s.cfg.Job.Config.HashContents {
		c.chain = mix(c.chain, a, sum(data))
	}
}

// on handles an event of the coordinator.
func (c *coordHost) on(e *event) {
	if c.stalled > c.s.now {
		c.s.postpone(e, c.stalled)
		return
	}
	if e.kind() != kindCoordStart && !c.still() {
		return
	}
	switch e.kind() {
	case kindTakeDown:
		if c.coord != nil && c.term() == e.gen && c.zombie == 0 {
			c.takeDown()
		}
	case kindCoordStart:
		if c.term() == e.gen && c.coord == nil {
			c.start()
		}
	case kindToCoord:
		data := c.s.parcels.take(int32(e.arg >> 32))
		if c.hears(e) || c.heard(e) {
			c.s.steps++
			c.mixBytes(uint64(e.ref), data)
			c.coord.Message(id.TaskID(e.ref), data)
		}
	case kindReady:
		if c.hears(e) {
			c.s.steps++
			c.mix(uint64(e.ref), e.arg)
			c.coord.Ready(id.TaskID(e.ref), id.Attempt(e.arg>>32))
		}
	case kindLeft:
		if c.hears(e) {
			c.s.steps++
			c.mix(uint64(e.ref), e.arg)
			c.coord.Left(id.TaskID(e.ref))
		}
	case kindCoordTimer:
		if c.coord != nil && c.term() == e.gen {
			c.s.steps++
			c.mix(uint64(kindCoordTimer), e.arg)
			c.coord.Timer(id.Ticket(e.arg))
		}
	}
}

// hears reports whether what a task sent still counts.
func (c *coordHost) hears(e *event) bool {
	if c.coord == nil || c.zombie != 0 || roster.Term(uint32(e.arg)) != c.s.roster.Term() { // of another leg its task may be none of this one
		return false
	}
	if t := c.s.host(e.ref, e.gen); t != nil && t.doubt.mute {
		return false
	}
	return c.s.roster.Hears(id.TaskID(e.ref), roster.Incarnation(e.gen), roster.Term(e.arg))
}

// toTerm is the argument of an event for the coordinator that runs now.
func (s *Sim) toTerm(v uint32) uint64 { return uint64(v)<<32 | uint64(s.roster.Term()) }

func (c *coordHost) start() {
	s := c.s
	c.job.Nonce = s.cfg.Nonce + uint64(c.term())
	if c.process != nil {
		c.job.Nonce, c.job.Adopt = c.process.nonce, s.roster.Runs()
	}
	c.coord = s.cfg.Job.Algorithm.NewCoordinator(&s.cfg.Job.Config)
	s.observers.count(trace.Event{Kind: trace.CoordinatorStarted, Task: trace.Coordinator, Channel: trace.NoChannel, To: c.process.rivals(), Text: c.process.where()})
	s.steps++
	c.mix(uint64(kindCoordStart), uint64(c.term()))
	c.coord.Start(c, &c.job)
	if st := s.operating.stage; st == stopping || st == saving {
		s.ask()
	}
}

// crash ends the incarnation and has another one started, or its process campaign
// anew, while another one may get the lease. One that is gone stays gone: false.
func (c *coordHost) crash() bool {
	s := c.s
	if c.coord == nil {
		return false
	}
	if c.process != nil {
		c.process.leave(s.now+s.delay(s.cfg.Model.CoordinatorRestart, FaultDelay, 0), "")
		return true
	}
	c.die("")
	s.push(s.now+s.delay(s.cfg.Model.CoordinatorRestart, FaultDelay, 0), classCoordinator, kindCoordStart, 0, c.term(), 0)
	return true
}

// stop asks the coordinator to end the job; false: there is none, or it cannot.
func (c *coordHost) stop() bool {
	who, ok := c.coord.(interface{ Stop() })
	if ok {
		c.s.steps++
		c.mix(uint64(kindTakeDown), uint64(c.term()))
		who.Stop()
	}
	return ok
}

// ask asks the coordinator for an operation; false: it cannot.
func (c *coordHost) ask(k faults.Kind) bool {
	if k.ChangesJob() {
		return c.stop()
	}
	who, ok := c.coord.(interface{ Savepoint(last bool) })
	if ok {
		c.s.steps++
		c.mix(uint64(kindOperate), uint64(c.term()))
		who.Savepoint(k == faults.StopSaved)
	}
	return ok
}

// takeDown is what becomes of a job that was stopped: its processes end, and
// somebody starts it again, as it was or as another one. That is no crash of anybody, though
// those who watch see their processes end like in one.
func (c *coordHost) takeDown() {
	if c.s.operating.stage == stopping {
		if c.s.endsSaved() {
			return
		}
		if c.s.operating.due[0].Kind.ChangesJob() {
			c.s.change()
			return
		}
		c.s.next()
	}
	r := &c.s.result
	workers, coordinators := r.Crashes, r.CoordinatorCrashes
	for n := range c.s.workers {
		c.s.crashWorker(n)
	}
	c.crash()
	r.Crashes, r.CoordinatorCrashes = workers, coordinators
}

func (c *coordHost) failed(tasks []id.TaskID, cause error) {
	if c.coord == nil || !c.still() {
		return
	}
	c.s.steps++
	for _, t := range tasks {
		c.mix(uint64(kindFailSeen), uint64(t))
	}
	c.coord.Failed(tasks, cause)
}

func (c *coordHost) done(k id.Ticket, r state.Result) {
	c.s.steps++
	c.mix(uint64(k), uint64(r.Status))
	c.mixBytes(uint64(len(r.List)), r.Data)
	c.coord.Done(k, r)
}

// Tell sends to the incarnation that the task has now.
func (c *coordHost) Tell(to id.TaskID, data []byte) {
	s := c.s
	c.mixBytes(uint64(to)|1<<32, data)
	if c.zombie != 0 { // tasks listen to its successor alone
		return
	}
	t := s.tasks[to]
	at := s.now + s.delay(s.cfg.Model.Message, MessageDelay, int(to))
	late, again := s.hitMessage(t.worker, faults.Down)
	s.push(at+late, classTask, kindToTask, int32(to), t.inc(), uint64(s.parcels.put(data)))
	if again {
		s.push(at+late+s.cfg.Model.Message.Base, classTask, kindToTask, int32(to), t.inc(), uint64(s.parcels.put(data)))
	}
}

// After asks for Timer after d.
func (c *coordHost) After(d dataflow.Nanos) id.Ticket {
	c.tickets++
	c.s.push(c.s.now+max(int64(d), 0), classCoordinator, kindCoordTimer, 0, c.term(), uint64(c.tickets))
	return c.tickets
}

// Store issues a storage operation.
func (c *coordHost) Store(op state.Op) id.Ticket {
	c.tickets++
	c.mix(uint64(op.Kind)<<32, uint64(c.tickets))
	issue(c.s, &c.s.stores, op, owner{kind: ofCoordinator, inc: c.term(), ticket: c.tickets})
	return c.tickets
}

// Execute carries a plan out before it returns.
func (c *coordHost) Execute(p *dataflow.Plan) {
	c.mix(uint64(p.Number), uint64(len(p.Tasks)))
	if c.zombie == 0 {
		c.s.execute(p)
	}
}

// JobDone ends the run, or the job that was stopped: somebody starts it again, unless it has
// left nothing to go on from.
func (c *coordHost) JobDone() {
	switch {
	case c.zombie != 0:
	case c.stopped && c.s.cfg.Job.Config.Checkpoint.OnCancel == dataflow.DeleteOnCancel:
		c.s.result.Cancelled = true
		c.s.stop(Done, nil)
	case c.stopped:
		c.s.push(c.s.now, classCoordinator, kindTakeDown, 0, c.term(), 0)
	default:
		c.s.stop(Done, nil)
	}
}

// JobFailed ends the run with an error.
func (c *coordHost) JobFailed(err error) {
	if s := c.s; c.zombie == 0 {
		s.result.Destroyed = append(s.result.Destroyed, s.relied.lost(s.result.Destroyed)...)
		s.stop(Failed, err)
	}
}

// Deposed ends a coordinator that another one has outrun, and starts it again, unless
// it has been replaced already.
func (c *coordHost) Deposed() {
	if c.zombie == 0 {
		c.crash()
	}
}

// Draw makes a choice below n.
func (c *coordHost) Draw(n int) int {
	if c.s.quiet {
		return 0
	}
	if c.random == nil {
		c.random = c.s.seeds.Stream(coordinatorStream)
	}
	return c.random.Draw(n)
}

// Observe reports an event of the coordinator.
func (c *coordHost) Observe(k dataflow.TraceKind, t id.TaskID, a id.Attempt, e id.Epoch, text string) {
	if c.zombie != 0 { // nobody hears of it
		return
	}
	c.stopped = c.stopped || k == trace.Stopped
	if k == trace.LineAdvanced {
		c.s.relied.advanced(t, e)
	}
	c.s.observers.count(trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, Attempt: a, Epoch: e, Text: text})
	if k == trace.Saved {
		c.s.operating.saved = e
	}
	if k == trace.Saved || k == trace.Declined && t == trace.Coordinator {
		c.s.saved(k == trace.Declined, text)
	}
}
