package scenario_test

import (
	"slices"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/scenario"
	"weir/scenario/mutants"
	"weir/scenario/simtest"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// TestMutants: every deliberate mistake is caught by the default sweep within
// the limit, and the same runs without it are fine; but for those that the bank says escape.
func TestMutants(t *testing.T) {
	for _, c := range mutants.All() {
		if c.Escapes != "" {
			continue
		}
		told := 0
		r, err := scenario.Hunt(c, scenario.HuntLimit, nil, func(runs int) { told = runs })
		if err != nil {
			t.Fatalf("%s: %v", c.Mutant, err)
		}
		t.Logf("%-26s %3d runs of %s/%s/%s, caught by %s", c.Mutant, r.Runs, r.Algorithm, r.State, r.Workload, r.Oracle)
		switch {
		case !r.Caught:
			t.Errorf("%s: not caught in %d runs", c.Mutant, r.Runs)
		case !r.TwinClean:
			t.Errorf("%s: the unbroken twin fails: %s", c.Mutant, r.Twin)
		case r.Oracle == check.Progress && !r.Stalls:
			t.Errorf("%s: caught as a loss of progress only: %s", c.Mutant, r.Violation)
		case told != 2*r.Runs || r.Seed != uint64(r.Runs):
			t.Errorf("%s: %d runs, seed %d; told of %d", c.Mutant, r.Runs, r.Seed, told)
		case r.Violation == "" || !strings.HasSuffix(r.Replay, " "+string(c.Mutant)):
			t.Errorf("%s: violation %q, replay %q", c.Mutant, r.Violation, r.Replay)
		}
	}
}

// TestMutantCombinations: whatever the bank says can show a mistake does show it.
func TestMutantCombinations(t *testing.T) {
	if !simtest.Full() {
		t.Skip("thousands of runs; with -full")
	}
	for _, k := range mutants.All() {
		if k.Escapes != "" {
			continue
		}
		states, workloads := k.States, k.Workloads
		if states == nil {
			states = statecatalog.Names()
		}
		if workloads == nil {
			workloads = workloadcatalog.Names()
		}
		for _, a := range k.Algorithms {
			for _, st := range states {
				for _, w := range workloads {
					if (a != k.Algorithms[0]) && (st != states[0] || w != workloads[0]) {
						continue
					}
					if runs, ok := hunt(t, k, a, st, w); !ok {
						t.Errorf("%s in %s/%s/%s: not caught in %d runs", k.Mutant, a, st, w, runs)
					} else {
						t.Logf("%s in %s/%s/%s: %d runs", k.Mutant, a, st, w, runs)
					}
				}
			}
		}
	}
}

func hunt(t *testing.T, k mutants.Case, a, st, w string) (runs int, caught bool) {
	c := combination(t, a, st, workload(t, w))
	c.Mutant, c.Operations, c.Given = k.Mutant, k.Operations, k.Given
	r := runner(t, c)
	for runs = 1; runs <= scenario.HuntLimit; runs++ {
		if o := r.Run(uint64(runs)); o.Kind == scenario.Unsafe || k.Stalls && o.Kind == scenario.NoProgress {
			return runs, true
		}
	}
	return runs, false
}

// TestInterruptedRun: an interrupted run is not judged, and the runner goes on.
func TestInterruptedRun(t *testing.T) {
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := catalog.Lookup("aligned")
	if err != nil {
		t.Fatal(err)
	}
	r, err := scenario.New(scenario.Config{Algorithm: spec, State: statecatalog.Names()[0], Workload: w})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Interrupted = func() bool { return true }
	if o := r.Run(1); o.Kind != scenario.Interrupted || o.Report != nil || o.Kind.String() != "interrupted" {
		t.Errorf("%s: %s", o.Kind, o.Why())
	}
	r.Interrupted = nil
	if o := r.Run(1); o.Kind != scenario.Fine {
		t.Errorf("after it: %s: %s", o.Kind, o.Why())
	}
}

// TestRunsToFind: of ten searches, each over other seeds, the median finds a mistake
// within 500 runs, by the oracle that must see it; with every sink that can show it. By
// default those that plans are drawn for, with -full all.
func TestRunsToFind(t *testing.T) {
	for _, c := range mutants.All() {
		aimed := c.Source == "trial: long windows" || c.Source == "trial: event time under exactly-once"
		if c.Escapes != "" || !aimed && !simtest.Full() {
			continue
		}
		if len(c.Sinks) == 0 {
			c.Sinks = []string{""}
		}
		for _, sink := range c.Sinks {
			t.Run(string(c.Mutant)+" "+sink, func(t *testing.T) { runsToFind(t, c, sink) })
		}
	}
}

func runsToFind(t *testing.T, c mutants.Case, sink string) {
	const searches, most = 10, 500
	var found []int
	for k := range searches {
		r := runner(t, huntConfig(t, c, sink))
		runs := 1
		for ; runs <= most && !seenBy(r.Run(uint64(1000*k+runs)), c.Oracle); runs++ {
		}
		found = append(found, runs)
	}
	slices.Sort(found)
	// Searches that were cut off count as longer than most: where one of the two in
	// the middle was, the median is only known to be above the shorter.
	low, high := found[searches/2-1], found[searches/2]
	t.Logf("%-24s %-11s median between %d and %d (%d: not found) by %s: %v", c.Mutant, sink, low, high, most+1, c.Oracle, found)
	if high > most {
		t.Errorf("%s %s: half of the searches need more than %d runs until the oracle %s sees it: %v", c.Mutant, sink, most, c.Oracle, found)
	}
}

// huntConfig is the combination on which a mistake is hunted by default.
func huntConfig(t *testing.T, c mutants.Case, sink string) scenario.Config {
	st, w := statecatalog.Names()[0], workloadcatalog.Names()[0]
	if c.States != nil {
		st = c.States[0]
	}
	if c.Workloads != nil {
		w = c.Workloads[0]
	}
	x := combination(t, c.Algorithms[0], st, workload(t, w))
	x.Sink, x.Mutant, x.Operations, x.Given = sink, c.Mutant, c.Operations, c.Given
	return x
}

func seenBy(o *scenario.Outcome, oracle string) bool {
	return slices.ContainsFunc(o.Report.Violations, func(v check.Violation) bool { return v.Oracle.String() == oracle })
}
