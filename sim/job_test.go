package sim_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/sim"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
)

// numbers is a partition whose record i is an eight-byte key.
type numbers struct{ index, of, total, keys uint64 }

func (p numbers) Len() id.Offset { return id.Offset((p.total + p.of - 1 - p.index) / p.of) }

func (p numbers) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [8]byte
	for i := range uint64(n) {
		key := p.key((uint64(from)+i)*p.of + p.index)
		binary.LittleEndian.PutUint64(rec[:], key)
		out.EmitHashed(state.HashUint64(key), rec[:])
	}
	return dataflow.NoWatermark
}

func (p numbers) key(i uint64) uint64 { return i * 7919 % p.keys }

// experiment is a small job with all that a run needs: it counts records per
// key and commits (key, count) at the end.
type experiment struct {
	job    dataflow.Job
	sim    *sim.Sim
	store  *storage.Memory
	ext    *external.Store
	counts map[uint64]uint64 // as committed
	twice  int               // keys committed more than once
}

const testRecords, testKeys = 240, 24

func newExperiment(t testing.TB, s *sim.Sim, algorithm string, records, keys uint64, writers int) *experiment {
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.BatchBytes, c.BatchTimeout, c.SourceBatch = 4, 256, 0, 4
	c.Groups, c.HashContents, c.CheckState = 16, true, true
	c.Checkpoint.Interval, c.Checkpoint.Timeout, c.Checkpoint.Tolerated = 4e6, 2e9, -1
	x := &experiment{sim: s, store: storage.NewMemory(0), counts: map[uint64]uint64{}}
	x.job = dataflow.Job{Name: "count", Graph: countGraph(spec.Properties(), records, keys, writers), Algorithm: spec, Backend: heap.Backend{}, Config: c}
	return x
}

func countGraph(p dataflow.Properties, records, keys uint64, writers int) *dataflow.Graph {
	hash := func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec)) }
	sink := sinks.For(p).Operator(sinks.Config{})
	row := func(dst, key []byte, n uint64) ([]byte, bool) {
		return binary.LittleEndian.AppendUint64(append(dst, key...), n), true
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 2, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) {
					return numbers{uint64(i), uint64(of), records, keys}, nil
				})
			}},
			{Name: "count", Parallelism: 2, Keyed: true, New: func() dataflow.Operator {
				return &operators.Aggregate[uint64, uint64]{
					State: "count", In: state.Uint64, Acc: state.Uint64, Final: row,
					Key: func(dst []byte, k uint64) []byte { return binary.LittleEndian.AppendUint64(dst, k) },
					Add: func(n, _ uint64) uint64 { return n + 1 },
				}
			}},
			{Name: "sink", Parallelism: writers, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: hash},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 { return hash(rec[:8]) }},
		},
	}
}

// run empties the outside world and runs the job once.
func (x *experiment) run(t testing.TB, c sim.Config) sim.Result {
	x.store.Reset(0)
	clear(x.counts)
	x.twice = 0
	ext, err := external.OpenStore(external.StoreConfig{OnCommit: func(task id.TaskID, txn id.Epoch, rows []byte, n int) {
		x.sim.Committed(task, txn, rows, n)
		for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
			k := binary.LittleEndian.Uint64(row)
			if x.counts[k] > 0 {
				x.twice++
			}
			x.counts[k] = binary.LittleEndian.Uint64(row[8:])
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	x.ext = ext
	c.Job, c.Storage, c.External = &x.job, x.store, ext
	if c.Model.StepBase == 0 {
		c.Model = sim.DefaultModel()
	}
	return x.sim.Run(c)
}

// check compares what was committed with the answer computed beside it.
func (x *experiment) check(records, keys uint64) error {
	want := map[uint64]uint64{}
	p := numbers{0, 1, records, keys}
	for i := range records {
		want[p.key(i)]++
	}
	for k := range keys {
		if x.counts[k] != want[k] {
			return fmt.Errorf("key %d: committed count %d, want %d", k, x.counts[k], want[k])
		}
	}
	if x.twice > 0 {
		return fmt.Errorf("%d keys were committed twice", x.twice)
	}
	return nil
}

func exactlyOnce() []string { return []string{"aligned", "unaligned", "uncoordinated"} }

func TestCalmRun(t *testing.T) {
	for _, name := range append([]string{"none", "at-least-once"}, exactlyOnce()...) {
		x := newExperiment(t, sim.New(), name, testRecords, testKeys, 2)
		r := x.run(t, sim.Config{Seed: 1})
		if r.Verdict != sim.Done {
			t.Fatalf("%s: %s: %v\n%s", name, r.Verdict, r.Err, r.Stack)
		}
		if err := x.check(testRecords, testKeys); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %d events, %d turns, %d storage operations, %.1f ms, plans %d", name, r.Events, r.Turns, r.StoreOps, float64(r.Virtual)/1e6, r.Plans)
	}
}
