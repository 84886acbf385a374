package scenario_test

import (
	"testing"

	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
)

// standby is a combination with two coordinator processes under a plan.
func standby(t *testing.T, algorithm, plan string) scenario.Config {
	c := combination(t, algorithm, "heap", workload(t, "keyedcount"))
	c.Coordinators = 2
	if plan != "" {
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
	}
	return c
}

// TestStandbyTakesOver: of two coordinator processes the other one goes on when the
// leader is gone, or stands still for longer than its lease; and no sooner.
func TestStandbyTakesOver(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "cic-bcs"} {
		for _, c := range []struct {
			plan  string
			moves bool
		}{
			{`(crash coordinator at (nth 9 acked))`, true},
			{`(suspect coordinator for 120ms at (nth 9 acked))`, true},
			{`(stall coordinator for 8ms at (nth 9 acked))`, false},
			{`(plan (suspect coordinator for 120ms at (nth 9 acked)) (crash worker=1 at (after (nth 1 coordinator-started) (nth 1 coordinator-started))))`, true},
		} {
			r := runner(t, standby(t, name, c.plan))
			for seed := range uint64(8) {
				o := r.Run(seed + 1)
				simtest.Fine(t, o)
				if n := o.Result.Counts[trace.CoordinatorStarted]; c.moves && n < 2 || !c.moves && n > 1 {
					t.Errorf("%s, seed %d, %s: %d coordinators started", name, seed+1, c.plan, n)
				}
			}
		}
	}
}

// TestStandbysUnderDrawnFaults: whoever leads, and however often that changes, what the
// algorithm promises holds. The lease alone would not do: a process acts once more
// where it only looks at its clock afterwards, and what it has asked for lands late.
func TestStandbysUnderDrawnFaults(t *testing.T) {
	const runs = 25
	for _, name := range []string{"aligned", "unaligned", "stop-the-world", "uncoordinated"} {
		r := runner(t, standby(t, name, ""))
		moved := int64(0)
		for seed := range uint64(runs) {
			o := r.Run(seed + 1)
			simtest.Fine(t, o)
			moved += o.Result.Counts[trace.CoordinatorStarted] - 1
		}
		t.Logf("%s: %d runs, the lead moved %d times", name, runs, moved)
		if moved == 0 {
			t.Errorf("%s: the lead never moved", name)
		}
	}
}
