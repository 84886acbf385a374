package scenario

import (
	"slices"

	"weir/check"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/id"
)

// What a seed decides about the splits of the sources: as many as instances,
// one more, so that they are not read evenly, several for each, or a single one,
// so that all instances but one are idle.

// mostDrawn is the widest job whose splits are drawn: a checker is kept for each number.
const mostDrawn = 8

// job is the graph of a combination of some width with so many splits, what is expected of it, nil
// if no run has begun with it, and its checker, nil if none is kept. A workload says what it expects of the
// graph that it has made last, so that it is asked once.
type job struct {
	width   width
	splits  int
	graph   *dataflow.Graph
	promise sinks.Promise
	tasks   []dataflow.TaskInfo
	expect  *check.Expect
	checker *check.Checker
}

// drawSplits is how many splits the sources have in the run of a seed.
func (r *Runner) drawSplits() int {
	p := r.cfg.Parallelism
	switch {
	case r.cfg.Splits > 0:
		return r.cfg.Splits
	case r.cfg.Faults != RandomFaults || p > mostDrawn:
		return p
	}
	return []int{p, p, p, p + 1, 2 * p, 1}[r.swarm.Stream("splits").Draw(6)]
}

// use takes the job with so many splits for a run to begin with.
func (r *Runner) use(splits int) error {
	j, err := r.jobOf(width{all: r.cfg.Parallelism, version: r.first}, splits)
	if err != nil {
		return err
	}
	if j.expect == nil || j.expect.Rollback != r.rollback() { // or a replay has another strategy
		j.checker = nil
		x, err := r.expect(j)
		if err != nil {
			return err
		}
		j.expect = &x
	}
	if j.checker == nil {
		if j.checker, err = check.New(*j.expect); err != nil {
			return err
		}
	}
	r.leg, r.job.Graph, r.checker = j, j.graph, j.checker
	return nil
}

// jobOf returns the job of a width and version with so many splits, making it if need be.
func (r *Runner) jobOf(w width, splits int) (*job, error) {
	i := slices.IndexFunc(r.jobs, func(j *job) bool { return j.splits == splits && j.width.equal(w) })
	if i >= 0 {
		return r.jobs[i], nil
	}
	j, err := r.newJob(w, splits)
	if err == nil {
		r.jobs = append(r.jobs, j)
	}
	return j, err
}

func (r *Runner) newJob(w width, splits int) (*job, error) {
	graph, promise, err := r.cfg.graph(w.version, w.all, sinks.Config{Chunk: smallChunk, Mutant: r.cfg.Mutant})
	if err != nil {
		return nil, err
	}
	if err := w.set(graph); err != nil {
		return nil, err
	}
	graph.SetSplits(splits)
	if err := r.cfg.fit(graph, &r.job.Config); err != nil {
		return nil, err
	}
	tasks, err := graph.Expand(r.job.Config.Groups)
	if err != nil {
		return nil, err
	}
	return &job{width: w, splits: splits, graph: graph, promise: promise, tasks: tasks}, nil
}

// rollback returns what a failure rolls back in the run at hand, of what the algorithm declares.
func (r *Runner) rollback() check.Scope {
	s := r.cfg.Algorithm.Declared.Rollback
	if s == dataflow.ScopeRegion && r.job.Config.Restart.Failover == dataflow.FailoverFull {
		s = dataflow.ScopeAll
	}
	return check.Scope(s)
}

// expect returns what a run of a job is measured against.
func (r *Runner) expect(j *job) (check.Expect, error) {
	x, err := Expectation(&r.cfg, j.promise, j.tasks, r.memory)
	if err != nil {
		return x, err
	}
	x.Rollback = r.rollback()
	x.Open = func(t id.TaskID, dst []id.Epoch) []id.Epoch { return r.store.Pending(t, dst) }
	if r.cfg.From != nil {
		x.Origin = r.cfg.From.expected(r.origin, j.tasks)
		if !r.cfg.From.Claimed {
			x.Layout.Roots = withSavepoint(x.Layout.Roots)
		}
	}
	return x, nil
}

// channels returns how many channels the job has.
func (j *job) channels() (n int) {
	for i := range j.tasks {
		n += len(j.tasks[i].Inputs)
	}
	return n
}

// widest returns the inputs of the task that has most.
func (j *job) widest() (n int) {
	for i := range j.tasks {
		n = max(n, len(j.tasks[i].Inputs))
	}
	return n
}
