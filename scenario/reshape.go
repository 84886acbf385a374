package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"weir/dataflow"
	"weir/faults"
	"weir/sim"
)

// width is how many instances the operators of a job have: all of them the same number, but
// for those that were rescaled alone; and which version of the workload they are of.
type width struct {
	all     int
	alone   []vertexWidth // by name
	version int           // 0: the one that the settings of the workload say
}

type vertexWidth struct {
	operator  string
	instances int
}

func (w width) equal(o width) bool {
	return w.all == o.all && w.version == o.version && slices.Equal(w.alone, o.alone)
}

// after returns the width and version behind an operation.
func (w width) after(f *faults.Fault) width {
	switch {
	case f.Kind == faults.Upgrade:
		return width{w.all, w.alone, f.To}
	case f.Operator == "":
		return width{all: f.To, version: w.version}
	}
	alone := slices.DeleteFunc(slices.Clone(w.alone), func(v vertexWidth) bool { return v.operator == f.Operator })
	alone = append(alone, vertexWidth{f.Operator, f.To})
	slices.SortFunc(alone, func(a, b vertexWidth) int { return strings.Compare(a.operator, b.operator) })
	return width{w.all, alone, w.version}
}

// set gives the vertices of a graph what they have alone.
func (w width) set(g *dataflow.Graph) error {
	for _, v := range w.alone {
		i := slices.IndexFunc(g.Vertices, func(x dataflow.Vertex) bool { return x.Name == v.operator })
		if i < 0 {
			var names []string
			for k := range g.Vertices {
				names = append(names, g.Vertices[k].Name)
			}
			return fmt.Errorf("the job has no operator %q; it has %s", v.operator, strings.Join(names, ", "))
		}
		g.Vertices[i].Parallelism = v.instances
	}
	return nil
}

// plannedJobs makes the jobs of a plan's operations, one after the other as they stand there,
// and returns them behind the first one.
func (r *Runner) plannedJobs(p faults.Plan) ([]*job, error) {
	all := []*job{r.leg}
	var kept kept
	for i := range p.Faults {
		f := &p.Faults[i]
		if f.Kind == faults.Savepoint || f.Kind == faults.StopSaved {
			if err := saves(all[len(all)-1].graph); err != nil {
				return nil, &PlanError{i, fmt.Errorf("operation %s: %w", f, err)}
			}
		}
		if f.Kind == faults.Query {
			if err := answers(all[len(all)-1].graph, f.Operator); err != nil {
				return nil, &PlanError{i, fmt.Errorf("operation %s: %w", f, err)}
			}
		}
		if f.Kind == faults.Resume {
			return all, r.resumes(p, i, all[len(all)-1])
		}
		if !f.Kind.ChangesJob() {
			continue
		}
		before := all[len(all)-1]
		j, err := r.jobAfter(before, f)
		if err == nil && f.Kind == faults.Upgrade {
			kept, err = r.upgraded(kept, before, j)
		}
		if err != nil {
			return nil, &PlanError{i, fmt.Errorf("operation %s: %w", f, err)}
		}
		all = append(all, j)
	}
	return all, nil
}

// answers reports why an operator of a job cannot be asked for keys. If a plan names none the
// one that is asked is drawn, and in a job without keyed state nobody is.
func answers(g *dataflow.Graph, operator string) error {
	var names []string
	for i := range g.Vertices {
		if g.Vertices[i].Keyed {
			names = append(names, g.Vertices[i].Name)
		}
	}
	if operator == "" || slices.Contains(names, operator) {
		return nil
	}
	return fmt.Errorf("the job has no operator %q with keyed state; it has %s", operator, cmp.Or(strings.Join(names, ", "), "none"))
}

// jobAfter returns the job that another one is behind an operation which changes it.
func (r *Runner) jobAfter(before *job, f *faults.Fault) (*job, error) {
	next, err := r.jobOf(before.width.after(f), before.splits)
	if err == nil {
		err = r.cfg.goesOn()
	}
	if err != nil || next.graph.SameShape(before.graph) {
		return next, err
	}
	p := r.cfg.Algorithm.Properties()
	return next, p.RefusesChange(before.graph, next.graph)
}

// saves returns why no savepoint is taken of a job.
func saves(g *dataflow.Graph) error {
	if i := slices.IndexFunc(g.Edges, func(e dataflow.Edge) bool { return e.Back }); i >= 0 {
		return &dataflow.Refusal{
			Property: "savepoints",
			Reason:   g.Vertices[g.Edges[i].From].Name + " lies in a loop: whether it asks for its end, and what came round, has no place in a savepoint",
		}
	}
	return nil
}

// goesOn returns why a job under the algorithm cannot be stopped and go on, as whatever it may be.
func (c *Config) goesOn() error {
	if c.Algorithm.Properties().Snapshots == dataflow.NoSnapshots {
		return &dataflow.Refusal{Property: "no snapshots", Reason: "a job goes on from what it has stored, and without snapshots there is nothing"}
	}
	return nil
}

// reshape has the run at hand go on as another graph, and tells the checker.
func (r *Runner) reshape(f *faults.Fault) (*dataflow.Job, error) {
	next, err := r.jobAfter(r.leg, f)
	if err != nil {
		return nil, err
	}
	if next.graph.SameShape(r.leg.graph) {
		r.checker.GoOn()
	} else {
		x, err := r.expect(next)
		if err != nil {
			return nil, err
		}
		if err := r.checker.Reshape(x); err != nil {
			return nil, err
		}
	}
	r.leg = next
	job := r.job
	job.Graph = next.graph
	return &job, nil
}

// legs returns what changes the job of a run with a plan; nil: nothing does.
func (r *Runner) legs(p faults.Plan) func(*faults.Fault) (*dataflow.Job, error) {
	if !slices.ContainsFunc(p.Faults, func(f faults.Fault) bool { return f.Kind.ChangesJob() }) {
		return nil
	}
	return r.reshape
}

// mostInstances bounds what is drawn: a checker and a graph are kept for each width.
const mostInstances = 5

// operations returns what draws the operations of runs; none are drawn if the job cannot
// be stopped, or cannot go on as another graph.
func (r *Runner) operations() sim.RandomOperations {
	o := sim.RandomOperations{Faults: r.random, From: r.cfg.Parallelism, Queries: slices.Contains(r.cfg.Operations, faults.Query), Version: r.first}
	if slices.Contains(r.cfg.Operations, faults.Failover) {
		o.Coordinators, o.Lease = r.cfg.Coordinators, int64(LeaseConfig().Duration)
	}
	if r.random.Stops && r.cfg.goesOn() == nil {
		o.Versions = r.cfg.versions()
	}
	if saves(r.leg.graph) == nil && r.random.Stops {
		for _, k := range r.cfg.Operations {
			if k == faults.Savepoint || k == faults.StopSaved {
				o.Saves = append(o.Saves, k)
			}
		}
	}
	o.Next = r.nextJobs()
	p := r.cfg.Algorithm.Properties()
	if !slices.Contains(r.cfg.Operations, faults.Rescale) || !r.random.Stops || p.RefusesChange(nil, r.leg.graph) != nil {
		return o
	}
	splits := cmp.Or(r.cfg.Splits, r.cfg.Parallelism)
	for n := 1; n <= min(mostInstances, r.job.Config.Groups); n++ {
		if _, err := r.jobOf(width{all: n, version: r.first}, splits); err == nil { // else the workload has no such graph
			o.To = append(o.To, n)
		}
	}
	for i := range r.leg.graph.Vertices {
		v := &r.leg.graph.Vertices[i]
		if canBeAlone(r.leg.graph, i) {
			o.Alone = append(o.Alone, v.Name)
		}
	}
	return o
}

// canBeAlone tells a vertex that can have any parallelism, whatever the others have: no edge
// goes from instance to instance, and it is no committer, of which there is one.
func canBeAlone(g *dataflow.Graph, v int) bool {
	return !slices.ContainsFunc(g.Edges, func(e dataflow.Edge) bool {
		return e.Partitioning == dataflow.Forward && (e.From == v || e.To == v) || e.To == v && g.Vertices[e.From].Role == dataflow.RoleWriter
	})
}
