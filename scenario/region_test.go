package scenario_test

import (
	"fmt"
	"testing"

	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/algorithms/rounds"
	"weir/check"
	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
)

// byRegion is a job of two pipelines that restart by region, on so many workers.
func byRegion(t testing.TB, algorithm, backend string, workers int) scenario.Config {
	t.Helper()
	c := combination(t, algorithm, backend, workload(t, "pipelines"))
	c.Workers = workers
	c.Given = dataflow.Given{}
	if err := c.Given.Put("restart.failover-strategy", "region"); err != nil {
		t.Fatal(err)
	}
	return c
}

// regional are the algorithms that can restart a region.
func regional() (all []*algorithms.Spec) {
	for _, a := range catalog.All() {
		if a.Declared.Rollback == dataflow.ScopeRegion {
			all = append(all, a)
		}
	}
	return all
}

// alone is how many workers give each of the twelve tasks one of its own.
const alone = 12

// TestRegions: two pipelines restart one by one under drawn crashes of workers that hold tasks of
// one, or of both, and of the coordinator, and tasks that give up by themselves.
func TestRegions(t *testing.T) {
	for _, a := range regional() {
		var kept, crashes, coordinators, failures int
		for _, workers := range []int{alone, 4, 3} {
			for _, backend := range []string{"heap", "pebble"} {
				if backend == "pebble" && workers != alone {
					continue
				}
				r := runner(t, byRegion(t, a.Name, backend, workers))
				for _, seed := range simtest.Seeds(16) {
					o := r.Run(seed)
					simtest.Fine(t, o)
					kept += o.Report.Kept
					crashes += o.Report.Crashes
					coordinators += o.Report.CoordinatorCrashes
					failures += o.Report.TaskFailures
				}
			}
		}
		t.Logf("%s: %d tasks were kept; %d crashes of workers, %d of the coordinator, %d failures of tasks", a.Name, kept, crashes, coordinators, failures)
		if simtest.SeedsGiven() {
			continue
		}
		if kept == 0 || crashes == 0 || coordinators == 0 || failures == 0 {
			t.Errorf("%s: some of that never came about", a.Name)
		}
	}
}

// effectOfFailover: after a crash of one pipeline's worker the tasks of the other one are kept,
// and without the setting, or if it holds tasks of both, they are not. Where edges connect all
// tasks the setting changes nothing.
func effectOfFailover(t *testing.T) {
	const crash = "(crash worker=%d at (nth 2 completed))"
	for _, x := range []struct {
		workers, crashed int
		strategy         string
		kept             int
	}{
		{alone, 2, "region", 6}, {alone, 7, "region", 6}, {alone, 2, "full", 0}, {3, 2, "region", 0},
	} {
		c := byRegion(t, "aligned", "heap", x.workers)
		if err := c.Given.Put("restart.failover-strategy", x.strategy); err != nil {
			t.Fatal(err)
		}
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, fmt.Sprintf(crash, x.crashed))
		r := runner(t, c)
		for seed := range uint64(4) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			if o.Report.Kept != x.kept {
				t.Errorf("%+v, seed %d: %d tasks were kept", x, seed, o.Report.Kept)
			}
		}
	}
	hash := func(strategy string) (all []uint64) {
		c := byRegion(t, "aligned", "heap", 3)
		c.Workload = workload(t, "keyedcount")
		if err := c.Given.Put("restart.failover-strategy", strategy); err != nil {
			t.Fatal(err)
		}
		r := runner(t, c)
		for seed := range uint64(10) {
			all = append(all, r.Run(seed).Result.Hash)
		}
		return all
	}
	if a, b := fmt.Sprint(hash("full")), fmt.Sprint(hash("region")); a != b {
		t.Errorf("a connected graph runs otherwise: %s and %s", a, b)
	}
}

// TestRegionsMeet aims crashes at what a region goes through as it restarts: of itself, of the
// other one, of the coordinator.
func TestRegionsMeet(t *testing.T) {
	kept := 0
	for _, a := range regional() {
		for _, second := range []string{"worker=2", "worker=8", "coordinator"} {
			for _, at := range []string{"(nth 2 plan-durable)", "(nth 2 plan-executed)", "(after (nth 2 plan-executed) (nth 2 task-restored))", "(after (nth 2 plan-executed) (nth 3 task-ready))", "(after (nth 2 plan-executed) (nth 1 triggered))", "(after (nth 2 plan-executed) (nth 1 completed))"} {
				c := byRegion(t, a.Name, "heap", alone)
				c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, fmt.Sprintf("(plan (crash worker=3 at (nth 2 triggered)) (crash %s at %s))", second, at))
				r := runner(t, c)
				for seed := range uint64(3) {
					o := r.Run(seed)
					simtest.Fine(t, o)
					kept += o.Report.Kept
				}
			}
		}
	}
	if t.Logf("%d tasks were kept", kept); kept == 0 {
		t.Error("no task was kept")
	}
}

// TestRegionsMistaken: mistakes of a coordinator that restarts regions are found, by the oracle
// that knows.
func TestRegionsMistaken(t *testing.T) {
	for _, x := range []struct {
		mutant dataflow.Mutant
		by     check.Oracle
	}{
		{rounds.MutantRegionTooSmall, check.Rollback},
		{rounds.MutantKeptShareCounts, check.StorageWhole},
		{rounds.MutantKeptLeftUnknown, check.Progress},
	} {
		c := byRegion(t, "aligned", "heap", alone)
		c.Mutant = x.mutant
		r := runner(t, c)
		const most = 300
		seed := uint64(0)
		for ; seed < most && r.Run(seed).Report.Counts[x.by] == 0; seed++ {
		}
		if t.Logf("%s: run %d", x.mutant, seed+1); seed == most {
			t.Errorf("%s: not found by %s in %d runs", x.mutant, x.by, most)
		}
	}
}

// TestRegionsReplayed: a run that was recorded is judged as it ran, whatever is given where it is
// made again.
func TestRegionsReplayed(t *testing.T) {
	c := byRegion(t, "aligned", "heap", alone)
	c.Record = true
	plain := c
	plain.Given, plain.Record = nil, false
	r, again := runner(t, c), runner(t, plain)
	for seed := range uint64(20) {
		o := r.Run(seed)
		simtest.Fine(t, o)
		x := again.Replay(seed, o.Drawn())
		simtest.Fine(t, x)
		if x.Report.Kept != o.Report.Kept || x.Result.Hash != o.Result.Hash {
			t.Errorf("seed %d: %d tasks were kept, and %d in the replay; hash %x and %x", seed, o.Report.Kept, x.Report.Kept, o.Result.Hash, x.Result.Hash)
		}
		simtest.Fine(t, again.Run(seed)) // as it was before
	}
}

// TestKeptGoOn: a task that is kept hands out, between the failure of the other pipeline and its
// being back, what it would have anyway.
func TestKeptGoOn(t *testing.T) {
	c := byRegion(t, "aligned", "heap", alone)
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(crash worker=2 at (nth 2 completed))")
	failed, back, done := false, 0, 0
	for _, e := range simtest.Trace(t, c, 1, trace.WorkerCrashed, trace.TaskReady, trace.Delivered) {
		switch {
		case e.Kind == trace.WorkerCrashed:
			failed = true
		case e.Kind == trace.TaskReady && failed:
			back++
		case failed && back < 12 && e.Task >= 6:
			done++
		}
	}
	if back != 12 || done == 0 {
		t.Errorf("%d tasks answer the plan; the other pipeline takes %d buffers meanwhile", back, done)
	}
}
