package check_test

import (
	"encoding/binary"
	"testing"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/faults"
	"weir/sim"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
)

// hops is how often a record goes round.
const hops = 5

// fork passes records on and sends them back.
type fork struct{ on, back *dataflow.Output }

func (f *fork) Open(c *dataflow.Context) error {
	f.on, f.back = c.Out(0), c.Out(1)
	return nil
}

func (f *fork) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		f.on.Emit(rec)
		if rec[8] < hops {
			f.back.Emit(rec)
		}
	}
	return nil
}

func (f *fork) Finish() error { return nil }

// cyclicGraph is source -> turn -> fork -> turn, and fork -> sink. It drains its
// input and never ends: end of data does not go round.
func cyclicGraph() *dataflow.Graph {
	key := func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec) + uint64(len(rec))) }
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 2, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) { return numbers{uint64(i), uint64(of)}, nil })
			}},
			{Name: "turn", Parallelism: 2, New: func() dataflow.Operator {
				return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) {
					hop := byte(1)
					if len(rec) > 8 {
						hop += rec[8]
					}
					return append(append(dst, rec[:8]...), hop), true
				}}
			}},
			{Name: "fork", Parallelism: 2, New: func() dataflow.Operator { return &fork{} }},
			{Name: "sink", Parallelism: 1, Role: dataflow.RoleSink, New: func() dataflow.Operator { return &operators.TwoPhaseSink{} }},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: key},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: key},
			{From: 2, To: 3, Partitioning: dataflow.Hash, Key: key},
			{From: 2, To: 1, Partitioning: dataflow.Hash, Key: key, Input: 1, Back: true},
		},
	}
}

// TestOnlyForcedSnapshotsAreUsefulOnACycle: on a cycle uncoordinated snapshots
// are soon useless, and those of a communication-induced algorithm never.
func TestOnlyForcedSnapshotsAreUsefulOnACycle(t *testing.T) {
	const most = 100
	for name, fires := range map[string]bool{"uncoordinated": true, "cic-bcs": false, "cic-hmnr": false} {
		honest, err := catalog.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		spec := *honest
		spec.Declared.Topologies, spec.Declared.NoneUseless = dataflow.AnyTopology, true
		x := newExperiment(t, "uncoordinated", "")
		x.store = storage.NewMemory(0)
		x.job = dataflow.Job{Name: "cycle", Graph: cyclicGraph(), Algorithm: &spec, Backend: heap.Backend{}, Config: x.job.Config}
		e := x.expect(t, spec.Declared)
		e.NoneUseless, e.Pace = true, check.Pace{}
		if x.checker, err = check.New(e); err != nil {
			t.Fatal(err)
		}
		x.maxTime = 40e6
		snapshots, fired := 0, 0
		for n := uint64(1); n <= most && fired == 0; n++ {
			p := faults.Plan{}
			if n%2 == 0 {
				p = plan(n)
			}
			r, rep := x.runPlan(t, n, p, sim.DefaultModel())
			if r.Verdict == sim.Panicked {
				t.Fatalf("%s, seed %d: %v", name, n, r.Err)
			}
			snapshots += int(r.Counts[trace.SnapshotStored])
			if fired = rep.Counts[check.Useless]; fired > 0 {
				for _, v := range rep.Violations {
					t.Logf("%s, seed %d: %s", name, n, v)
				}
			}
		}
		t.Logf("%s: %d snapshots", name, snapshots)
		if fires != (fired > 0) || snapshots == 0 {
			t.Errorf("%s: %d useless snapshots found, want some: %v", name, fired, fires)
		}
	}
}
