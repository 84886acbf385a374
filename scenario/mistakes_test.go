package scenario_test

import (
	"testing"

	"weir/algorithms/rounds"
	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/state/heap"
	"weir/trace"
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
		{dataflow.MutantAheadForgotten, down, check.EventTime},
	} {
		t.Run(string(m.mutant), func(t *testing.T) {
			c := combination(t, "unaligned", heap.Name, workload(t, "keyedcount"))
			if m.mutant == dataflow.MutantAheadForgotten {
				c.Workload = workload(t, "sessions") // which gives records up
			}
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

// TestLateThroughAChange: a record that the former owner of its keys would have given up made
// a session anew that had been answered, and the answer had one where there were two.
func TestLateThroughAChange(t *testing.T) {
	for _, x := range []struct {
		algorithm, sink string
		seed            uint64
	}{{"unaligned", "committer", 196}, {"unaligned-timeout", "two-phase", 96}} {
		c := combination(t, x.algorithm, heap.Name, workload(t, "sessions"))
		c.Sink, c.Parallelism, c.Operations = x.sink, 2, []faults.Kind{faults.Rescale}
		if o := runner(t, c).Run(x.seed); o.Kind != scenario.Fine {
			t.Errorf("%s, seed %d: %s", x.algorithm, x.seed, o.Why())
		}
		c.Mutant = dataflow.MutantAheadForgotten
		if o := runner(t, c).Run(x.seed); o.Report.Counts[check.EventTime] == 0 || o.Report.Counts[check.Output] == 0 {
			t.Errorf("%s, seed %d: with the mistake not as it was: %s", x.algorithm, x.seed, o.Why())
		}
	}
}

// TestLateThroughChanges: no operator gives up another record than it should, however often
// its job is rescaled, whatever the algorithm.
func TestLateThroughChanges(t *testing.T) {
	late, rescaled := int64(0), 0
	for _, algorithm := range []string{"unaligned", "unaligned-timeout", "aligned", "stop-the-world"} {
		c := combination(t, algorithm, heap.Name, workload(t, "sessions"))
		c.Operations = []faults.Kind{faults.Rescale}
		r := runner(t, c)
		for seed := range uint64(25) {
			o := r.Run(seed + 1)
			if o.Kind != scenario.Fine {
				t.Errorf("%s, seed %d: %s", algorithm, seed+1, o.Why())
			}
			late += o.Report.LateRecords
			rescaled += int(o.Result.Counts[trace.Rescaled])
		}
	}
	t.Logf("rescaled %d times, %d records given up", rescaled, late)
	if late == 0 || rescaled < 50 {
		t.Errorf("rescaled %d times, %d records given up", rescaled, late)
	}
}
