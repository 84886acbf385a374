package live_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/live/recording"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
	"weir/trace/cost"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers is a partition whose record i is an eight-byte key.
type numbers struct{ index, of, total, keys uint64 }

func (p numbers) Len() id.Offset { return id.Offset((p.total + p.of - 1 - p.index) / p.of) }

func (p numbers) key(i uint64) uint64 { return i * 7919 % p.keys }

func (p numbers) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [8]byte
	for i := range uint64(n) {
		key := p.key((uint64(from)+i)*p.of + p.index)
		binary.LittleEndian.PutUint64(rec[:], key)
		out.EmitHashed(state.HashUint64(key), rec[:])
	}
	return dataflow.NoWatermark
}

// countJob counts records per key and commits (key, count) at the end.
func countJob(t testing.TB, algorithm string, records, keys uint64) *dataflow.Job {
	t.Helper()
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.BatchBytes, c.BatchTimeout, c.SourceBatch = 16, 256, 100_000, 16
	c.Groups, c.HashContents, c.CheckState = 16, true, true
	c.Checkpoint.Interval, c.Checkpoint.Tolerated = 2e6, -1
	g := countGraph(spec.Properties(), records, keys)
	return &dataflow.Job{Name: "count", Graph: g, Algorithm: spec, Backend: heap.Backend{}, Config: c}
}

func countGraph(p dataflow.Properties, records, keys uint64) *dataflow.Graph {
	hash := func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec)) }
	sink := sinks.For(p).Operator(sinks.Config{})
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 2, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) {
					return numbers{uint64(i), uint64(of), records, keys}, nil
				})
			}},
			{Name: "count", Parallelism: 2, Keyed: true, New: func() dataflow.Operator { return newCount() }},
			{Name: "sink", Parallelism: 2, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: hash},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 { return hash(rec[:8]) }},
		},
	}
}

func newCount() *operators.Aggregate[uint64, uint64] {
	return &operators.Aggregate[uint64, uint64]{
		State: "count", In: state.Uint64, Acc: state.Uint64,
		Key: func(dst []byte, k uint64) []byte { return binary.LittleEndian.AppendUint64(dst, k) },
		Add: func(n, _ uint64) uint64 { return n + 1 },
		Final: func(dst, key []byte, n uint64) ([]byte, bool) {
			return binary.LittleEndian.AppendUint64(append(dst, key...), n), true
		},
	}
}

// gate is a Pacer that holds sources back behind a limit, and an Observer that
// says when something has happened: tests wait for events, never for time.
type gate struct {
	mu      sync.Mutex
	changed sync.Cond
	limit   id.Offset
	counts  [trace.Kinds]int
	newest  [trace.Kinds]id.Attempt
}

func newGate(limit id.Offset) *gate {
	g := &gate{limit: limit}
	g.changed.L = &g.mu
	return g
}

func (g *gate) Allow(_ *dataflow.TaskInfo, _ int, o id.Offset, now int64) (n int, next int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o >= g.limit {
		return 0, now + 1e5
	}
	return int(g.limit - o), 0
}

func (g *gate) open(limit id.Offset) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = limit
}

func (g *gate) Wants() trace.Mask {
	return trace.Mask(0).With(trace.SnapshotStored, trace.Completed, trace.TaskReady, trace.Emitted, trace.TaskFailed, trace.PlanExecuted, trace.StoreDone, trace.ExtApplied, trace.OutputCommitted, trace.CoordinatorStarted)
}

func (g *gate) Observe(e *trace.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts[e.Kind]++
	g.newest[e.Kind] = max(g.newest[e.Kind], e.Attempt)
	g.changed.Broadcast()
}

// await returns when cond holds or the job has ended.
func (g *gate) await(t testing.TB, j *live.Job, what string, cond func(g *gate) bool) {
	t.Helper()
	go func() { <-j.Done(); g.changed.Broadcast() }()
	g.mu.Lock()
	defer g.mu.Unlock()
	for !cond(g) {
		select {
		case <-j.Done():
			_, err := j.Wait()
			t.Fatalf("the job ended before %s: %v", what, err)
		default:
		}
		g.changed.Wait()
	}
}

// awaitSnapshots returns when every task has stored two snapshots more, so that
// a recovery finds one of all of them.
func (g *gate) awaitSnapshots(t testing.TB, j *live.Job) {
	t.Helper()
	g.mu.Lock()
	before := g.counts[trace.SnapshotStored]
	g.mu.Unlock()
	g.await(t, j, "two snapshots of every task", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= before+2*len(j.Tasks()) })
}

// world is what is outside a job, and what it committed.
type world struct {
	storage *storage.Memory
	ext     *external.Store
	source  *external.SourceLog
	output  live.Output
	mu      sync.Mutex
	counts  map[uint64]uint64
	twice   int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{storage: storage.NewMemory(0), counts: map[uint64]uint64{}}
	var err error
	if w.ext, err = external.OpenStore(external.StoreConfig{OnCommit: w.committed}); err != nil {
		t.Fatal(err)
	}
	if w.source, err = external.OpenSourceLog(external.SourceLogConfig{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) committed(task id.TaskID, txn id.Epoch, rows []byte, n int) {
	w.output.Committed(task, txn, rows, n)
	w.mu.Lock()
	defer w.mu.Unlock()
	for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
		k := binary.LittleEndian.Uint64(row)
		if w.counts[k] > 0 {
			w.twice++
		}
		w.counts[k] = binary.LittleEndian.Uint64(row[8:])
	}
}

func (w *world) config(job *dataflow.Job, g *gate) live.Config {
	c := live.Config{Job: job, Storage: w.storage, External: w.ext, SourceLog: w.source, Output: &w.output, Workers: 2}
	if g != nil {
		c.Observer, c.Pacer = g, g
	}
	return c
}

// check compares what was committed with the answer computed beside it.
func (w *world) check(records, keys uint64) error {
	want := map[uint64]uint64{}
	p := numbers{0, 1, records, keys}
	for i := range records {
		want[p.key(i)]++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range keys {
		if w.counts[k] != want[k] {
			return fmt.Errorf("key %d: committed count %d, want %d", k, w.counts[k], want[k])
		}
	}
	if w.twice > 0 || len(w.counts) != len(want) {
		return fmt.Errorf("%d keys were committed twice, %d in all, want %d", w.twice, len(w.counts), len(want))
	}
	return nil
}

func exactlyOnce() []string {
	var names []string
	for _, s := range catalog.All() {
		if s.Properties().Output == dataflow.ExactlyOnce {
			names = append(names, s.Name)
		}
	}
	return names
}

const testRecords, testKeys = 4000, 40

func TestUndisturbedRunCommitsTheAnswer(t *testing.T) {
	for _, name := range catalog.Names() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r, err := live.Run(context.Background(), w.config(countJob(t, name, testRecords, testKeys), nil))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.check(testRecords, testKeys); err != nil {
				t.Error(err)
			}
			var in uint64
			for _, s := range r.Tasks {
				if s.Task.Role == dataflow.RoleSource {
					in += s.RecordsIn
				}
			}
			if in != testRecords || r.Plans != 1 || r.Stopped || len(r.Failures) != 0 {
				t.Errorf("%d records from the sources, %d plans, stopped %v, failures %v", in, r.Plans, r.Stopped, r.Failures)
			}
		})
	}
}

// crashes runs a job, kills a task, a worker and another task, each after
// snapshots of the newest plan were stored, and checks the answer.
func crashes(t *testing.T, w *world, cfg live.Config, g *gate) *live.Result {
	t.Helper()
	j, err := live.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	splits := max(cfg.Job.Graph.Vertices[0].Splits, 2)
	kills := []func() error{
		func() error { return j.KillTask(2) },
		func() error { return j.KillWorker(1) },
		func() error { return j.KillTask(0) },
	}
	for i, kill := range kills {
		g.open(id.Offset((i + 1) * testRecords / splits / 5))
		g.awaitSnapshots(t, j)
		if err := kill(); err != nil {
			t.Fatal(err)
		}
		g.await(t, j, "the recovery", func(g *gate) bool { return g.counts[trace.PlanExecuted] > i+1 })
	}
	g.open(testRecords)
	r, err := j.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if r.Plans < 4 || len(r.Failures) < 4 {
		t.Errorf("%d plans and %d failures after three kills", r.Plans, len(r.Failures))
	}
	if err := w.check(testRecords, testKeys); err != nil {
		t.Error(err)
	}
	return r
}

func TestCrashesLoseAndRepeatNothing(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			w, g := newWorld(t), newGate(0)
			crashes(t, w, w.config(countJob(t, name, testRecords, testKeys), g), g)
		})
	}
}

func TestRecordedRunReplaysToTheSameChains(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			w, g := newWorld(t), newGate(0)
			job := countJob(t, name, testRecords, testKeys)
			var file bytes.Buffer
			cfg := w.config(job, g)
			cfg.Recorder = recording.NewWriter(&file)
			r := crashes(t, w, cfg, g)
			if err := cfg.Recorder.Close(); err != nil {
				t.Fatal(err)
			}
			rec, err := recording.Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			if len(rec.Incarnations) < len(r.Tasks)+len(r.Failures) {
				t.Errorf("%d incarnations recorded", len(rec.Incarnations))
			}
			if err := recording.Replay(countJob(t, name, testRecords, testKeys), rec, recording.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckpointLogOfARun(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			w, g := newWorld(t), newGate(testRecords/4)
			cfg := w.config(countJob(t, name, testRecords, testKeys), g)
			cfg.Checkpoints = &live.CheckpointLog{}
			j, err := live.Start(context.Background(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			g.await(t, j, "three snapshots of every task", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= 3*len(j.Tasks()) })
			g.open(testRecords)
			if _, err := j.Wait(); err != nil {
				t.Fatal(err)
			}
			local := cfg.Checkpoints.Local()
			completed := cfg.Checkpoints.Completed()
			if len(local) == 0 && len(completed) < 2 {
				t.Errorf("%d local snapshots, %d checkpoints", len(local), len(completed))
			}
			took := 0
			for _, c := range completed {
				k := &c.Cost
				if c.Tasks == 0 && k.Get(cost.Uploaded) == 0 && k.Get(cost.Metadata) > 0 {
					continue // all tasks left before they heard of it: their last shares stand for them
				}
				took++
				if k.Get(cost.Sync) <= 0 || k.Get(cost.Total) < k.Get(cost.Sync)+k.Get(cost.Metadata) || k.Get(cost.Uploaded) == 0 || k.Get(cost.Metadata) <= 0 || k.Get(cost.Alignment) < 0 || c.Tasks < 1 || c.Tasks > len(j.Tasks()) {
					t.Errorf("implausible: %+v", c)
				}
			}
			if len(completed) > 0 && took < 2 {
				t.Errorf("%d of %d checkpoints have a share that was taken for them", took, len(completed))
			}
			for _, s := range local {
				k := &s.Cost
				if k.Get(cost.Sync) <= 0 || s.Stored <= s.Begun || k.Get(cost.Uploaded) == 0 || k.Get(cost.Async) < 0 || k.Get(cost.Put) < 0 {
					t.Errorf("implausible: %+v", s)
				}
			}
			var total live.Counts
			for _, s := range j.Stats() {
				total.Snapshots += s.Snapshots
				total.BusyNanos += s.BusyNanos
				total.SyncNanos += s.SyncNanos
			}
			if total.Snapshots < uint64(3*len(j.Tasks())) || total.SyncNanos == 0 || total.BusyNanos < total.SyncNanos {
				t.Errorf("counts %+v", total)
			}
		})
	}
}
