package scenario_test

import (
	"slices"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/scenario/simtest"
)

// TestTurns: how long a barrier waits changes the runs of the algorithms that say
// so, and no others'.
func TestTurns(t *testing.T) {
	hashes := func(name string, timeout dataflow.Nanos) (all []uint64) {
		r := runner(t, combination(t, name, "heap", workload(t, "keyedcount")))
		for _, seed := range simtest.Seeds(4) {
			d := r.Draw(seed)
			d.Settings.Job.Checkpoint.AlignmentTimeout = timeout
			all = append(all, r.Replay(seed, &d).Result.Hash)
		}
		return all
	}
	for _, name := range catalog.Names() {
		spec, err := catalog.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if turns := !slices.Equal(hashes(name, 0), hashes(name, 1e12)); turns != spec.Turns {
			t.Errorf("%s: Turns is declared %v, and runs differ: %v", name, spec.Turns, turns)
		}
	}
}
