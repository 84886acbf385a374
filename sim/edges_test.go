package sim_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external/sinks"
	"weir/faults"
	"weir/sim"
	"weir/sim/seed"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
)

// rules counts keyed records on port 0 and keeps what is broadcast on port 1 in
// operator list state. At the end it emits a row per key, and one row that says
// how many rules this instance knows and how many different ones.
type rules struct {
	ctx    *dataflow.Context
	counts state.FixedTable
	list   *state.OperatorList
}

const ruleKey = 1 << 40 // rows of rules: ruleKey + instance

func (r *rules) Open(c *dataflow.Context) (err error) {
	r.ctx, r.list = c, c.List("rules", state.Union)
	r.counts, err = state.OpenFixedTable(c.Store(), state.Descriptor{Name: "count", Codec: "uint64/1", FixedSize: 8})
	return err
}

func (r *rules) Process(port int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		switch port {
		case 0:
			slot, _ := r.counts.Update(r.ctx.Key(rec))
			binary.LittleEndian.PutUint64(slot, binary.LittleEndian.Uint64(slot)+1)
		case 1:
			r.list.Items = append(r.list.Items, append([]byte(nil), rec...))
		default:
			return errors.New("no such port")
		}
	}
	return nil
}

func (r *rules) Finish() error {
	emit := func(key, n uint64) {
		var row [16]byte
		binary.LittleEndian.PutUint64(row[:], key)
		binary.LittleEndian.PutUint64(row[8:], n)
		r.ctx.Out(0).Emit(row[:])
	}
	r.counts.Range(func(k state.Key, v []byte) bool {
		emit(binary.LittleEndian.Uint64(k.Bytes), binary.LittleEndian.Uint64(v))
		return true
	})
	emit(ruleKey+uint64(r.ctx.Info().Index), uint64(len(r.list.Items)))
	return nil
}

// mixedGraph has every kind of edge: source -forward-> pass -hash-> rules
// <-broadcast- rule source, and rules -rebalance-> sink. Its "rules" vertex
// has inputs that a barrier may overtake and inputs that it may not.
func mixedGraph(sink func() dataflow.Operator, records, keys, ruleRecords uint64) *dataflow.Graph {
	hash := func(rec []byte) uint64 { return state.HashBytes(rec) }
	source := func(records, keys uint64) func() dataflow.Operator {
		return func() dataflow.Operator {
			return operators.NewSource(func(i, of int) (operators.Partition, error) {
				return numbers{uint64(i), uint64(of), records, keys}, nil
			})
		}
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 2, Role: dataflow.RoleSource, New: source(records, keys)},
			{Name: "pass", Parallelism: 2, New: func() dataflow.Operator {
				return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) { return append(dst, rec...), true }}
			}},
			{Name: "rule source", Parallelism: 1, Role: dataflow.RoleSource, New: source(ruleRecords, 1<<20)},
			{Name: "rules", Parallelism: 2, Keyed: true, New: func() dataflow.Operator { return &rules{} }},
			{Name: "sink", Parallelism: 2, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Forward},
			{From: 1, To: 3, Input: 0, Partitioning: dataflow.Hash, Key: hash},
			{From: 2, To: 3, Input: 1, Partitioning: dataflow.Broadcast},
			{From: 3, To: 4, Partitioning: dataflow.Rebalance},
		},
	}
}

// TestForbiddenEdges crashes a job whose graph has pointwise and broadcast edges
// beside hashed ones, and operator list state: exactly once, and nothing of a
// forbidden edge is ever captured.
func TestForbiddenEdges(t *testing.T) {
	const ruleRecords = 60
	for _, name := range exactlyOnce() {
		spec, err := catalog.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		x := &experiment{sim: sim.New(), store: storage.NewMemory(0), counts: map[uint64]uint64{}}
		c := dataflow.DefaultConfig()
		c.BatchRecords, c.BatchBytes, c.BatchTimeout, c.SourceBatch, c.QueueBuffers, c.Credits = 4, 256, 0, 4, 3, 2
		c.Groups, c.HashContents, c.CheckState = 16, true, true
		c.Checkpoint.Interval, c.Checkpoint.Timeout, c.Checkpoint.Tolerated, c.Checkpoint.MaxConcurrent = 4e5, 2e9, -1, 2
		if most := spec.Declared.MaxConcurrent; most > 0 {
			c.Checkpoint.MaxConcurrent = most
		}
		sink := func() dataflow.Operator { return &sinks.TwoPhase{} }
		x.job = dataflow.Job{Name: "mixed", Graph: mixedGraph(sink, testRecords, testKeys, ruleRecords), Algorithm: spec, Backend: heap.Backend{}, Config: c}
		recoveries := 0
		for n := range uint64(500) {
			m := sim.DefaultModel().Flaky()
			m.StepRecord = 20_000
			m.LinkSlow = []int{1, 1, 1 + int(n%7), 1, 1, 1 + int(n%11), 1, 1 + int(n%5)}
			plan := sim.RandomFaults{Workers: 3, Horizon: 8e6}.Plan(seed.New(n))
			r := x.run(t, sim.Config{Seed: n, Policy: &sim.Random{}, Workers: 3, Model: m, Injector: faults.NewInjector(plan), MaxTime: 120e9, MaxEvents: 2e6, Poison: true})
			err := x.check(testRecords, testKeys)
			for i := range uint64(2) {
				if err == nil && x.counts[ruleKey+i] != ruleRecords {
					err = errors.New("an instance does not know every rule exactly once")
				}
			}
			if r.Verdict != sim.Done || err != nil {
				t.Fatalf("%s, seed %d, faults %s: %s: %v; answer: %v; last failure of a task: %v\n%s", name, n, plan, r.Verdict, r.Err, err, r.LastFailure, r.Stack)
			}
			recoveries += r.Recoveries
		}
		if recoveries == 0 {
			t.Errorf("%s: no run recovered from a snapshot", name)
		}
		t.Logf("%s: %d recoveries from a snapshot", name, recoveries)
	}
}
