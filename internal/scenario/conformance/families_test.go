package conformance

import (
	"testing"

	"weir/algorithms"
	"weir/algorithms/laiyang"
	"weir/algorithms/mattern"
	"weir/internal/algorithms/algorithmstest"
	"weir/scenario"
	"weir/scenario/simtest"
	workloadcatalog "weir/workloads/catalog"
)

// TestFamilies sweeps the executed families of algorithmstest under the oracles, and over
// channels that reorder the algorithms that are for them; -full takes 1,000 seeds.
func TestFamilies(t *testing.T) {
	seeds := uint64(60)
	if simtest.Full() {
		seeds = 1000
	}
	for _, f := range []struct {
		spec    *algorithms.Spec
		reorder bool
	}{
		{laiyang.Spec(), true},
		{mattern.Spec(), true},
		{algorithmstest.StrongProductions(), false},
		{algorithmstest.Causal(), false},
		{algorithmstest.CausalInputs(), false},
		{algorithmstest.MicroBatch(), false},
	} {
		t.Run(f.spec.Name, func(t *testing.T) {
			w, err := workloadcatalog.New("keyedcount")
			if err != nil {
				t.Fatal(err)
			}
			w.Small()
			r, err := scenario.New(scenario.Config{Algorithm: f.spec, State: "heap", Workload: w, Reorder: f.reorder, Mild: true})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			recoveries, checkpoints, bad := 0, 0, 0
			for seed := uint64(1); seed <= seeds; seed++ {
				o := r.Run(seed)
				recoveries += o.Result.Recoveries
				checkpoints += o.Checkpoints()
				if o.Kind != scenario.Fine {
					t.Errorf("seed %d: %s: %s\n%s\n%s", seed, o.Kind, o.Why(), o.Plan, o.Result.Stack)
					if bad++; bad > 4 {
						break
					}
				}
			}
			t.Logf("%d seeds: %d checkpoints, %d recoveries", seeds, checkpoints, recoveries)
			if recoveries == 0 || checkpoints == 0 {
				t.Error("no run recovered from a checkpoint")
			}
		})
	}
}
