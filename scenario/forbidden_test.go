package scenario_test

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/enrichment"
)

// forbidden returns the channels of a graph that no barrier may overtake on.
func forbidden(t *testing.T, g *dataflow.Graph) map[id.ChannelID]bool {
	t.Helper()
	tasks, err := g.Expand(scenario.DefaultGroups)
	if err != nil {
		t.Fatal(err)
	}
	all := map[id.ChannelID]bool{}
	for i := range tasks {
		for _, in := range tasks[i].Inputs {
			if in.Forbidden {
				all[in.ID] = true
			}
		}
	}
	return all
}

// TestForbiddenEdgesStayAligned: on forward and broadcast edges no barrier overtakes and
// nothing is captured, whatever a task beside them does; and a barrier that
// overtakes on another input of such a task is put in line there.
func TestForbiddenEdgesStayAligned(t *testing.T) {
	type arrival struct {
		channel id.ChannelID
		epoch   id.Epoch
	}
	for _, a := range catalog.All() {
		if (a.Declared.Captures != dataflow.Captures{Inputs: true, Outputs: true}) {
			continue // no barrier of its overtakes
		}
		t.Run(a.Name, func(t *testing.T) {
			c := scenario.Config{Algorithm: a, State: "heap", Workload: enrichment.New()}
			c.Workload.Small()
			g, err := c.Workload.Graph(2, func() dataflow.Operator { return nil })
			if err != nil {
				t.Fatal(err)
			}
			never := forbidden(t, g)
			if len(never) == 0 {
				t.Fatal("no edge of the workload is forbidden")
			}
			inLine, captured := 0, 0
			for _, seed := range simtest.Seeds(12) {
				overtook := map[arrival]bool{}
				for _, e := range simtest.Trace(t, c, seed, trace.BarrierSent, trace.BarrierReceived, trace.CapturedIn, trace.CapturedOut) {
					at := arrival{e.Channel, e.Epoch}
					taken := e.Kind == trace.CapturedIn || e.Kind == trace.CapturedOut
					switch {
					case never[e.Channel] && (taken || e.Way == trace.Overtaking):
						t.Errorf("seed %d: %s of %s on %s, %s", seed, e.Kind, e.Epoch, e.Channel, e.Way)
					case taken:
						captured++
					case e.Kind == trace.BarrierReceived && e.Way == trace.Overtaking:
						overtook[at] = true
					case e.Kind == trace.BarrierReceived && overtook[at]:
						inLine++
					}
				}
			}
			t.Logf("%d barriers put in line, %d buffers captured elsewhere", inLine, captured)
			if inLine == 0 || captured == 0 {
				t.Error("the test shows nothing")
			}
		})
	}
}
