package rounds

import (
	"weir/dataflow"
	"weir/id"
)

// The mistakes of a coordinator that takes over tasks that run; see dataflow.Mutant.
const (
	MutantAdoptsUnasked dataflow.Mutant = "adopts-unasked" // a coordinator that takes over believes that all tasks live
	MutantAdoptsNumbers dataflow.Mutant = "adopts-numbers" // a coordinator that takes over numbers its rounds on from those of the one before
)

// adoptable reports whether tasks that another coordinator has started may go on under the plan
// to come: it has started them as what they are now, there are rounds, and the newest of those
// that count is not damaged.
func (c *Coordinated) adoptable(damaged bool) bool {
	return c.j.Adopt && c.lead != nil && c.newest != nil && c.newest.Shape.Equal(c.shape) && !damaged
}

// keepAll makes p a plan under which every task goes on. What plans carry on of splits, of
// former shapes and of the beginning stays in it.
func keepAll(p *dataflow.Plan) {
	for i := range p.Tasks {
		t := &p.Tasks[i]
		t.Mode, t.Ref, t.Former, t.Stable, t.Left = dataflow.Keep, "", nil, 0, true
	}
}

// handOver executes a plan that keeps all tasks. If one of them does not run by then, the plan that
// restarts all is on its way when this returns.
func (c *Coordinated) handOver(p *dataflow.Plan) {
	c.phase = adopting
	c.h.Execute(p)
	if c.phase != adopting {
		return
	}
	c.phase = starting
	if c.j.Config.Mutant == MutantAdoptsUnasked {
		c.notReady = 0
		c.goOn()
	}
}

// notAdopted: a task that was to be kept has died while nobody led. That is no failure which this
// coordinator answers: its predecessor's are forgotten too.
func (c *Coordinated) notAdopted() {
	if c.j.Config.Mutant != MutantAdoptsUnasked {
		c.plan()
	}
}

// takenOver: every task goes on, and has given up what it had begun of rounds of older plans; what is
// stored of those is swept now. Of the base the coordinator before may have told some tasks,
// or none.
func (c *Coordinated) takenOver() {
	c.sweepOld()
	c.letGo()
	if base := c.base(); base != nil {
		c.announce(base)
	}
}

// epoch is that of the round that begins.
func (c *Coordinated) epoch() id.Epoch {
	if base := c.base(); base != nil && c.adopted && c.j.Config.Mutant == MutantAdoptsNumbers {
		return id.MakeEpoch(base.Epoch.Attempt(), base.Epoch.Index()+c.lastIndex)
	}
	return id.MakeEpoch(c.number, c.lastIndex)
}
