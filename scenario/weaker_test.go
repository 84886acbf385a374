package scenario_test

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
)

// TestEveryWeakerCombinationIsSeen: each row of the guarantees table that promises
// less than exactly once shows it: rows twice, again, taken back or lost.
func TestEveryWeakerCombinationIsSeen(t *testing.T) {
	const most = 40
	for _, a := range catalog.All() {
		for _, sink := range sinks.Names() {
			c := combination(t, a.Name, heap.Name, workload(t, "keyedcount"))
			c.Sink = sink
			p, err := c.Promise()
			if err != nil || p.Output == dataflow.ExactlyOnce && p.Shows == sinks.Committed {
				continue
			}
			runs := 1
			for r := runner(t, c); runs <= most && !weak(t, r.Run(uint64(runs))); runs++ {
			}
			if t.Logf("%s with %s: %d runs", a.Name, sink, runs); runs > most {
				t.Errorf("%s with %s promises %s, and %d runs show nothing weaker", a.Name, sink, p, most)
			}
		}
	}
}

// weak reports whether a run that broke no promise showed less than exactly once.
func weak(t *testing.T, o *scenario.Outcome) bool {
	t.Helper()
	simtest.Fine(t, o)
	s := &o.Report.Stats
	return s.Duplicates > 0 || s.Losses > 0 || s.RowsAgain > 0 || s.RowsTakenBack > 0
}
