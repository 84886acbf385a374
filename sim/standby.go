package sim

import (
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Candidate campaigns for the lead in one coordinator process, and knows while it has it
// whether it still does: a party of package algorithms/lease. It gets what it has asked
// its host for, and nothing after End.
type Candidate interface {
	Start()
	Done(t id.Ticket, r state.Result)
	Timer(t id.Ticket)
	Holds() bool
	End()
}

// CandidateHost is what a candidate asks of the simulator; see lease.Host.
type CandidateHost interface {
	After(d dataflow.Nanos) id.Ticket
	Store(op state.Op) id.Ticket
	Now() int64
	Acquired()
	Expired()
}

// process is one of several coordinator processes: it campaigns, and while it leads a
// coordinator runs in it. Who leads is not for the simulator to say then, and nobody
// is declared dead: a leader that stands still is followed by who gets the lease.
type process struct {
	s         *Sim
	n         int32
	gen       uint32 // of its candidate
	candidate Candidate
	nonce     uint64
	tickets   id.Ticket
	stalled   Nanos
	leads     *coordHost // nil: it does not
}

// setCoordinators starts the coordinator, or the processes of which one becomes it.
func (s *Sim) setCoordinators() {
	s.processes, s.candidacies = nil, 0
	if s.cfg.Coordinators < 2 {
		s.push(0, classCoordinator, kindCoordStart, 0, s.coord.term(), 0)
		return
	}
	for n := range s.cfg.Coordinators {
		p := &process{s: s, n: int32(n)}
		s.processes = append(s.processes, p)
		p.campaign(0)
	}
}

// campaign has a new candidate begin at a time.
func (p *process) campaign(at Nanos) {
	p.gen++
	p.s.push(at, classCoordinator, kindCampaign, p.n, p.gen, 0)
}

// onProcess handles the events of a candidate.
func (s *Sim) onProcess(e *event) {
	p := s.processes[e.ref]
	switch {
	case p.gen != e.gen:
	case p.stalled > s.now:
		s.postpone(e, p.stalled)
	case e.kind() == kindCampaign:
		s.candidacies++
		p.nonce = s.cfg.Nonce + s.candidacies
		p.candidate = s.cfg.Candidate(p, p.nonce)
		p.candidate.Start()
	default:
		p.candidate.Timer(id.Ticket(e.arg))
	}
}

// After asks for a timer of the candidate.
func (p *process) After(d dataflow.Nanos) id.Ticket {
	p.tickets++
	p.s.push(p.s.now+max(int64(d), 0), classCoordinator, kindCandidateTimer, p.n, p.gen, uint64(p.tickets))
	return p.tickets
}

// Store issues an operation of the candidate.
func (p *process) Store(op state.Op) id.Ticket {
	p.tickets++
	issue(p.s, &p.s.stores, op, owner{kind: ofCandidate, task: p.n, inc: p.gen, ticket: p.tickets})
	return p.tickets
}

// Now is the clock of the process, which is right.
func (p *process) Now() int64 { return p.s.now }

// Acquired starts a coordinator in this process. One that still runs in another does not
// know of it.
func (p *process) Acquired() {
	s := p.s
	if s.coord.coord != nil {
		s.outrun()
	}
	p.leads, s.coord.process = s.coord, p
	s.push(s.now, classCoordinator, kindCoordStart, 0, s.coord.term(), 0)
}

// Expired ends the coordinator of this process, which campaigns anew.
func (p *process) Expired() { p.leave(p.s.now, "its lease has ended") }

// leave ends what runs in the process, which campaigns anew at a time.
func (p *process) leave(until Nanos, why string) {
	s := p.s
	p.candidate.End()
	s.orphan(ofCandidate, p.n, p.gen)
	if c := p.leads; c != nil {
		p.leads = nil
		c.die(why)
	}
	p.campaign(until)
}

// still reports whether a coordinator that is to be given something may act: it is the
// only one there is, or its lease has not ended. One that has stood still learns here
// that it has.
func (c *coordHost) still() bool {
	p := c.process
	if p == nil || p.leads != c || p.candidate.Holds() {
		return true
	}
	p.Expired()
	return false
}

// die ends an incarnation of the coordinator, be it a zombie.
func (c *coordHost) die(why string) {
	s := c.s
	s.orphan(ofCoordinator, 0, c.term())
	c.coord, c.stopped, c.tickets, c.process = nil, false, 0, nil
	if c.zombie == 0 {
		s.result.CoordinatorCrashes++
		s.observers.count(trace.Event{Kind: trace.CoordinatorCrashed, Task: trace.Coordinator, Channel: trace.NoChannel, Text: why})
		s.roster.CoordinatorLost()
		return
	}
	left := s.ghosts[:0]
	for _, g := range s.ghosts {
		if g != c {
			left = append(left, g)
		}
	}
	s.ghosts = left
	s.coord.chain = mix(s.coord.chain, c.chain, uint64(c.zombie))
}
