package scenario_test

import (
	"testing"

	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
)

// TestSuspectsLoseNoMiddle: what is sent to a task that is taken for dead ends somewhere, and has no gap
// before that: not where the task was cut off from a peer that died before it was replaced itself, nor
// where a link stands still meanwhile.
func TestSuspectsLoseNoMiddle(t *testing.T) {
	for _, plan := range []string{
		`(plan (suspect worker=0 at (nth 9 snapshot-stored)) (suspect worker=2 at (nth 9 snapshot-stored)))`,
		`(plan (suspect worker=2 at (nth 9 snapshot-stored)) (stall link c2 for 6ms at (nth 9 snapshot-stored)) (stall link c6 for 6ms at (nth 9 snapshot-stored)))`,
	} {
		c := combination(t, "at-least-once", heap.Name, workload(t, "keyedcount"))
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
		r := runner(t, c)
		for seed := uint64(1); seed <= 60; seed++ {
			simtest.Fine(t, r.Run(seed))
		}
	}
}
