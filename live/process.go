package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/state"
	"weir/trace"
)

// process is one of the coordinator processes of a job. One that is alone leads. Of several
// each campaigns for itself, and a coordinator runs in the one that has the lease: who
// leads is not for the driver to say, and tasks go on while nobody does. All of them
// are stepped by the control loop.
type process struct {
	c         *control
	n         int
	candidacy *candidacy // nil: it is the only process, or lost
	seat      *seat      // nil: it does not lead
	until     int64      // it stands still before that
	held      []func()   // what has come for it meanwhile
	lost      bool       // it campaigns anew when another one leads
}

// seat is a coordinator that runs, as its host. It may have been outrun without knowing:
// then tasks do not hear it.
type seat struct {
	p       *process
	coord   dataflow.Coordinator
	tickets id.Ticket
	over    bool // it hears of nothing any more
	stopped bool // it says that it has ended the job, before its input
}

// candidacy is a candidate's host.
type candidacy struct {
	p         *process
	candidate dataflow.Candidate
	nonce     uint64
	tickets   id.Ticket
	over      bool
}

// begin starts the coordinator, or the processes of which one becomes it.
func (c *control) begin() {
	n := max(1, c.j.cfg.Coordinators)
	for i := range n {
		c.processes = append(c.processes, &process{c: c, n: i})
	}
	if n == 1 {
		c.processes[0].lead(c.j.nonce, "")
		return
	}
	for _, p := range c.processes {
		p.campaign()
	}
}

// campaign has a new candidate begin.
func (p *process) campaign() {
	p.lost = false
	x := &candidacy{p: p, nonce: nonce()}
	x.candidate = p.c.j.cfg.Candidate(x, x.nonce)
	p.candidacy = x
	x.candidate.Start()
}

// lead starts a coordinator in the process. One that still runs in another does not know of it.
func (p *process) lead(nonce uint64, where string) {
	c := p.c
	if c.seat != nil {
		c.roster.CoordinatorLost()
		c.observe(trace.CoordinatorCrashed, trace.Coordinator, 0, 0, "another one leads")
	}
	job := c.leg.job
	s := &seat{p: p, coord: job.Algorithm.NewCoordinator(&job.Config)}
	p.seat, c.seat = s, s
	c.observe(trace.CoordinatorStarted, trace.Coordinator, 0, 0, where)
	s.coord.Start(s, &dataflow.JobInfo{Name: job.Name, Tasks: c.leg.info, Config: &job.Config, From: job.From, Nonce: nonce, Adopt: len(c.processes) > 1 && c.roster.Runs()})
	if c.stopping || c.changes.stage == stopping {
		c.askToStop()
		return
	}
	c.askToSaveAgain()
}

// leave ends what runs in the process.
func (p *process) leave(why string) {
	if x := p.candidacy; x != nil {
		x.over = true
		x.candidate.End()
		p.candidacy = nil
	}
	s := p.seat
	if s == nil {
		return
	}
	s.over = true
	if p.seat = nil; p.c.seat != s {
		return
	}
	p.c.seat = nil
	p.c.roster.CoordinatorLost()
	p.c.observe(trace.CoordinatorCrashed, trace.Coordinator, 0, 0, why)
}

// still keeps f for later if the process stands still, or has not yet heard what came while it
// did, and reports whether it keeps it: nothing overtakes what is held.
func (p *process) still(f func()) bool {
	if p.until <= p.c.j.clock.now() && len(p.held) == 0 {
		return false
	}
	p.held = append(p.held, f)
	return true
}

// wake lets a process that has stood still hear of what has come meanwhile.
func (p *process) wake() {
	held := p.held
	p.held = nil
	for _, f := range held {
		if p.c.ended {
			return
		}
		f()
	}
}

// killLeader takes the process that leads down; it comes back when another one leads.
func (c *control) killLeader() error {
	switch {
	case len(c.processes) < 2:
		return errors.New("live: the coordinator has no standby: give Config.Coordinators")
	case c.seat == nil:
		return errors.New("live: nobody leads at the moment")
	}
	p := c.seat.p
	p.leave("it is killed")
	p.lost, p.held, p.until = true, nil, 0
	return nil
}

// pauseLeader has the process that leads stand still.
func (c *control) pauseLeader(d dataflow.Nanos) error {
	if c.seat == nil {
		return errors.New("live: nobody leads at the moment")
	}
	p := c.seat.p
	p.until = c.j.clock.now() + int64(d)
	c.alarm.call(d, p.wake)
	return nil
}

// --- the candidate's host ---

// hear has the candidate hear of something, unless its candidacy is over.
func (x *candidacy) hear(f func()) {
	if !x.over && !x.p.still(func() { x.hear(f) }) {
		f()
	}
}

// After implements dataflow.CandidateHost.
func (x *candidacy) After(d dataflow.Nanos) id.Ticket {
	x.tickets++
	t := x.tickets
	x.p.c.alarm.call(d, func() { x.hear(func() { x.candidate.Timer(t) }) })
	return t
}

// Store implements dataflow.CandidateHost.
func (x *candidacy) Store(op state.Op) id.Ticket {
	x.tickets++
	t := x.tickets
	x.p.c.store(op, func(r state.Result) { x.hear(func() { x.candidate.Done(t, r) }) })
	return t
}

// Now implements dataflow.CandidateHost.
func (x *candidacy) Now() int64 { return x.p.c.j.clock.now() }

// Acquired implements dataflow.CandidateHost.
func (x *candidacy) Acquired() {
	c := x.p.c
	for _, p := range c.processes {
		if p.lost {
			p.campaign()
		}
	}
	where := fmt.Sprintf("in process %d", x.p.n)
	if led := c.led; led != nil && led != x.p {
		c.failovers++
		where += fmt.Sprintf(", after process %d", led.n)
	}
	c.led = x.p
	x.p.lead(x.nonce, where)
}

// Expired implements dataflow.CandidateHost.
func (x *candidacy) Expired() {
	x.p.leave("its lease has ended")
	x.p.campaign()
}

// --- the coordinator's host ---

// hear has the coordinator hear of something, if there is one, unless it has ended. One
// that has stood still may learn here that its lease has.
func (s *seat) hear(f func()) {
	if s == nil || s.over || s.p.still(func() { s.hear(f) }) {
		return
	}
	if x := s.p.candidacy; x != nil && !x.candidate.Holds() {
		x.Expired()
		return
	}
	f()
}

// heard reports whether tasks listen to the coordinator.
func (s *seat) heard() bool { return s.p.c.seat == s }

// Tell implements dataflow.CoordHost.
func (s *seat) Tell(to id.TaskID, data []byte) {
	c := s.p.c
	if s.heard() && c.roster.Phase(to) == roster.Alive {
		c.tell(to, &dataflow.Event{Kind: dataflow.EvMessage, Data: bytes.Clone(data)})
	}
}

// After implements dataflow.CoordHost.
func (s *seat) After(d dataflow.Nanos) id.Ticket {
	s.tickets++
	t := s.tickets
	s.p.c.alarm.call(d, func() { s.hear(func() { s.coord.Timer(t) }) })
	return t
}

// Store implements dataflow.CoordHost.
func (s *seat) Store(op state.Op) id.Ticket {
	s.tickets++
	t := s.tickets
	s.p.c.store(op, func(r state.Result) { s.hear(func() { s.coord.Done(t, r) }) })
	return t
}

// Execute implements dataflow.CoordHost.
func (s *seat) Execute(p *dataflow.Plan) {
	if s.heard() {
		s.p.c.execute(p)
	}
}

// JobDone implements dataflow.CoordHost.
func (s *seat) JobDone() {
	if s.heard() {
		s.p.c.stopped(s)
	}
}

// JobFailed implements dataflow.CoordHost.
func (s *seat) JobFailed(err error) {
	if s.heard() {
		s.p.c.end(err)
	}
}

// errDeposed: another process runs this job over the same checkpoint storage.
var errDeposed = errors.New("live: another process has taken the lead of this job in its checkpoint storage; this one has stopped")

// Deposed implements dataflow.CoordHost.
func (s *seat) Deposed() {
	if len(s.p.c.processes) == 1 {
		s.p.c.end(errDeposed)
		return
	}
	s.p.leave("another one leads")
	s.p.campaign()
}

// Draw implements dataflow.CoordHost.
func (s *seat) Draw(int) int { return 0 }

// Observe implements dataflow.CoordHost.
func (s *seat) Observe(k trace.Kind, t id.TaskID, a id.Attempt, e id.Epoch, text string) {
	if s.heard() {
		s.stopped = s.stopped || k == trace.Stopped
		s.p.c.cut.note(k, t, e)
		s.p.c.noteSave(k, t, e, text)
		s.p.c.noteChange(k)
		s.p.c.observe(k, t, a, e, text)
	}
}

// --- what somebody does with the processes ---

// KillCoordinator takes the coordinator process that leads down, of several; it comes back
// when another one leads. It returns when it is down.
func (j *Job) KillCoordinator() error {
	return j.request(context.Background(), report{kind: repKillLeader})
}

// PauseCoordinator has the coordinator process that leads stand still for a time. It
// returns when it does.
func (j *Job) PauseCoordinator(d time.Duration) error {
	return j.request(context.Background(), report{kind: repPauseLeader, pause: dataflow.Nanos(d)})
}
