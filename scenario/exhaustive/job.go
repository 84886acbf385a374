package exhaustive

import (
	"fmt"

	"weir/check"
	"weir/dataflow"
	"weir/scenario"
	"weir/sim"
	"weir/sim/seed"
)

// Job is a small job all of whose runs can be made, as a System.
type Job struct {
	runner *scenario.Runner
	drawn  scenario.Drawn
	last   *scenario.Outcome
}

// Bounds say how much of what can happen is searched.
type Bounds struct {
	Crashes int  // in one run, at most
	Prompt  bool // what tasks tell the coordinator arrives at once, behind a crash what it tells them too
}

// The sizes of a small job.
const (
	MostRecords = 4
	interval    = 3_000_000
	unlimited   = 64 // more than is ever under way
)

// NewJob prepares a combination: a task per vertex, a worker per task, a record per
// buffer. A checkpoint can begin at any time, once, and the last one follows when the job is
// drained. Parallelism, splits, interval, faults and oracles of the configuration are replaced:
// progress is not judged, since time counts steps.
func NewJob(c scenario.Config, b Bounds) (*Job, error) {
	if n := c.Workload.Events(); n < 1 || n > MostRecords {
		return nil, fmt.Errorf("%d records; all orders of a job are searched with 1 to %d", n, MostRecords)
	}
	c.Faults, c.Parallelism, c.Splits, c.Given, c.Oracles = scenario.NoFaults, 1, 1, nil, nil
	for o := range check.Oracles {
		if o != check.Progress {
			c.Oracles = append(c.Oracles, o)
		}
	}
	r, err := scenario.New(c)
	if err != nil {
		return nil, err
	}
	return &Job{runner: r, drawn: Drawn(b)}, nil
}

// Drawn is a run of a small job in which all that can be chosen is quiet: no time
// passes but by timers, and nothing is short of room.
func Drawn(b Bounds) scenario.Drawn {
	d := scenario.NewDrawn()
	j, k, m := &d.Settings.Job, &d.Settings.Job.Checkpoint, &d.Settings.Model
	j.BatchRecords, j.SourceBatch, j.BatchBytes = 1, 1, 4096
	j.QueueBuffers, j.Credits = unlimited, unlimited
	k.Interval, k.MaxConcurrent, k.Retain, k.AlignmentTimeout = dataflow.Nanos(interval), 1, 1, 0
	*m = sim.Model{Order: sim.Order{Free: 1, Crashes: b.Crashes, Horizon: interval + interval/2}}
	if b.Prompt {
		m.Order.Prompt = 1
	}
	d.Splits = 1
	return d
}

// Close frees what the job holds.
func (j *Job) Close() { j.runner.Close() }

// Run is that of System.
func (j *Job) Run(c sim.Chooser) {
	d := j.drawn
	d.Decisions = new(seed.Tape)
	j.runner.Chooser = c
	j.last = j.runner.Replay(0, &d)
	j.runner.Chooser = nil
}

// Found reports whether the last run, which may have ended early, was not fine.
func (j *Job) Found() bool {
	return j.last.Kind >= scenario.Broken || len(j.runner.Violations()) > 0
}

// Replay makes the run of the choices given once more, with its decisions recorded, and to its end:
// what was not chosen is quiet. The outcome is valid until the next run.
func (j *Job) Replay(choices []Choice) *scenario.Outcome {
	d := j.drawn
	d.Decisions = Tape(choices)
	j.runner.Record(true)
	defer j.runner.Record(false)
	return j.runner.Replay(0, &d)
}

// Tape returns the decisions that choices are in a replay.
func Tape(choices []Choice) *seed.Tape {
	var named []seed.Named
	for _, c := range choices {
		if c.N > 1 { // else nothing was to be decided
			named = append(named, seed.Named{Name: sim.OrderStream, Index: len(named), N: uint64(c.N), Value: uint64(c.Value)})
		}
	}
	return seed.TapeOf(named)
}
