package explore

import (
	"weir/faults"
	"weir/scenario"
	"weir/sim"
	"weir/sim/seed"
	"weir/trace"
)

// blind is what policies have in common that need not see the runs.
type blind struct{}

// Watcher is none.
func (blind) Watcher() trace.Observer { return nil }

// Records is false.
func (blind) Records() bool { return false }

// swarm has everything drawn from the seed of the run.
type swarm struct {
	blind
	runner *scenario.Runner
	next   uint64
}

func newSwarm(r *scenario.Runner, first uint64) Policy { return &swarm{runner: r, next: first} }

// Propose draws the next seed.
func (p *swarm) Propose(*scenario.Outcome) Proposal {
	s := Proposal{p.next, p.runner.Draw(p.next)}
	p.next++
	return s
}

// pct is a swarm whose order is by priorities. The depth goes round from run to run.
type pct struct {
	swarm
	order sim.Priorities
}

// pctDepth is the largest depth: most bugs need few orderings (Burckhardt et al. 2010).
const pctDepth = 3

// firstDraws is how many draws a run is taken to have before there was one.
const firstDraws = 4096

func newPCT(r *scenario.Runner, first uint64) Policy {
	return &pct{swarm: swarm{runner: r, next: first}}
}

// Propose draws the next seed, and priorities from it.
func (p *pct) Propose(last *scenario.Outcome) Proposal {
	s := p.swarm.Propose(last)
	draws := firstDraws
	if last != nil {
		draws = max(1, p.order.Drawn())
	}
	p.order.Seed, p.order.Depth, p.order.Draws = s.Seed, 1+int(s.Seed%pctDepth), draws
	s.Order = &p.order
	return s
}

// storm is the swarm with the faults of one to twelve of its runs in one, the number
// drawn: what needs several faults finds them together more often, and what needs
// to be left alone otherwise still finds such a run. Every second run has the order of pct.
type storm struct {
	pct
	source *seed.Source
}

// mostPlans is how many runs of the swarm are in one at most.
const mostPlans = 12

func newStorm(r *scenario.Runner, first uint64) Policy {
	return &storm{pct: pct{swarm: swarm{runner: r, next: first}}, source: seed.New(0)}
}

// Propose draws the next seed, and further plans.
func (p *storm) Propose(last *scenario.Outcome) Proposal {
	s := p.pct.Propose(last)
	if s.Seed%2 == 0 {
		s.Order = nil
	}
	p.source.Reset(s.Seed)
	more, from := p.source.Stream("plans").Draw(mostPlans), p.source.Stream("plans").Uint64()
	for k := range uint64(more) {
		p.source.Reset(from + k)
		s.Plan.Faults = append(s.Plan.Faults, p.runner.Faults().Plan(p.source).Faults...)
	}
	return s
}

// walk is the walk that is aimed at nothing: plain settings, crashes at uniform times, and
// the operations that are drawn for the combination.
type walk struct {
	blind
	runner *scenario.Runner
	next   uint64
	source *seed.Source
	order  sim.Policy // nil: uniform
}

func newRandom(r *scenario.Runner, first uint64) Policy {
	return &walk{runner: r, next: first, source: seed.New(0)}
}

func newFIFO(r *scenario.Runner, first uint64) Policy {
	return &walk{runner: r, next: first, source: seed.New(0), order: sim.FIFO{}}
}

// Propose draws crashes.
func (p *walk) Propose(*scenario.Outcome) Proposal {
	s := Proposal{p.next, p.runner.Plain()}
	s.Order = p.order
	p.source.Reset(p.next)
	s.Plan = uniformCrashes(p.source.Stream("walk"), p.runner.Faults())
	s.Plan.Faults = append(s.Plan.Faults, p.runner.Operations().Draw(p.source)...)
	p.next++
	return s
}

// uniformCrashes draws one to three crashes of any worker or the coordinator, all alike,
// at any time of a run.
func uniformCrashes(d *seed.Stream, f sim.RandomFaults) (plan faults.Plan) {
	for range 1 + d.Draw(3) {
		c := victim(d.Draw(f.Workers + 1))
		c.When = faults.At(faults.Time(d.Range(0, f.Horizon)))
		plan.Faults = append(plan.Faults, c)
	}
	return plan
}

// victim is the crash of the coordinator, 0, or of a worker.
func victim(n int) faults.Fault {
	if n == 0 {
		return faults.Fault{Kind: faults.Crash, Target: faults.Coordinator}
	}
	return faults.Fault{Kind: faults.Crash, Target: faults.Worker, Worker: n - 1}
}
