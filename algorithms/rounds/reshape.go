package rounds

import (
	"fmt"
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// The mistakes of a job that goes on with another shape; see dataflow.Mutant.
const (
	MutantFormerSplitLost    dataflow.Mutant = "former-split-lost"    // a split is read by nobody when splits are dealt out anew
	MutantFormerSplitTwice   dataflow.Mutant = "former-split-twice"   // a split is read by two when splits are dealt out anew
	MutantFormerInputsUnread dataflow.Mutant = "former-inputs-unread" // what the receivers of another shape had captured is sent again by nobody
)

// base is the newest complete checkpoint, nil: there is none.
func (c *Coordinated) base() *coordinator.Record {
	if n := len(c.retained); n > 0 {
		return c.retained[n-1]
	}
	return nil
}

// restartFrom says of every task in a plan from what it restarts: from its snapshot in
// the base, or from those of another shape that it is made of. Which shape a base has is
// asked for every plan: the job may restart before its first checkpoint in its own shape,
// or fall back to an older one.
func (c *Coordinated) restartFrom(p *dataflow.Plan) error {
	base := c.base()
	coordinator.Vanish(c.vanished(), c.j.Tasks, p)
	c.beginning.Into(p)
	for i := range p.Tasks {
		t := &p.Tasks[i]
		t.Resume = c.lead == nil && !c.first
		if base == nil {
			t.Stable = c.beginning.UpTo()
		}
		if base != nil && base.Shape.Equal(c.shape) {
			part := &base.Parts[i]
			t.Ref, t.Left, t.Stable = part.Ref, part.Left, base.Epoch
		}
	}
	if base == nil || base.Shape.Equal(c.shape) {
		return nil
	}
	if err := base.Shape.Becomes(c.j.Tasks); err != nil {
		return fmt.Errorf("%s: %w", base.Key(), err)
	}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		t.Stable = base.Epoch
		t.Former = c.formers(base, &c.j.Tasks[i])
	}
	return nil
}

// vanished returns how many tasks had names before the newest plan: under those, sinks of a
// shape that may have completed no checkpoint have left what no snapshot tells of. 0: the
// job has had one shape. Plans carry it on, as a plan may never have been carried out.
func (c *Coordinated) vanished() (names id.TaskID) {
	if c.base() == nil {
		names = id.TaskID(c.beginning.Names())
	}
	if c.newest == nil {
		return names
	}
	for i := range c.newest.Plan.Tasks {
		for _, n := range c.newest.Plan.Tasks[i].Vanished {
			names = max(names, n+1)
		}
	}
	if !c.newest.Shape.Equal(c.shape) {
		names = max(names, id.TaskID(max(c.newest.Shape.Tasks(), c.shape.Tasks())))
	}
	return names
}

// formers are the snapshots of another shape that a task is made of: those of the
// instances of its operator, and of the receivers behind its outputs that have captured
// records, which it sends again. An instance of an operator whose parallelism stays
// goes on from its own, event time included: whatever is on its way to it goes to it again,
// and what its senders make from then on is no older than what the slowest of them had told
// it. A source takes the lowest event time of all, as its splits may move.
func (c *Coordinated) formers(base *coordinator.Record, t *dataflow.TaskInfo) []dataflow.Former {
	first, n := base.Shape.Of(t.Name)
	var all []dataflow.Former
	for k := range n {
		if n != t.Parallelism || t.Role == dataflow.RoleSource || k == t.Index {
			all = append(all, former(base, t.Name, first, k, n))
		}
	}
	if c.j.Config.Mutant == MutantFormerInputsUnread {
		return all
	}
	asked := map[string]bool{}
	for k := range t.Outputs {
		name := c.j.Tasks[t.Outputs[k].Peer].Name
		if asked[name] {
			continue
		}
		asked[name] = true
		first, n := base.Shape.Of(name)
		for k := range n {
			if p := &base.Parts[int(first)+k]; p.InBytes > 0 && !p.Left { // who has left had taken all it was sent
				f := former(base, name, first, k, n)
				f.Receiver = true
				all = append(all, f)
			}
		}
	}
	return all
}

// misdeal makes the mistakes MutantFormerSplitLost and MutantFormerSplitTwice where
// the newest plan is of another shape.
func (c *Coordinated) misdeal() {
	if c.newest == nil || c.newest.Shape.Equal(c.shape) {
		return
	}
	for t := range c.splits {
		switch n := len(c.splits[t]); {
		case n == 0:
		case c.j.Config.Mutant == MutantFormerSplitLost:
			c.splits[t] = c.splits[t][:n-1]
			return
		case c.j.Config.Mutant == MutantFormerSplitTwice && t > 0 && c.j.Tasks[t].Index > 0:
			c.splits[t] = append(slices.Clone(c.splits[t]), c.splits[t-1][0])
			return
		}
	}
}

// former is instance k of the n of an operator in the shape of a checkpoint.
func former(base *coordinator.Record, name string, first id.TaskID, k, n int) dataflow.Former {
	task := first + id.TaskID(k)
	part := &base.Parts[task]
	return dataflow.Former{Ref: part.Ref, Task: task, Name: name, Index: k, Parallelism: n, Left: part.Left}
}
