package explore

import (
	"slices"

	"weir/faults"
	"weir/scenario"
	"weir/sim/seed"
	"weir/trace"
)

// rare goes back to states that few runs have reached. Every second run is the swarm's.
// The others begin as the run that first reached a state did, up to there, and go on
// otherwise: what is decided later is drawn anew, and somebody crashes there or a little
// after. That state comes first which the fewest runs have reached or begun from.
type rare struct {
	swarm
	source   *seed.Source
	watch    states
	reached  map[state]int // runs
	front    []branch
	proposed Proposal
}

// branch is a run that was the first to reach a state, up to there.
type branch struct {
	of        Proposal
	tape      *seed.Tape // the whole run's: shared by the branches off it
	decisions int        // of the tape, up to the state
	events    int        // of the sweep's, up to the state
	state     state
	used      int
}

// state is what is looked at of a run: a step of the protocol with the one before it, and
// how the parties stand.
type state struct {
	before, at  trace.Kind
	durable     trace.Op // that took effect last
	coordinator bool     // is there
	down        uint8    // workers, at most 2
	recoveries  uint8    // at most 2
	aborted     bool     // the round that ended last was given up
}

const (
	// mostBranches bounds what is kept, each with the decisions of a run.
	mostBranches = 128
	// commonAfter is how many runs reach a state before it is rare no longer.
	commonAfter = 8
	// mostEventsOn is how far behind the state the crash may be.
	mostEventsOn = 24
)

func newRare(r *scenario.Runner, first uint64) Policy {
	p := &rare{swarm: swarm{runner: r, next: first}, source: seed.New(0), reached: map[state]int{}}
	p.watch.runner = r
	return p
}

// Watcher sees the states of all runs.
func (p *rare) Watcher() trace.Observer { return &p.watch }

// Records is true: branches keep the decisions.
func (p *rare) Records() bool { return true }

// Propose learns from the last run, and branches off a rare state or goes on with the swarm.
func (p *rare) Propose(last *scenario.Outcome) Proposal {
	if last != nil {
		p.learn(last)
	}
	p.watch.reset()
	if b := p.rarest(); b != nil && p.next%2 == 1 {
		p.proposed = p.branch(b)
	} else {
		p.proposed = Proposal{p.next, p.runner.Draw(p.next)}
	}
	p.next++
	return p.proposed
}

// learn counts the states of the last run, and keeps those that no other had reached.
func (p *rare) learn(last *scenario.Outcome) {
	var tape *seed.Tape
	for _, v := range p.watch.visits {
		p.reached[v.state]++
		d := last.Drawn().Decisions
		if p.reached[v.state] > 1 || d == nil {
			continue
		}
		if tape == nil {
			tape = d.Clone()
		}
		p.front = append(p.front, branch{of: p.proposed, tape: tape, decisions: v.decisions, events: v.events, state: v.state})
	}
	p.front = slices.DeleteFunc(p.front, func(b branch) bool { return p.reached[b.state] > commonAfter })
	if n := len(p.front) - mostBranches; n > 0 {
		p.front = slices.Delete(p.front, 0, n)
	}
}

// rarest returns the branch that is to be taken next, nil if there is none.
func (p *rare) rarest() *branch {
	var best *branch
	for i := range p.front {
		b := &p.front[i]
		if best == nil || p.reached[b.state]+b.used < p.reached[best.state]+best.used {
			best = b
		}
	}
	return best
}

// branch returns a run that begins as b does.
func (p *rare) branch(b *branch) Proposal {
	b.used++
	s := b.of
	s.Plan.Faults = slices.Clone(s.Plan.Faults)
	s.Decisions = b.tape.Clone()
	s.Decisions.Truncate(b.decisions)
	p.source.Reset(p.next)
	d := p.source.Stream("branch")
	s.Redraw = d.Uint64() | 1 // 0 would be no redraw
	c := victim(d.Draw(p.runner.Faults().Workers + 1))
	c.When = faults.At(faults.Nth(b.events+d.Draw(mostEventsOn), faults.SweepEvents()))
	s.Plan.Faults = append(s.Plan.Faults, c)
	return s
}

// visit is a state that a run has reached, once.
type visit struct {
	state             state
	decisions, events int
}

// states is the observer of all runs.
type states struct {
	runner *scenario.Runner
	now    state
	events int
	seen   map[state]bool
	visits []visit
}

func (w *states) reset() {
	if w.seen == nil {
		w.seen = map[state]bool{}
	}
	clear(w.seen)
	w.now, w.events, w.visits = state{coordinator: true}, 0, w.visits[:0]
}

// Wants is what states are made of.
func (w *states) Wants() trace.Mask {
	return faults.SweepEvents().With(trace.WorkerCrashed, trace.WorkerRestarted, trace.CoordinatorCrashed, trace.CoordinatorStarted)
}

// Observe moves on to the next state.
func (w *states) Observe(e *trace.Event) {
	if faults.SweepEvents().Has(e.Kind) {
		w.events++
	}
	if !w.step(e) || w.seen[w.now] {
		return
	}
	w.seen[w.now] = true
	w.visits = append(w.visits, visit{w.now, w.runner.Decided(), w.events})
}

// step tells whether the event makes a state of its own.
func (w *states) step(e *trace.Event) bool {
	s := &w.now
	switch e.Kind {
	case trace.StoreApplied, trace.ExtApplied:
		s.durable = e.Op
		return false
	case trace.StoreIssued, trace.StoreDone, trace.ExtIssued, trace.ExtDone, trace.OutputCommitted:
		return false
	case trace.PositionIn, trace.PositionOut, trace.PositionSplit, trace.SplitTaken:
		return false
	case trace.WorkerCrashed:
		s.down = min(s.down+1, 2)
	case trace.WorkerRestarted:
		s.down -= min(s.down, 1)
	case trace.CoordinatorCrashed:
		s.coordinator = false
	case trace.CoordinatorStarted:
		s.coordinator = true
	case trace.PlanExecuted:
		s.recoveries = min(s.recoveries+1, 2)
	case trace.Aborted:
		s.aborted = true
	case trace.Completed:
		s.aborted = false
	default:
	}
	s.before, s.at = s.at, e.Kind
	return true
}
