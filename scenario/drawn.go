package scenario

import (
	"cmp"

	"weir/faults"
	"weir/sim"
	"weir/sim/seed"
)

// Drawn is all that a seed decides about a run, and hence all it takes to make
// the run again without drawing.
type Drawn struct {
	Settings Settings
	Splits   int // of each source
	Plan     faults.Plan
	// Decisions are those taken during the run. nil: drawn from the seed.
	Decisions *seed.Tape
	// Resumed are those of the job that begins where one has ended with a savepoint, if one does; as
	// Decisions.
	Resumed *seed.Tape
	// Redraw, if not 0, is the seed from which what comes after Decisions is drawn,
	// which is quiet otherwise.
	Redraw uint64
	// Order decides in which order what happens at once is served, and how late
	// everything is. nil: uniform draws. Decisions that were recorded need none.
	Order sim.Policy
}

// NewDrawn returns what is the same for every seed: the settings that a build
// has before any is drawn, no faults, and quiet decisions.
func NewDrawn() Drawn { return Drawn{Settings: baseSettings(), Decisions: new(seed.Tape)} }

// Draw returns what Run would draw from a seed before the run begins.
func (r *Runner) Draw(seedNumber uint64) Drawn {
	cfg := r.draw(seedNumber)
	return r.drawn(&cfg)
}

// Faults returns what draws the faults of Draw.
func (r *Runner) Faults() sim.RandomFaults { return r.random }

// Operations returns what draws the operations of Draw: none, if Config asks for none or the
// combination cannot serve any.
func (r *Runner) Operations() sim.RandomOperations { return r.operate }

// Plain returns a run of which nothing is drawn before it begins: sizes in the middle of
// those that Draw has, nobody slow, operations that fail as often as in most runs, and
// no faults.
func (r *Runner) Plain() Drawn {
	s := baseSettings()
	j, k := &s.Job, &s.Job.Checkpoint
	j.BatchRecords, j.SourceBatch, j.BatchBytes, j.QueueBuffers, j.Credits, j.TimersPerTurn = 6, 6, 4096, 2, 2, defaultTimersPerTurn
	k.AlignmentTimeout = DefaultInterval / 2
	_ = r.cfg.Given.Into(j) // New has tried
	s.Model = s.Model.Flaky()
	return Drawn{Settings: s, Splits: cmp.Or(r.cfg.Splits, r.cfg.Parallelism)}
}

// Drawn returns what the seed decided, or the replay was given; Decisions are
// those taken, nil unless they were recorded, and valid until the next run.
func (o *Outcome) Drawn() *Drawn { return &o.drawn }

// Replay runs the combination once more with what was drawn instead of drawing
// it. Config says the rest: whether channels reorder, the mistake, the oracles, and with
// NoFaults that the run is served in order of arrival. The seed is that of
// the run that was recorded: a slow run is held against its calm twin. The outcome is valid until the next run.
func (r *Runner) Replay(seedNumber uint64, d *Drawn) *Outcome {
	s := d.Settings
	s.Job.Groups, s.Job.Mutant = r.job.Config.Groups, r.cfg.Mutant
	r.job.Config = s.Job
	cfg := r.world(seedNumber)
	cfg.Model, cfg.Replay, cfg.Redraw = s.Model, d.Decisions, d.Redraw
	if d.Order != nil {
		cfg.Policy = d.Order
	}
	return r.run(cfg, *d)
}

// Decided returns how many decisions of the run under way are recorded: for the
// observers of a run, to tell how far the tape was at an event.
func (r *Runner) Decided() int { return r.tape.Len() }

// Record makes the runs to come keep their decisions, or not.
func (r *Runner) Record(on bool) { r.cfg.Record = on }

// world is the simulated world before anything is drawn.
func (r *Runner) world(seedNumber uint64) sim.Config {
	return sim.Config{
		Seed: seedNumber, Job: &r.job, Storage: r.memory, Workers: r.cfg.workers(), Model: model(), Policy: &r.policy,
		MaxEvents: r.mostEvents(), MaxTime: longestRun, LocalDisks: r.state.Local, Coordinators: r.cfg.Coordinators, Candidate: r.candidate, ClockError: clockError(),
	}
}
