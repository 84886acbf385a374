package simtest_test

import (
	"encoding/binary"
	"fmt"

	"weir/algorithms/aligned"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/scenario/simtest"
	"weir/workloads"
)

// squares is a job without state: it squares the numbers that its source counts.
func squares() workloads.Job {
	number := func(rec []byte) uint64 { return binary.BigEndian.Uint64(rec) }
	square := func(dst, rec []byte) ([]byte, bool) { return fmt.Append(dst, number(rec)*number(rec)), true }
	return workloads.Job{Name: "squares", Records: 200, RecordID: number, Graph: func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
		source := func() dataflow.Operator {
			return operators.NewSource(func(index, of int) (operators.Partition, error) { return numbers{records, index, of}, nil })
		}
		return &dataflow.Graph{
			Vertices: []dataflow.Vertex{
				{Name: "count", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
				{Name: "square", Parallelism: parallelism, New: func() dataflow.Operator { return &operators.Transform{F: square} }},
				{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
			},
			Edges: []dataflow.Edge{{From: 0, To: 1, Partitioning: dataflow.Rebalance}, {From: 1, To: 2, Partitioning: dataflow.Rebalance}},
		}, nil
	}}
}

// numbers is split index of so many: the numbers index, index+of, ...
type numbers struct{ records, index, of int }

func (p numbers) Len() id.Offset { return id.Offset((p.records - p.index + p.of - 1) / p.of) }

func (p numbers) Read(from id.Offset, n int, out *dataflow.Output) (watermark int64) {
	for i := range n {
		out.Emit(binary.BigEndian.AppendUint64(nil, uint64(p.index+(int(from)+i)*p.of)))
	}
	return dataflow.NoWatermark
}

// A job of one's own under crashes. In a test, Check does it:
//
//	func TestSquares(t *testing.T) { simtest.Check(t, squares(), answer) }
func ExampleFind() {
	answer := func(records int) (rows [][]byte, err error) {
		for n := range records {
			rows = append(rows, fmt.Append(nil, n*n))
		}
		return rows, nil
	}
	found, err := simtest.Find(squares(), answer, simtest.Algorithms(aligned.Spec()), simtest.States("heap"))
	fmt.Println("right:", found == nil, err)

	offByOne := func(records int) ([][]byte, error) { return answer(records + 1) }
	found, err = simtest.Find(squares(), offByOne, simtest.Algorithms(aligned.Spec()), simtest.States("heap"))
	fmt.Println("wrong:", found.Combination, "seed", found.Seed, found.Kind, found.Oracle, err)
	// Output:
	// right: true <nil>
	// wrong: aligned,heap,two-phase seed 1 safety violation output <nil>
}
