package cichmnr_test

import (
	"testing"

	"weir/algorithms"
	"weir/algorithms/cicbcs"
	"weir/algorithms/cichmnr"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
)

// The theorem of the paper, that no snapshot is useless in any computation, is
// tested on the rule itself, with cycles: TestNoneUseless.

func run(t *testing.T, a *algorithms.Spec, faults scenario.FaultMode, seed uint64, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	c := scenario.Config{Algorithm: a, State: "heap", Workload: keyedcount.New(), Faults: faults}
	return simtest.Trace(t, c, seed, kinds...)
}

// TestForcedBeforeDelivery: a forced snapshot is taken before the message that
// forces it is delivered.
func TestForcedBeforeDelivery(t *testing.T) {
	forced := 0
	for _, seed := range simtest.Seeds(8) {
		must := map[id.TaskID]id.Epoch{}
		for _, e := range run(t, cichmnr.Spec(), scenario.RandomFaults, seed, trace.Forced, trace.SnapshotBegun, trace.Delivered) {
			want, ok := must[e.Task]
			switch {
			case e.Kind == trace.Forced:
				must[e.Task] = e.Epoch
				forced++
			case ok && (e.Kind == trace.Delivered || e.Epoch != want):
				t.Fatalf("seed %d: %s of %s before it takes %s", seed, e.Kind, e.Task, want)
			default:
				delete(must, e.Task)
			}
		}
	}
	if forced == 0 {
		t.Error("nothing was forced: the test shows nothing")
	}
}

// TestForcesLessThanAnIndex: the paper's family is ordered by what a protocol
// knows; the one that knows all forces fewer snapshots than the one that knows
// an index only, which is a member of it.
func TestForcesLessThanAnIndex(t *testing.T) {
	informed, index := 0, 0
	for _, seed := range simtest.Seeds(20) {
		informed += len(run(t, cichmnr.Spec(), scenario.NoFaults, seed, trace.Forced))
		index += len(run(t, cicbcs.Spec(), scenario.NoFaults, seed, trace.Forced))
	}
	if informed == 0 || informed >= index {
		t.Errorf("%d forced snapshots, an index forces %d", informed, index)
	}
	t.Logf("%d forced snapshots, an index forces %d", informed, index)
}
