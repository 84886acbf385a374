package scenario_test

import (
	"slices"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	statecatalog "weir/state/catalog"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// TestReorderingChannels: whoever bears channels that reorder is run over such, with every
// backend, sink and workload that has no loop, while the job is operated and crashes. Most of
// what a drawn cell does goes over channels that keep their order.
func TestReorderingChannels(t *testing.T) {
	var cfgs []scenario.Config
	for _, a := range catalog.All() {
		if a.Declared.Channels != dataflow.AnyOrder || a.Declared.Snapshots == dataflow.NoSnapshots {
			continue
		}
		for _, st := range statecatalog.Names() {
			for _, sink := range sinks.Names() {
				for _, name := range workloadcatalog.Names() {
					if loops(t, name) {
						continue
					}
					c := combination(t, a.Name, st, workload(t, name))
					c.Sink, c.Reorder = sink, true
					if c.Refused() == nil {
						cfgs = append(cfgs, c)
					}
				}
			}
		}
	}
	cells := scenario.NewCells(cfgs)
	cells.Operations = []faults.Kind{faults.Rescale, faults.Upgrade, faults.Failover, faults.Query, faults.Savepoint, faults.StopSaved}
	recoveries, changes := 0, 0
	for _, seed := range simtest.Seeds(len(cfgs) / 4) {
		r := runner(t, cells.Draw(seed))
		o := r.Run(seed)
		if o.Kind != scenario.Fine {
			c := cells.Draw(seed)
			t.Errorf("%s %s %s %s, seed %d: %s: %s\n%s", c.Algorithm.Name, c.State, c.SinkName(), c.Workload.Name(), seed, o.Kind, o.Why(), o.Plan)
		}
		recoveries += o.Result.Recoveries
		changes += int(o.Result.Counts[trace.Rescaled])
	}
	if t.Logf("%d combinations, %d recoveries, %d changes of a job", len(cfgs), recoveries, changes); !simtest.SeedsGiven() && (recoveries == 0 || changes == 0) {
		t.Error("no run shows both")
	}
}

// loops reports that the graph of a workload has a cycle.
func loops(t *testing.T, name string) bool {
	t.Helper()
	g, err := workload(t, name).Graph(2, func() dataflow.Operator { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(g.Edges, func(e dataflow.Edge) bool { return e.Back })
}
