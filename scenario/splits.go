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

// job is the graph of a combination with so many splits, and its checker.
type job struct {
	splits  int
	graph   *dataflow.Graph
	tasks   []dataflow.TaskInfo
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

// use takes the job with so many splits, making it if need be.
func (r *Runner) use(splits int) error {
	i := slices.IndexFunc(r.jobs, func(j *job) bool { return j.splits == splits })
	if i < 0 {
		j, err := r.newJob(splits)
		if err != nil {
			return err
		}
		i, r.jobs = len(r.jobs), append(r.jobs, j)
	}
	r.job.Graph, r.checker = r.jobs[i].graph, r.jobs[i].checker
	return nil
}

func (r *Runner) newJob(splits int) (*job, error) {
	graph, promise, err := r.cfg.graph(r.cfg.Parallelism, sinks.Config{Chunk: smallChunk, Mutant: r.cfg.Mutant})
	if err != nil {
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
	x, err := Expectation(&r.cfg, promise, tasks, r.memory)
	if err != nil {
		return nil, err
	}
	x.Open = func(t id.TaskID, dst []id.Epoch) []id.Epoch { return r.store.Pending(t, dst) }
	checker, err := check.New(x)
	return &job{splits, graph, tasks, checker}, err
}
