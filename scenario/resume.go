package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/check"
	"weir/dataflow"
	"weir/faults"
	statecatalog "weir/state/catalog"
	"weir/trace"
)

// A plan may end its job with a savepoint and have another one begin from that (faults.Resume). Those are
// two jobs, each with checkpoint storage, a checker, and time of its own, over one external
// store: the first is run to its end, and a runner of its own runs the second from what the first
// has left (From). The outcome is that of both.

// nextConfig is the combination that a Resume has of the job that ends; without From. rest is what the plan
// has for it.
func (r *Runner) nextConfig(f *faults.Fault, was *job, rest faults.Plan) (Config, error) {
	c := r.cfg
	c.Sink, c.Operations, c.Version = r.cfg.SinkName(), nil, was.width.version
	c.Parallelism, c.Splits, c.Groups = was.width.all, was.splits, r.job.Config.Groups
	if c.Plan = rest; c.Faults != PlannedFaults {
		c.Plan = faults.Plan{}
	}
	if f.To != 0 {
		c.Parallelism = f.To
	}
	if f.State != "" {
		c.State = f.State
	}
	if f.Algorithm == "" {
		return c, nil
	}
	spec, err := catalog.Lookup(f.Algorithm)
	if err != nil {
		return c, err
	}
	c.Algorithm = spec
	return c, nil
}

// resumable returns why the job that ends cannot be followed by what a Resume asks for.
func (r *Runner) resumable(f *faults.Fault, was *job, rest faults.Plan) error {
	if r.cfg.From != nil {
		return fmt.Errorf("the job itself begins from a savepoint: what it leaves is resumed by a run of its own")
	}
	c, err := r.nextConfig(f, was, rest)
	if err != nil {
		return err
	}
	if c.Algorithm.Properties().Snapshots == dataflow.NoSnapshots || r.cfg.Algorithm.Properties().Snapshots == dataflow.NoSnapshots {
		return &dataflow.Refusal{Property: "no snapshots", Reason: "its sinks commit nothing, so that what another one has sealed, or what comes behind, is not there once"}
	}
	c.Faults = PlannedFaults
	c.Plan = rest
	next, err := New(c)
	if err != nil {
		return err
	}
	next.Close()
	return nil
}

// endsOnce returns why the jobs of a plan do not follow one another: one begins from a savepoint which none
// in front of it leaves, or a second one does.
func endsOnce(p faults.Plan) error {
	saved, resumed := false, false
	for i := range p.Faults {
		f := &p.Faults[i]
		switch {
		case f.Kind == faults.StopSaved:
			saved = true
		case f.Kind != faults.Resume:
		case resumed:
			return &PlanError{i, fmt.Errorf("operation %s: a second %s; a plan has one", f, f.Kind)}
		case !saved:
			return &PlanError{i, fmt.Errorf("operation %s: it begins from the savepoint of a %s, which has to stand in front of it", f, faults.StopSaved)}
		default:
			resumed = true
		}
	}
	return nil
}

// resumes returns why step n of a plan, a Resume, cannot be, or what is behind it.
func (r *Runner) resumes(p faults.Plan, n int, was *job) error {
	f := &p.Faults[n]
	err := r.resumable(f, was, faults.Plan{Faults: p.Faults[n+1:]})
	var step *PlanError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &step) && step.Fault >= 0:
		return &PlanError{n + 1 + step.Fault, step.Err}
	}
	return &PlanError{n, fmt.Errorf("operation %s: %w", f, err)}
}

// leaveBehind cuts a plan at its Resume: what is for the first job, and, if there is another one, what that
// is and what is for it.
func leaveBehind(p faults.Plan) (first faults.Plan, next *faults.Fault, rest faults.Plan) {
	i := slices.IndexFunc(p.Faults, func(f faults.Fault) bool { return f.Kind == faults.Resume })
	if i < 0 {
		return p, nil, faults.Plan{}
	}
	return faults.Plan{Faults: p.Faults[:i]}, &p.Faults[i], faults.Plan{Faults: p.Faults[i+1:]}
}

// resume runs the job that begins from the savepoint with which the one of o has ended.
func (r *Runner) resume(o *Outcome, d *Drawn, f *faults.Fault, rest faults.Plan) *Outcome {
	broken := func(err error) *Outcome {
		return &Outcome{Config: &r.cfg, Seed: o.Seed, Kind: Broken, Err: fmt.Errorf("operation %s: %w", f, err)}
	}
	c, err := r.nextConfig(f, r.leg, rest)
	if err != nil {
		return broken(err)
	}
	c.From = &From{
		Savepoint: r.memory, Root: coordinator.SavepointRoot(o.Result.EndedWith), Output: r.store, Path: "of the job before",
		Held: r.checker.Held(), TakenBack: max(0, o.Report.RowsTakenBack-o.Report.RowsAgain),
	}
	next, err := New(c)
	if err != nil {
		return broken(err)
	}
	next.calm, next.Interrupted, next.MostEvents = r.calm, r.Interrupted, r.MostEvents
	second := Drawn{Settings: next.fitting(d.Settings), Splits: next.cfg.Splits, Plan: rest, Decisions: d.Resumed, Order: d.Order}
	r.next, r.begun = next, o.Result.Virtual
	begun := trace.Event{Time: o.Result.Virtual, Kind: trace.Rescaled, Task: trace.Coordinator, Channel: trace.NoChannel, To: uint64(len(next.leg.tasks)), Text: f.String()}
	for _, x := range r.Observers {
		if x.Wants().Has(trace.Rescaled) {
			x.Observe(&begun)
		}
		next.Observers = append(next.Observers, &later{x, o.Result.Virtual})
	}
	return r.joined(o, next.Replay(o.Seed, &second), d, f)
}

// joined is the outcome of two jobs, of which the second has begun from what the first has left.
func (r *Runner) joined(first, o *Outcome, d *Drawn, f *faults.Fault) *Outcome {
	if o.Report == nil { // interrupted, or it could not be run
		o.Config = &r.cfg
		return o
	}
	waiting := slices.Concat(first.waiting, o.waiting)
	drawn := *d
	drawn.Decisions, drawn.Resumed = first.drawn.Decisions, o.drawn.Decisions
	report := *o.Report
	report.Violations = shown(report.Violations, r.begun)
	report.Behind(first.Report, r.begun)
	both := &Outcome{Config: &r.cfg, Seed: first.Seed, Splits: first.Splits, Result: o.Result, Report: &report, Plan: d.Plan, drawn: drawn, waiting: waiting, rows: o.rows}
	both.Result.Behind(&first.Result)
	both.classify()
	return both
}

// fitting are the settings of the job before, as far as the algorithm of this one bears them.
func (r *Runner) fitting(s Settings) Settings {
	k, p := &s.Job.Checkpoint, r.cfg.Algorithm.Properties()
	if p.MaxConcurrent > 0 {
		k.MaxConcurrent = min(k.MaxConcurrent, p.MaxConcurrent)
	}
	k.Fallback = k.Fallback && r.fallsBack
	k.AfterFinished = k.AfterFinished || !p.HasRounds()
	return s
}

// nextJobs are those that may be drawn to begin where the job ends with a savepoint: under each algorithm that
// can go on with its sink, on each backend, with some parallelism.
func (r *Runner) nextJobs() (all []faults.Fault) {
	if !slices.Contains(r.cfg.Operations, faults.Resume) || !r.random.Stops || r.cfg.From != nil || saves(r.leg.graph) != nil {
		return nil
	}
	if r.cfg.Algorithm.Properties().Snapshots == dataflow.NoSnapshots {
		return nil
	}
	for _, spec := range catalog.All() {
		c := r.cfg
		c.Algorithm, c.Sink = spec, r.cfg.SinkName()
		if spec.Properties().Snapshots == dataflow.NoSnapshots || c.Refused() != nil || c.checkGiven() != nil {
			continue
		}
		for i, backend := range statecatalog.Names() {
			f := faults.Fault{Kind: faults.Resume, Target: faults.Job, Algorithm: spec.Name, State: backend, To: 1 + (len(all)+i)%mostInstances}
			if _, err := r.jobOf(width{all: f.To, version: r.first}, cmp.Or(r.cfg.Splits, r.cfg.Parallelism)); err != nil { // else the workload has no such graph
				f.To = 0
			}
			all = append(all, f)
		}
	}
	return all
}

// later shows an observer the events of a job that begins at a time.
type later struct {
	trace.Observer
	at int64
}

func (l *later) Observe(e *trace.Event) {
	shown := *e
	shown.Time += l.at
	l.Observer.Observe(&shown)
}

// shown are violations of a job that began at a time.
func shown(all []check.Violation, at int64) []check.Violation {
	all = slices.Clone(all)
	for i := range all {
		all[i].Time += at
	}
	return all
}

// endNext forgets the job that began from what one had left.
func (r *Runner) endNext() {
	if r.next != nil {
		r.next.Close()
		r.next = nil
	}
}
