package scenario

import (
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/faults"
	"weir/state"
	"weir/state/heap"
	"weir/workloads"
)

// graphOf returns the graph of a version of a workload, 0: of the one that its settings say.
func graphOf(w workloads.Workload, version, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	if version == 0 {
		return w.Graph(parallelism, sink)
	}
	v, ok := w.(workloads.Versioned)
	if !ok {
		return nil, fmt.Errorf("workload %s has no versions: implement workloads.Versioned", w.Name())
	}
	return v.GraphOf(version, parallelism, sink)
}

// FirstVersion returns the version that a job begins as, 0: the one that its settings say. One that
// is upgraded, or may be, begins as its first version, unless they say another one: what is stored
// without schemas has nothing to go on to.
func (c *Config) FirstVersion() int {
	if c.Version > 0 {
		return c.Version
	}
	upgrades := slices.Contains(c.Operations, faults.Upgrade) ||
		slices.ContainsFunc(c.Plan.Faults, func(f faults.Fault) bool { return f.Kind == faults.Upgrade })
	if v, ok := c.Workload.(workloads.Versioned); ok && upgrades {
		if now, _ := v.Versions(); now > 0 {
			return now
		}
		return 1
	}
	return 0
}

// versions returns how many versions a job that is to be upgraded has, 0: it has none.
func (c *Config) versions() int {
	if v, ok := c.Workload.(workloads.Versioned); ok && slices.Contains(c.Operations, faults.Upgrade) {
		_, of := v.Versions()
		return of
	}
	return 0
}

// kept is what the operators of a job keep, by name: nil before it has begun.
type kept map[string]dataflow.Declared

// upgraded returns what is kept behind an upgrade from one job to the next. The error says which state of
// which operator the next one could not read, and what differs.
func (r *Runner) upgraded(k kept, before, next *job) (kept, error) {
	var err error
	if k == nil {
		if k, err = r.keeps(nil, before); err != nil {
			return nil, err
		}
	}
	return r.keeps(k, next)
}

// keeps has the operators of a job succeed those that have left something.
func (r *Runner) keeps(left kept, j *job) (kept, error) {
	next, dry := kept{}, r.job
	dry.Graph, dry.Backend = j.graph, heap.Backend{}
	for i := range j.tasks {
		t := &j.tasks[i]
		if _, done := next[t.Name]; done {
			continue // its instances keep the same
		}
		d, err := dataflow.Succeed(&dry, t, left[t.Name])
		if err != nil {
			return nil, err
		}
		next[t.Name] = d
	}
	return next, nil
}

// readable says which state of a savepoint the operators of a job could not read, and why; nil: they
// read all.
func (f *From) readable(dry dataflow.Job, tasks []dataflow.TaskInfo) error {
	dry.Backend = heap.Backend{}
	for _, p := range f.parts {
		name := f.nameNow(p.Operator)
		i := slices.IndexFunc(tasks, func(t dataflow.TaskInfo) bool { return t.Name == name })
		if i < 0 {
			continue // dropped
		}
		own, err := state.WithoutSealed(p.Own)
		if err == nil {
			_, err = dataflow.Succeed(&dry, &tasks[i], dataflow.Declared{States: p.Content().States(), Operator: own})
		}
		if err != nil {
			return fmt.Errorf("savepoint %s: %w", f.Path, err)
		}
	}
	return nil
}
