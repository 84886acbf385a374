package scenario_test

import (
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// localRecovery is a combination that keeps local copies, under drawn faults.
func localRecovery(t testing.TB, algorithm, backend, job string) scenario.Config {
	t.Helper()
	c := combination(t, algorithm, backend, workload(t, job))
	c.Given = dataflow.Given{}
	if err := c.Given.Put("checkpoint.local-recovery", "true"); err != nil {
		t.Fatal(err)
	}
	return c
}

// effectOfLocalRecovery: what a crashed worker has copies of it does not read from storage, unless
// it comes back with an empty disk, and without the setting there are none.
func effectOfLocalRecovery(t *testing.T) {
	const wiped = "(wipe worker=0 at (nth 2 completed))" // on which a counter is
	counts := func(given, plan string) (n state.CopyCounts) {
		c := localRecovery(t, "aligned", pebblestate.NameIncremental, "keyedcount")
		if err := c.Given.Put("checkpoint.local-recovery", given); err != nil {
			t.Fatal(err)
		}
		c.Faults, c.Plan, c.Splits = scenario.PlannedFaults, mustParse(t, plan), 1
		r := runner(t, c)
		for seed := range uint64(8) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			n.Add(o.Result.Copies)
		}
		return n
	}
	if n := counts("false", oneCrash); n != (state.CopyCounts{}) {
		t.Errorf("without the setting %+v", n)
	}
	crashed, empty := counts("true", oneCrash), counts("true", wiped)
	if crashed.Taken == 0 || empty.Taken == 0 || empty.Missing <= crashed.Missing {
		t.Errorf("%+v after a crash, %+v with an empty disk; want copies to be taken, and more missing on an empty disk", crashed, empty)
	}
}

// TestLocalRecovery: what is restored from local copies is what was stored, whatever crashes have
// left of them: nothing, some, or torn ones.
func TestLocalRecovery(t *testing.T) {
	var sum state.CopyCounts
	for _, algorithm := range []string{"aligned", "unaligned", "uncoordinated", "cic-hmnr"} {
		for _, backend := range statecatalog.Names() {
			job := "keyedcount"
			if backend == heap.Name {
				job = "nexmark-q5" // its timers are files
			}
			c := localRecovery(t, algorithm, backend, job)
			r := runner(t, c)
			for seed := range uint64(25) {
				o := r.Run(seed)
				simtest.Fine(t, o)
				sum.Add(o.Result.Copies)
			}
		}
	}
	t.Logf("%+v", sum)
	if sum.Taken == 0 || sum.Missing == 0 || sum.Damaged == 0 {
		t.Errorf("%+v: some of that never came about", sum)
	}
}

// TestLocalRecoveryRepeats: a run with local copies is its seed's, as any other.
func TestLocalRecoveryRepeats(t *testing.T) {
	for _, backend := range statecatalog.Names() {
		c := localRecovery(t, "aligned", backend, "nexmark-q5")
		a, b := runner(t, c), runner(t, c)
		for seed := range uint64(10) {
			if x, y := a.Run(seed).Result, b.Run(seed).Result; x.Hash != y.Hash || x.Copies != y.Copies {
				t.Errorf("%s, seed %d: hash %x and %x, %+v and %+v", backend, seed, x.Hash, y.Hash, x.Copies, y.Copies)
			}
		}
	}
}

// TestStaleLocalCopies: a local copy of another snapshot's file, taken in the place of the right
// one, is state that was never stored, and the oracle of restores tells.
func TestStaleLocalCopies(t *testing.T) {
	c := localRecovery(t, "aligned", pebblestate.NameIncremental, "keyedcount")
	clean := runner(t, c)
	c.Mutant = dataflow.MutantLocalStale
	wrong := runner(t, c)
	const most = 200
	for seed := uint64(1); seed <= most; seed++ {
		if o := clean.Run(seed); o.Kind != scenario.Fine {
			t.Fatalf("seed %d without the mistake: %s", seed, o.Why())
		}
		if o := wrong.Run(seed); o.Report.Counts[check.Restore] > 0 {
			t.Logf("%s has told after %d runs: %s", check.Restore, seed, o.Why())
			return
		}
	}
	t.Errorf("%s has not told in %d runs", check.Restore, most)
}
