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
		c := combination(t, name, "heap", workload(t, "keyedcount"))
		c.AlignmentTimeout = &timeout
		r := runner(t, c)
		for _, seed := range simtest.Seeds(4) {
			all = append(all, r.Run(seed).Result.Hash)
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
