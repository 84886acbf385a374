package scenario_test

import (
	"testing"

	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
)

// TestAShapeThatCompletedNothing: its sinks have pre-committed transactions under names that
// no later task has, and no checkpoint tells of them. They are aborted all the same.
func TestAShapeThatCompletedNothing(t *testing.T) {
	for _, plan := range []string{
		"(plan (crash worker=0 at (nth 5 snapshot-stored)) (rescale to=1 at (nth 5 snapshot-stored)))",
		"(plan (rescale to=4 at (nth 1 completed)) (crash worker=0 at (after (nth 1 rescaled) (nth 11 snapshot-stored))) (rescale to=2 at (after (nth 1 rescaled) (nth 11 snapshot-stored))))",
		"(plan (rescale to=4 at (nth 1 completed)) (crash worker=0 at (after (nth 1 rescaled) (nth 11 snapshot-stored))) (rescale to=2 at (after (nth 1 rescaled) (nth 11 snapshot-stored))) (crash coordinator at (after (nth 2 rescaled) (nth 1 plan-durable))))",
	} {
		c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
		r := runner(t, c)
		rescaled := 0
		for seed := uint64(1); seed <= 25; seed++ {
			o := r.Run(seed)
			simtest.Fine(t, o)
			rescaled += int(o.Result.Counts[trace.Rescaled])
		}
		if rescaled == 0 {
			t.Errorf("%s: never rescaled", plan)
		}
	}
}
