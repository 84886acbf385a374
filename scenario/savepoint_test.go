package scenario_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
)

// TestOnlyWhatStopsTheJobNeedsWhatItLeaves: with checkpoint.on-cancel delete a savepoint is taken, as the job goes on;
// what it is stopped for is refused, by its name.
func TestOnlyWhatStopsTheJobNeedsWhatItLeaves(t *testing.T) {
	for _, k := range []faults.Kind{faults.Savepoint, faults.StopSaved, faults.Rescale, faults.Upgrade} {
		step := k.String()
		if k.ChangesJob() {
			step += " to=3"
		}
		planned := combination(t, "aligned", heap.Name, workload(t, "spending"))
		planned.Given = dataflow.Given{"checkpoint.on-cancel": string(dataflow.DeleteOnCancel)}
		drawn := planned
		planned.Faults, planned.Plan = scenario.PlannedFaults, mustParse(t, fmt.Sprintf("(%s at (nth 2 completed))", step))
		drawn.Operations = []faults.Kind{k}
		for name, c := range map[string]scenario.Config{"planned": planned, "drawn": drawn} {
			if k != faults.Savepoint {
				if _, err := scenario.New(c); err == nil || !strings.Contains(err.Error(), "operation "+k.String()+" ") {
					t.Errorf("%s %s: %v", name, k, err)
				}
				continue
			}
			r, taken := runner(t, c), 0
			for seed := uint64(1); seed <= 10; seed++ {
				o := r.Run(seed)
				simtest.Fine(t, o)
				taken += o.Report.Savepoints
			}
			if taken == 0 {
				t.Errorf("%s: no savepoint was taken", name)
			}
		}
	}
}

// TestPlannedSavepoints: under every algorithm a running job takes a savepoint, ends with
// another one, and goes on from what it has itself as if nothing had been.
func TestPlannedSavepoints(t *testing.T) {
	for _, a := range catalog.All() {
		c := combination(t, a.Name, heap.Name, workload(t, "keyedcount"))
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(plan (savepoint at (nth 9 emitted)) (stop-with-savepoint at (after (nth 1 savepoint-complete) (nth 6 emitted))))")
		r := runner(t, c)
		taken, ended := 0, 0
		for _, seed := range simtest.Seeds(10) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			if n := len(o.NotStruck()); 2-n > o.Report.Savepoints {
				t.Errorf("%s, seed %d: %d savepoints; not struck: %v", a.Name, seed, o.Report.Savepoints, o.NotStruck())
			}
			taken, ended = taken+o.Report.Savepoints, ended+o.Report.StoppedWith
		}
		if (taken < 15 || ended < 5) && !simtest.SeedsGiven() {
			t.Errorf("%s: %d savepoints, %d with which the job ended", a.Name, taken, ended)
		}
	}
}

// TestDrawnSavepoints: savepoints at drawn instants, beside crashes and storage that fails.
func TestDrawnSavepoints(t *testing.T) {
	for _, x := range []struct{ algorithm, state, workload string }{
		{"aligned", "heap", "keyedcount"}, {"unaligned", "heap", "nexmark-q8"}, {"unaligned-timeout", "pebble", "sessions"}, {"stop-the-world", "heap", "enrichment"},
		{"chandy-lamport", "heap", "pipelines"}, {"at-least-once", "heap", "keyedcount"}, {"uncoordinated", "heap", "nexmark-q5"}, {"cic-hmnr", "heap", "keyedcount"}, {"none", "heap", "keyedcount"},
	} {
		c := combination(t, x.algorithm, x.state, workload(t, x.workload))
		c.Operations = []faults.Kind{faults.Savepoint, faults.StopSaved}
		r := runner(t, c)
		taken, ended := 0, 0
		for _, seed := range simtest.Seeds(15) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			taken, ended = taken+o.Report.Savepoints, ended+o.Report.StoppedWith
		}
		t.Logf("%s, %s, %s: %d savepoints, %d with which the job ended", x.algorithm, x.state, x.workload, taken, ended)
		if min(taken, ended) == 0 && !simtest.SeedsGiven() {
			t.Errorf("%s: %d savepoints, %d with which the job ended", x.algorithm, taken, ended)
		}
	}
}

// TestSavepointsAndSeveralCoordinators: savepoints of whoever leads, while leaders stand still,
// wake up and are gone.
func TestSavepointsAndSeveralCoordinators(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		c := combination(t, algorithm, heap.Name, workload(t, "keyedcount"))
		c.Operations, c.Coordinators = []faults.Kind{faults.Savepoint, faults.StopSaved}, 3
		r := runner(t, c)
		taken, replaced := 0, 0
		for _, seed := range simtest.Seeds(20) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			taken, replaced = taken+o.Report.Savepoints, replaced+o.Result.CoordinatorCrashes
		}
		if min(taken, replaced) == 0 && !simtest.SeedsGiven() {
			t.Errorf("%s: %d savepoints, the coordinator was replaced %d times", algorithm, taken, replaced)
		}
	}
}

// TestNoSavepointOfALoop: it is refused before a run, by name.
func TestNoSavepointOfALoop(t *testing.T) {
	for _, plan := range []string{"(savepoint)", "(plan (crash worker=0) (stop-with-savepoint))"} {
		c := combination(t, "aligned-cyclic", heap.Name, workload(t, "reachability"))
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
		r, err := scenario.New(c)
		if err == nil {
			r.Close()
		}
		var refusal *dataflow.Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "follow lies in a loop") {
			t.Errorf("%s: %v", plan, err)
		}
	}
}

// TestMistakesOfASavepoint: each is told by the oracle that is there for it, and the run
// without it is clean.
func TestMistakesOfASavepoint(t *testing.T) {
	const running, last = "(savepoint at (nth 9 emitted))", "(stop-with-savepoint at (nth 9 emitted))"
	for _, m := range []struct {
		mutant    dataflow.Mutant
		algorithm string
		plan      string
		by        check.Oracle
	}{
		{coordinator.MutantSavepointNotDrained, "unaligned", running, check.Savepoints},
		{coordinator.MutantSavepointNotDrained, "uncoordinated", running, check.Savepoints},
		{coordinator.MutantSavepointCollected, "aligned", running, check.Savepoints},
		{coordinator.MutantSavepointCommits, "aligned", last, check.Commit},
		{coordinator.MutantSavepointCommits, "uncoordinated", last, check.Commit},
	} {
		c := combination(t, m.algorithm, heap.Name, workload(t, "keyedcount"))
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, m.plan)
		clean := runner(t, c)
		c.Mutant = m.mutant
		wrong := runner(t, c)
		const most = 50
		seed := uint64(1)
		for ; seed <= most; seed++ {
			simtest.Fine(t, clean.Run(seed))
			if wrong.Run(seed).Report.Counts[m.by] > 0 {
				break
			}
		}
		if seed > most {
			t.Errorf("%s, %s: %s has not told in %d runs", m.mutant, m.algorithm, m.by, most)
		}
		t.Logf("%s, %s: %s has told after %d runs", m.mutant, m.algorithm, m.by, seed)
	}
}

// TestNothingIsDoneTwice: a job that fails between its last savepoint and its end goes back to
// what it has itself, and ends with another one.
func TestNothingIsDoneTwice(t *testing.T) {
	for _, algorithm := range []string{"aligned", "unaligned", "uncoordinated"} {
		for _, victim := range []string{"worker=0", "worker=1", "coordinator"} {
			c := combination(t, algorithm, heap.Name, workload(t, "keyedcount"))
			c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(plan (stop-with-savepoint at (nth 9 emitted)) (crash "+victim+" at (nth 1 savepoint-complete)))")
			r := runner(t, c)
			for _, seed := range simtest.Seeds(10) {
				o := r.Run(seed)
				simtest.Fine(t, o)
				if o.Report.Savepoints < 2 || o.Report.StoppedWith != 1 || o.Result.Counts[trace.Stopped] != 1 {
					t.Errorf("%s, %s, seed %d: %d savepoints, %d with which the job ended", algorithm, victim, seed, o.Report.Savepoints, o.Report.StoppedWith)
				}
			}
		}
	}
}
