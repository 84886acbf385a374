package scenario_test

import (
	"strings"
	"testing"

	"weir/dataflow"
	"weir/scenario"
	"weir/sim"
	"weir/state/heap"
)

// TestRestartsForEver: the external store aborts what must be committed. A restart strategy that has
// an end comes to it; a job whose strategy has none restarts for ever, which is no mistake of it either,
// and is told with what its tasks fail of.
func TestRestartsForEver(t *testing.T) {
	const runs, least = 12, 3 // in which the job could not go on
	for _, x := range []struct {
		strategy string
		drawn    bool // the fault is one of a drawn run
		verdict  sim.Verdict
		kind     scenario.Kind
	}{
		{"progress", true, sim.Failed, scenario.Fine},
		{"exponential-delay", true, sim.NoProgress, scenario.Fine},
		{"exponential-delay", false, sim.NoProgress, scenario.Broken},
	} {
		c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
		c.Sink, c.Given = "two-phase", dataflow.Given{"restart.strategy": x.strategy}
		if !x.drawn {
			c.Faults = scenario.PlannedFaults
		}
		r := runner(t, c)
		r.MostEvents = 200_000
		lost := 0
		for seed := range uint64(runs) {
			d := r.Draw(seed + 1)
			d.Plan = mustParse(t, "(abort sink at (nth 5 snapshot-stored))")
			o := r.Replay(seed+1, &d)
			if !o.GaveUp() {
				if o.Kind != scenario.Fine || o.Result.Verdict != sim.Done {
					t.Errorf("%+v, seed %d: %s: %s", x, seed+1, o.Kind, o.Why())
				}
				continue // nothing was open, or nobody needed it
			}
			lost++
			if o.Kind != x.kind || o.Result.Verdict != x.verdict || !strings.Contains(o.WhyGaveUp().Error(), "output is lost: transaction ") {
				t.Errorf("%+v, seed %d: %s, %s: %v", x, seed+1, o.Kind, o.Result.Verdict, o.WhyGaveUp())
			}
			if told := strings.Contains(strings.Join(o.Result.Standstill, "\n"), "tasks failed "); told != (x.verdict == sim.NoProgress) {
				t.Errorf("%+v, seed %d: %s", x, seed+1, o.Result.Standstill)
			}
		}
		if lost < least {
			t.Errorf("%+v: %d runs of %d had lost what they needed", x, lost, runs)
		}
	}
}
