package alignedcyclic_test

import (
	"testing"

	"weir/algorithms/alignedcyclic"
	"weir/dataflow"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
	"weir/workloads/reachability"
)

// backEdges returns the channels of the loop's back-edge.
func backEdges(t *testing.T) map[id.ChannelID]bool {
	t.Helper()
	g, err := reachability.New().Graph(2, func() dataflow.Operator { return nil })
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := g.Expand(scenario.DefaultGroups)
	if err != nil {
		t.Fatal(err)
	}
	back := map[id.ChannelID]bool{}
	for i := range tasks {
		for _, in := range tasks[i].Inputs {
			if in.Back {
				back[in.ID] = true
			}
		}
	}
	return back
}

// TestOnlyBackEdgesAreLogged: channel state is what back-edges bring, and there
// is some; what was logged is replayed by recoveries.
func TestOnlyBackEdgesAreLogged(t *testing.T) {
	back := backEdges(t)
	logged, replayed := 0, 0
	c := scenario.Config{Algorithm: alignedcyclic.Spec(), State: "heap", Workload: reachability.New()}
	c.Workload.Small()
	for _, seed := range simtest.Seeds(12) {
		for _, e := range simtest.Trace(t, c, seed, trace.CapturedIn, trace.Injected) {
			if !back[e.Channel] {
				t.Fatalf("seed %d: %s is logged or replayed, and is no back-edge", seed, e.Channel)
			}
			if e.Kind == trace.CapturedIn {
				logged++
			} else {
				replayed++
			}
		}
	}
	if logged == 0 || replayed == 0 {
		t.Errorf("%d buffers were logged, %d replayed: the test shows nothing", logged, replayed)
	}
}

// TestWithoutCyclesNothingIsLogged: there it is Algorithm 1.
func TestWithoutCyclesNothingIsLogged(t *testing.T) {
	c := scenario.Config{Algorithm: alignedcyclic.Spec(), State: "heap", Workload: keyedcount.New()}
	c.Workload.Small()
	blocked := 0
	for _, seed := range simtest.Seeds(6) {
		for _, e := range simtest.Trace(t, c, seed, trace.CapturedIn, trace.ChannelBlocked) {
			if e.Kind == trace.CapturedIn {
				t.Fatalf("seed %d: %s is logged", seed, e.Channel)
			}
			blocked++
		}
	}
	if blocked == 0 {
		t.Error("no input was blocked: the test shows nothing")
	}
}
