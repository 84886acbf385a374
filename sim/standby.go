package sim

import (
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// process is one of several coordinator processes: it campaigns, and while it leads a
// coordinator runs in it. Who leads is not for the simulator to say then, and nobody
// is declared dead: a leader that stands still is followed by who gets the lease.
// Processes outlive the legs of a run: the one that leads campaigns anew behind a change.
type process struct {
	s         *Sim
	n         int32
	gen       uint32 // of its candidate
	candidate dataflow.Candidate
	nonce     uint64
	tickets   id.Ticket
	stalled   Nanos
	lost      bool       // it comes back when another one leads
	leads     *coordHost // nil: it does not
	others    uint64     // that held their lease still when it took the lead
	after     *process   // that led before it, when it took the lead; nil: none did, or itself
	clock     clock
}

// setCoordinators starts the coordinator, or the processes of which one becomes it.
func (s *Sim) setCoordinators() {
	s.processes, s.candidacies, s.led = nil, 0, nil
	if s.cfg.Coordinators < 2 {
		s.push(0, classCoordinator, kindCoordStart, 0, s.coord.term(), 0)
		return
	}
	for n := range s.cfg.Coordinators {
		p := &process{s: s, n: int32(n), clock: clock{pace: s.drawPace(n)}}
		s.processes = append(s.processes, p)
		p.campaign(0)
	}
}

// drawPace draws how wrong the clock of a coordinator process is: right, as fast or as slow
// as it may be, or in between.
func (s *Sim) drawPace(n int) int64 {
	most := s.cfg.ClockError
	if s.quiet || most == 0 {
		return 0
	}
	d := s.seeds.Stream(clockStream, uint64(n))
	sort, between := d.Draw(4), int64(d.Draw(2*most+1))
	return [...]int64{0, int64(most), -int64(most), between - int64(most)}[sort]
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

// After asks for a timer of the candidate, which counts by the clock of the process.
func (p *process) After(d dataflow.Nanos) id.Ticket {
	p.tickets++
	p.s.push(p.s.now+p.clock.takes(max(int64(d), 0)), classCoordinator, kindCandidateTimer, p.n, p.gen, uint64(p.tickets))
	return p.tickets
}

// Store issues an operation of the candidate.
func (p *process) Store(op state.Op) id.Ticket {
	p.tickets++
	issue(p.s, &p.s.stores, op, owner{kind: ofCandidate, task: p.n, inc: p.gen, ticket: p.tickets})
	return p.tickets
}

// Now is the clock of the process.
func (p *process) Now() int64 { return p.clock.at(p.s.now) }

// Acquired starts a coordinator in this process. One that still runs in another does not
// know of it.
func (p *process) Acquired() {
	s := p.s
	p.others = 0
	for _, q := range s.processes {
		if q != p && q.leads != nil && q.candidate.Holds() {
			s.result.Rivals++
			p.others++
		}
		if q.lost {
			q.lost = false
			q.campaign(s.now + s.delay(s.cfg.Model.CoordinatorRestart, FaultDelay, 0))
		}
	}
	if s.coord.coord != nil {
		s.outrun()
	}
	p.after = nil
	if s.led != nil && s.led != p {
		p.after = s.led
		s.result.Failovers++
	}
	s.led, p.leads, s.coord.process = p, s.coord, p
	s.push(s.now, classCoordinator, kindCoordStart, 0, s.coord.term(), 0)
}

// rivals is how many others held their lease still when this one took the lead.
func (p *process) rivals() uint64 {
	if p == nil {
		return 0
	}
	return p.others
}

// where says in which process a coordinator starts; "" if there is only one.
func (p *process) where() string {
	switch {
	case p == nil:
		return ""
	case p.after == nil:
		return fmt.Sprintf("in process %d", p.n)
	}
	return fmt.Sprintf("in process %d, after process %d", p.n, p.after.n)
}

// Expired ends the coordinator of this process, which campaigns anew.
func (p *process) Expired() { p.leave(p.s.now, "its lease has ended") }

// leave ends what runs in the process, which campaigns anew at a time.
func (p *process) leave(until Nanos, why string) {
	p.end(why)
	p.campaign(until)
}

// end ends what runs in the process.
func (p *process) end(why string) {
	s := p.s
	p.candidate.End()
	s.orphan(ofCandidate, p.n, p.gen)
	p.gen++
	if c := p.leads; c != nil {
		p.leads = nil
		c.die(why)
	}
}

// handOver ends the campaign of the process that led a leg which is over, without a crash.
func (p *process) handOver() {
	s := p.s
	p.candidate.End()
	s.orphan(ofCandidate, p.n, p.gen)
	p.leads = nil
	p.campaign(s.now + s.delay(s.cfg.Model.CoordinatorRestart, FaultDelay, 0))
}

// failOver takes the lead from the process that has it: it is lost until another one leads, or
// stands still for a while. false: nobody leads.
func (s *Sim) failOver(pause Nanos) bool {
	c := s.coord
	if c.coord == nil || c.process == nil {
		return false
	}
	if pause > 0 {
		return c.suspect(pause)
	}
	c.process.lost = true
	c.process.end("it is lost")
	return true
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
