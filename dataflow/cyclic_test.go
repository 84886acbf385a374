package dataflow_test

import (
	"strings"
	"testing"

	"weir/algorithms/aligned"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
	"weir/state/heap"
)

// TestBackEdgeNeedsACyclicAlgorithm checks that a graph with a cycle is refused
// by an algorithm that does not declare it.
func TestBackEdgeNeedsACyclicAlgorithm(t *testing.T) {
	pass := func() dataflow.Operator {
		return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) { return append(dst, rec...), true }}
	}
	g := &dataflow.Graph{
		Vertices: []dataflow.Vertex{{Name: "a", Parallelism: 1, New: pass}, {Name: "b", Parallelism: 1, New: pass}},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Forward},
			{From: 1, To: 0, Partitioning: dataflow.Forward, Back: true},
		},
	}
	infos, err := g.Expand(state.DefaultGroups)
	if err != nil {
		t.Fatal(err)
	}
	j := &dataflow.Job{Name: "cycle", Graph: g, Algorithm: aligned.Spec(), Backend: heap.Backend{}, Config: dataflow.DefaultConfig()}
	if _, err := dataflow.NewTask(j, &infos[0], dataflow.Env{}); err == nil || !strings.Contains(err.Error(), "back-edge") {
		t.Errorf("error %v", err)
	}
}
