package main

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/internal/bench/job"
	"weir/results"
)

// TestComparisonHasEveryAlgorithm: whatever the catalog lists is measured, against
// one that takes no checkpoints.
func TestComparisonHasEveryAlgorithm(t *testing.T) {
	plan := comparison(&flags{parallelism: 2, tuning: job.DefaultTuning()})
	closed := map[string]bool{}
	for _, c := range plan.Cells {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		if c.Load == results.ClosedLoop && !c.Kill {
			closed[c.Algorithm] = true
		}
	}
	for _, name := range catalog.Names() {
		if !closed[name] {
			t.Errorf("%s has no throughput", name)
		}
	}
	if a, err := job.LookupAlgorithm(plan.Baseline); err != nil || a.TakesSnapshots() {
		t.Errorf("baseline %q: %v", plan.Baseline, err)
	}
}
