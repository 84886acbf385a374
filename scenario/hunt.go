package scenario

import (
	"fmt"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	"weir/scenario/mutants"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// HuntLimit is the number of runs of the default sweep within which every
// mutant must be caught.
const HuntLimit = 2000

// HuntResult is what a hunt found.
type HuntResult struct {
	mutants.Case
	Algorithm, State, Workload string // the combination
	Sink                       string // "": what goes with the algorithm
	Caught                     bool
	Runs                       int    // made, the last one caught it
	Seed                       uint64 // of the last run
	Oracle                     check.Oracle
	Violation                  string // the first one
	// TwinClean: the same seeds without the mistake broke nothing; else Twin says
	// what the first seed that failed broke.
	TwinClean bool
	Twin      string
	// Replay is the command that repeats the run that caught it.
	Replay string
}

// Hunt runs the default sweep on the first combination of a mutant, with seeds
// 1, 2, 3, ..., until an oracle catches the mistake, at most limit runs; and
// then the same seeds without the mistake. told hears the number of runs made so
// far, the twin's included. interrupted is that of a Runner and ends the hunt too,
// with a result that says nothing. Both may be nil.
func Hunt(c mutants.Case, limit int, interrupted func() bool, told func(runs int)) (HuntResult, error) {
	if told == nil {
		told = func(int) {}
	}
	r := newHunt(c)
	err := r.sweep(c.Mutant, limit, interrupted, func(o *Outcome) bool {
		r.Runs, r.Seed = r.Runs+1, o.Seed
		told(r.Runs)
		return r.caughtBy(o)
	})
	if err != nil {
		return r, err
	}
	runs := r.Runs
	err = r.sweep("", r.Runs, interrupted, func(o *Outcome) bool {
		runs++
		if r.TwinClean = o.Kind == Fine; !r.TwinClean {
			r.Twin = fmt.Sprintf("seed %d: %s: %s", o.Seed, o.Kind, o.Why())
		}
		told(runs)
		return !r.TwinClean
	})
	return r, err
}

// newHunt is the result before a run is made: the first combination of the mistake.
func newHunt(c mutants.Case) HuntResult {
	r := HuntResult{Case: c, Algorithm: c.Algorithms[0], State: statecatalog.Names()[0], Workload: workloadcatalog.Names()[0], TwinClean: true}
	if c.States != nil {
		r.State = c.States[0]
	}
	if c.Sinks != nil {
		r.Sink = c.Sinks[0]
	}
	if c.Workloads != nil {
		r.Workload = c.Workloads[0]
	}
	return r
}

// HuntConfig returns the combination in which a mistake is looked for, with the mistake.
func HuntConfig(c mutants.Case) (Config, error) {
	r := newHunt(c)
	return r.config(c.Mutant)
}

// sweep runs seeds 1 to most until stop says so, or it is interrupted.
func (r *HuntResult) sweep(c dataflow.Mutant, most int, interrupted func() bool, stop func(*Outcome) bool) error {
	cfg, err := r.config(c)
	if err != nil {
		return err
	}
	run, err := New(cfg)
	if err != nil {
		return err
	}
	defer run.Close()
	run.Interrupted = interrupted
	for seed := range uint64(most) {
		if o := run.Run(seed + 1); o.Kind == Interrupted || stop(o) {
			break
		}
	}
	return nil
}

// config returns the combination as the default sweep has it.
func (r *HuntResult) config(c dataflow.Mutant) (Config, error) {
	algorithm, err := catalog.Lookup(r.Algorithm)
	if err != nil {
		return Config{}, err
	}
	w, err := workloadcatalog.New(r.Workload)
	if err != nil {
		return Config{}, err
	}
	w.Small()
	return Config{Algorithm: algorithm, State: r.State, Sink: r.Sink, Workload: w, Mutant: c, Operations: r.Operations, Given: r.Given}, nil
}

// caughtBy reports whether o shows the mistake to the oracle that must see it, and
// notes how.
func (r *HuntResult) caughtBy(o *Outcome) bool {
	oracle, seen, ok := Shows(&r.Case, o)
	if ok {
		r.Caught, r.Violation, r.Oracle, r.Replay = true, seen, oracle, o.Config.Command(o.Seed)
	}
	return ok
}

// Shows reports whether a run shows a mistake to the oracle that must see it, and
// what was seen. A panic shows nothing: that something is wrong must be the word of
// an oracle. Nor does a job that stands still, unless the mistake cannot show otherwise.
func Shows(c *mutants.Case, o *Outcome) (oracle check.Oracle, seen string, ok bool) {
	if o.Kind != Unsafe && o.Kind != NoProgress {
		return 0, "", false
	}
	for _, v := range o.Report.Violations {
		if o.Kind == Unsafe && v.Oracle != check.Progress && (c.Oracle == "" || v.Oracle.String() == c.Oracle) {
			return v.Oracle, v.String(), true
		}
	}
	stalls := o.Kind == NoProgress && c.Stalls && (c.Oracle == "" || c.Oracle == check.Progress.String())
	return check.Progress, o.Why(), stalls
}
