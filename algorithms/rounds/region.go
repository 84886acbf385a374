package rounds

import (
	"fmt"

	"weir/dataflow"
	"weir/id"
)

// A region is what edges connect. Records, barriers and positions of one region mean nothing in
// another, so that a checkpoint is a consistent cut of each by itself: a region may go back to it
// alone, while the others go on from where they stand. What they share is the rounds: one under
// way needs shares of all, those of a region that goes back are of a history that is none any
// more, and so it is given up everywhere. The next one has the number of the plan, above all that
// those who are kept have heard of, though their attempt stays what it was.
//
// All of the job restarts where it is not one checkpoint of this graph to which a region would go
// back, or where going back is not about tasks that failed: a coordinator that has just started,
// rounds that fail too often, a damaged checkpoint, a change of the job.

// The mistakes of jobs that restart by region; see dataflow.Mutant.
const (
	MutantRegionTooSmall  dataflow.Mutant = "region-too-small"  // a region is taken to end in front of its sinks
	MutantKeptShareCounts dataflow.Mutant = "kept-share-counts" // what a kept task has stored for the round that was given up counts in the next one
	MutantKeptLeftUnknown dataflow.Mutant = "kept-left-unknown" // a task that has left and is kept is taken to be there again
)

// regionsOf returns by task the first one of its region.
func regionsOf(tasks []dataflow.TaskInfo, m dataflow.Mutant) []id.TaskID {
	of := make([]id.TaskID, len(tasks))
	for t := range of {
		of[t] = id.TaskID(t)
	}
	first := func(t id.TaskID) id.TaskID {
		for of[t] != t {
			of[t] = of[of[t]]
			t = of[t]
		}
		return t
	}
	for t := range tasks {
		for i := range tasks[t].Outputs {
			to := tasks[t].Outputs[i].Peer
			if m == MutantRegionTooSmall && tasks[to].Role == dataflow.RoleSink {
				continue
			}
			a, b := first(id.TaskID(t)), first(to)
			of[max(a, b)] = min(a, b)
		}
	}
	for t := range of {
		of[t] = first(id.TaskID(t))
	}
	return of
}

// died notes that tasks have failed. If the newest plan is not executed yet and keeps one of
// them another one comes in its place.
func (c *Coordinated) died(tasks []id.TaskID) {
	if c.regions == nil {
		return
	}
	for _, t := range tasks {
		c.tasks[t].lives = false
		c.outdated = c.outdated || c.keeps(t)
	}
}

// keepNone has the next plan restart everything.
func (c *Coordinated) keepNone() {
	for t := range c.tasks {
		c.tasks[t].lives = false
	}
}

// kept returns by task what a plan would keep now: the regions all of whose tasks live. nil:
// there is none, or the plan would not go back to a checkpoint of this graph, or to nothing.
func (c *Coordinated) kept() []bool {
	base := c.base()
	if c.regions == nil || base != nil && !base.Shape.Equal(c.shape) || base == nil && len(c.beginning) > 0 {
		return nil
	}
	dead := make([]bool, len(c.tasks)) // by region
	for t := range c.tasks {
		dead[c.regions[t]] = dead[c.regions[t]] || !c.tasks[t].lives
	}
	var keep []bool
	for t := range c.tasks {
		if !dead[c.regions[t]] {
			if keep == nil {
				keep = make([]bool, len(c.tasks))
			}
			keep[t] = true
		}
	}
	return keep
}

// keeps reports whether the newest plan keeps a task.
func (c *Coordinated) keeps(t id.TaskID) bool { return c.keep != nil && c.keep[t] }

// keepInto says in a plan which tasks it keeps. What the job began with, and which names former
// shapes have left, stays in it, for a coordinator that reads it.
func (c *Coordinated) keepInto(p *dataflow.Plan) {
	c.keep = c.kept()
	for t := range p.Tasks {
		if c.keeps(id.TaskID(t)) {
			x := &p.Tasks[t]
			x.Mode, x.Ref, x.Left = dataflow.Keep, "", false
		}
	}
}

// goesOn: a task is kept, and has to carry out the plan that keeps it.
func (c *Coordinated) goesOn(t *taskStatus) {
	t.ready = false
	if c.j.Config.Mutant == MutantKeptLeftUnknown {
		t.left, t.leaving = false, false
	}
	if !t.left {
		c.notLeft++
	}
}

// goesThrough reports whether what a task says while a recovery is being prepared counts
// afterwards.
func (c *Coordinated) goesThrough(t id.TaskID) bool {
	return c.regions != nil && (c.phase == waiting || c.phase == planning) && c.tasks[t].lives
}

// shareOfKept makes the mistake MutantKeptShareCounts in a round that begins: given is the newest
// round that was given up when the plan was made.
func (c *Coordinated) shareOfKept(r *Round) {
	given := c.givenUp
	if c.givenUp = nil; given == nil || c.j.Config.Mutant != MutantKeptShareCounts {
		return
	}
	for t := range r.acked {
		if c.keeps(id.TaskID(t)) && given.acked[t] && !r.acked[t] {
			r.parts[t], r.acked[t] = given.parts[t], true
			r.missing--
		}
	}
}

// restarting says in words what the newest plan restarts.
func (c *Coordinated) restarting() string {
	if c.keep == nil {
		return "restart all"
	}
	n := 0
	for t := range c.keep {
		if c.keep[t] {
			n++
		}
	}
	return fmt.Sprintf("restart %d, keep %d", len(c.tasks)-n, n)
}
