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
// less than exactly once shows just what it leaves open, in either column.
func TestEveryWeakerCombinationIsSeen(t *testing.T) {
	const most = 40
	for _, name := range []string{"keyedcount", "sampling"} { // whose operators are deterministic, and not
		for _, a := range catalog.All() {
			for _, sink := range sinks.Names() {
				c := combination(t, a.Name, heap.Name, workload(t, name))
				c.Sink = sink
				p, err := c.Promise()
				if err != nil || p.Output == dataflow.ExactlyOnce && p.Shows == sinks.Committed {
					continue
				}
				if p.Again != (name == "keyedcount") {
					t.Fatalf("%s is of the other column", name)
				}
				runs := 1
				for r := runner(t, c); runs <= most && !weak(t, r.Run(uint64(runs)), p); runs++ {
				}
				if t.Logf("%s with %s, %s: %d runs", a.Name, sink, name, runs); runs > most {
					t.Errorf("%s with %s promises %s of %s, and %d runs show nothing weaker", a.Name, sink, p, name, most)
				}
			}
		}
	}
}

// weak reports whether a run that broke no promise showed what p does not promise.
func weak(t *testing.T, o *scenario.Outcome, p sinks.Promise) bool {
	t.Helper()
	if simtest.Fine(t, o) && !o.Whole() {
		return false // damage shows more than the combination does
	}
	switch s := &o.Report.Stats; {
	case p.Output == dataflow.AtMostOnce:
		return s.Losses > 0
	case p.Shows == sinks.Rows && p.Again:
		return s.RowsAgain > 0 && s.RowsTakenBack > 0
	case p.Shows == sinks.Values && p.Output == dataflow.AtLeastOnce && p.Again, p.Shows == sinks.Committed:
		return s.Duplicates > 0 // in the values themselves
	default:
		return s.RowsTakenBack > 0
	}
}
