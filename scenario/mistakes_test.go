package scenario_test

import (
	"testing"

	"weir/algorithms/rounds"
	"weir/check"
	"weir/dataflow"
	"weir/scenario"
	"weir/state/heap"
)

// TestMistakesOfARescaling: each is told by the oracle that is there for it, and the run
// without it is clean. A record of a key group that its task does not own ends the job
// of this backend.
func TestMistakesOfARescaling(t *testing.T) {
	const up, down = "(rescale to=3 at (nth 2 completed))", "(plan (rescale to=3 at (nth 1 completed)) (rescale to=1 at (nth 3 completed)))"
	for _, m := range []struct {
		mutant dataflow.Mutant
		plan   string
		by     check.Oracle
	}{
		{rounds.MutantFormerSplitLost, up, check.Restore},
		{rounds.MutantFormerSplitTwice, down, check.Conservation},
		{rounds.MutantFormerInputsUnread, up, check.Cut},
		{dataflow.MutantVanishedForgotten, down, check.Output},
		{dataflow.MutantSentToOldPlace, up, check.Progress},
	} {
		t.Run(string(m.mutant), func(t *testing.T) {
			c := combination(t, "unaligned", heap.Name, workload(t, "keyedcount"))
			c.Faults, c.Plan, c.Splits = scenario.PlannedFaults, mustParse(t, m.plan), 4
			clean := runner(t, c)
			c.Mutant = m.mutant
			wrong := runner(t, c)
			const most = 200
			seed := uint64(1)
			for ; seed <= most; seed++ {
				if o := clean.Run(seed); o.Kind != scenario.Fine {
					t.Fatalf("seed %d without the mistake: %s", seed, o.Why())
				}
				o := wrong.Run(seed)
				if o.Report.Counts[m.by] > 0 {
					break
				}
			}
			if seed > most {
				t.Fatalf("%s has not told in %d runs", m.by, most)
			}
			t.Logf("%s has told after %d runs", m.by, seed)
		})
	}
}
