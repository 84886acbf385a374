package check_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"weir/algorithms/aligned"
	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/algorithms/recoveryline"
	"weir/algorithms/rounds"
	"weir/check"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external"
	"weir/external/sinks"
	"weir/faults"
	"weir/id"
	"weir/sim"
	"weir/sim/seed"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
)

// The oracles on real runs: quiet where the algorithm keeps its promise, not
// where it is broken on purpose.

const runRecords, runKeys = 240, 24

// numbers is a partition whose record is its own number.
type numbers struct{ index, of uint64 }

func (p numbers) Len() id.Offset { return id.Offset((runRecords + p.of - 1 - p.index) / p.of) }

func (p numbers) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [8]byte
	for i := range uint64(n) {
		r := (uint64(from)+i)*p.of + p.index
		binary.LittleEndian.PutUint64(rec[:], r)
		out.EmitHashed(keyHash(rec[:]), rec[:])
	}
	return dataflow.NoWatermark
}

func keyOf(record uint64) uint64 { return record * 7919 % runKeys }

func keyHash(rec []byte) uint64 { return state.HashUint64(keyOf(binary.LittleEndian.Uint64(rec))) }

func runGraph(p dataflow.Properties) *dataflow.Graph {
	sink := sinks.For(p).Operator(sinks.Config{})
	row := func(dst, key []byte, n uint64) ([]byte, bool) {
		return binary.LittleEndian.AppendUint64(append(dst, key...), n), true
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 2, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) { return numbers{uint64(i), uint64(of)}, nil })
			}},
			{Name: "count", Parallelism: 2, Keyed: true, New: func() dataflow.Operator {
				return &operators.Aggregate[uint64, uint64]{
					State: "count", In: state.Uint64, Acc: state.Uint64, Update: row,
					Key: func(dst []byte, r uint64) []byte { return binary.LittleEndian.AppendUint64(dst, keyOf(r)) },
					Add: func(n, _ uint64) uint64 { return n + 1 },
				}
			}},
			{Name: "sink", Parallelism: 2, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: keyHash},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec)) }},
		},
	}
}

// experiment is one job with its checker.
type experiment struct {
	sim     *sim.Sim
	job     dataflow.Job
	store   *storage.Memory
	checker *check.Checker
	maxTime int64
}

func newExperiment(t testing.TB, algorithm string, mutant dataflow.Mutant) *experiment {
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.BatchBytes, c.BatchTimeout, c.SourceBatch = 4, 256, 0, 4
	c.Groups, c.CheckState, c.HashContents, c.Mutant = 16, true, true, mutant
	c.Checkpoint.Interval, c.Checkpoint.Timeout, c.Checkpoint.Tolerated = 6e5, 2e9, -1
	p := spec.Properties()
	x := &experiment{sim: sim.New(), store: storage.NewMemory(0), maxTime: 120e9}
	x.job = dataflow.Job{Name: "count", Graph: runGraph(p), Algorithm: spec, Backend: heap.Backend{}, Config: c}
	if x.checker, err = check.New(x.expect(t, p)); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *experiment) expect(t testing.TB, p dataflow.Properties) check.Expect {
	tasks, err := x.job.Graph.Expand(x.job.Config.Groups)
	if err != nil {
		t.Fatal(err)
	}
	e := check.Expect{
		State: check.Guarantee(p.State), Output: check.Guarantee(p.Output), Coordinated: p.HasRounds(), AtOnce: sinks.For(p).Shows != sinks.Committed,
		Captures: check.Captures(p.Captures), Rollback: check.Scope(p.Rollback),
		Records: runRecords, RecordID: binary.LittleEndian.Uint64, Canonical: text,
		Storage: x.store, Layout: layout(p.Logs), Pace: check.Pace{End: 10e9},
	}
	for _, i := range tasks {
		e.Tasks = append(e.Tasks, check.Task{
			Name: fmt.Sprintf("%s[%d]", i.Name, i.Index), Sink: i.Role == dataflow.RoleSink,
			Source: i.Role == dataflow.RoleSource,
		})
		if i.Role == dataflow.RoleSource {
			e.Splits = append(e.Splits, check.Split{Residue: i.Index, Modulus: i.Splits})
		}
		for _, c := range i.Outputs {
			for int(c.ID) >= len(e.Channels) {
				e.Channels = append(e.Channels, check.Channel{})
			}
			e.Channels[c.ID] = check.Channel{From: i.ID, To: c.Peer}
		}
	}
	for r := range uint64(runRecords) {
		e.Reference = append(e.Reference, fmt.Appendf(nil, "%d %d", keyOf(r), r/runKeys+1))
	}
	return e
}

func text(rows [][]byte) ([][]byte, error) {
	var out [][]byte
	for _, r := range rows {
		out = append(out, fmt.Appendf(nil, "%d %d", binary.LittleEndian.Uint64(r), binary.LittleEndian.Uint64(r[8:])))
	}
	return out, nil
}

// layout is that of package coordinator; with logs the snapshots stand for themselves.
func layout(logs bool) check.Layout {
	l := check.Layout{
		EpochOf: func(key string) (id.Epoch, bool) {
			if n, ok := coordinator.AttemptOfPlan(key); ok {
				return id.MakeEpoch(n, 0), true
			}
			return coordinator.EpochOfKey(key)
		},
		References: func(key string, data []byte) ([]string, error) {
			if !strings.HasPrefix(key, coordinator.RecordPrefix) {
				return nil, nil
			}
			r, err := coordinator.DecodeRecord(data)
			if err != nil {
				return nil, err
			}
			return r.References(), nil
		},
		Roots: func(keys []string) []string {
			var roots []string
			for _, k := range keys {
				if strings.HasPrefix(k, coordinator.LeasePrefix) || strings.HasPrefix(k, coordinator.PlanPrefix) || strings.HasPrefix(k, coordinator.RecordPrefix) || logs && strings.HasPrefix(k, coordinator.SnapshotPrefix) {
					roots = append(roots, k)
				}
			}
			return roots
		},
	}
	if logs {
		l.SnapshotKey = func(t id.TaskID, e id.Epoch) string { return string(dataflow.SnapshotKey(t, e)) }
		l.OwnerOf = func(key string) (o check.Owner, ok bool) {
			o.Task, o.Epoch, ok = coordinator.OwnerOfKey(key)
			o.Whole = strings.HasPrefix(key, coordinator.SnapshotPrefix)
			return o, ok
		}
	} else {
		l.RecordKey = func(e id.Epoch) string { return (&coordinator.Record{Epoch: e}).Key() }
	}
	return l
}

// run runs one seed with drawn crashes and flaky storage.
func (x *experiment) run(t testing.TB, n uint64) (sim.Result, *check.Report) {
	return x.runPlan(t, n, plan(n), sim.DefaultModel().Flaky())
}

func (x *experiment) runPlan(t testing.TB, n uint64, p faults.Plan, m sim.Model) (sim.Result, *check.Report) {
	x.store.Reset(0)
	x.checker.Reset()
	ext, err := external.OpenStore(external.StoreConfig{Mutant: x.job.Config.Mutant, OnCommit: func(task id.TaskID, txn id.Epoch, rows []byte, count int) {
		x.sim.Committed(task, txn, rows, count)
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := x.sim.Run(sim.Config{
		Seed: n, Policy: &sim.Random{}, Workers: 3, Model: m, Job: &x.job, Storage: x.store, External: ext,
		Observers: []trace.Observer{x.checker}, Injector: faults.NewInjector(p), MaxTime: x.maxTime, MaxEvents: 2e6,
	})
	return r, x.checker.Finish(check.End{Done: r.Verdict == sim.Done, Time: r.Virtual, Err: r.Err})
}

func plan(n uint64) faults.Plan { return sim.RandomFaults{Workers: 3, Horizon: 12e6}.Plan(seed.New(n)) }

func TestRealRuns(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "uncoordinated", "at-least-once", "none"} {
		t.Run(name, func(t *testing.T) {
			x := newExperiment(t, name, "")
			var sum check.Stats
			for n := range uint64(150) {
				r, rep := x.run(t, n)
				for _, v := range rep.Violations {
					t.Errorf("seed %d, %s, %s: %s", n, plan(n), r.Verdict, v)
				}
				if t.Failed() {
					t.Fatal("stopped at the first seed that fails")
				}
				sum.Duplicates += rep.Duplicates
				sum.Losses += rep.Losses
				sum.Checkpoints += rep.Checkpoints
				sum.Recoveries += rep.Recoveries
				sum.InputBuffers += rep.InputBuffers
				sum.OutputBuffers += rep.OutputBuffers
				sum.LogRecords += rep.LogRecords
				sum.CommitsRetried += rep.CommitsRetried
			}
			t.Logf("%+v", sum)
			if (name == "at-least-once") != (sum.Duplicates > 0) || (name == "none") != (sum.Losses > 0) {
				t.Errorf("%d duplicates, %d losses", sum.Duplicates, sum.Losses)
			}
		})
	}
}

// TestBrokenAlgorithmsAreCaught runs deliberate mistakes until an oracle fires.
func TestBrokenAlgorithmsAreCaught(t *testing.T) {
	for _, c := range []struct {
		mutant    dataflow.Mutant
		algorithm string
		by        check.Oracle
	}{
		{rounds.MutantAckBeforeDurable, "aligned", check.StorageWhole},
		{aligned.MutantForgetChannel, "aligned", check.Cut},
		{rounds.MutantCommitBeforeRecord, "unaligned", check.Commit},
		{external.MutantKeepForeignTxn, "aligned", check.Commit},
		{dataflow.MutantSkipOutputQueue, "unaligned", check.Cut},
		{dataflow.MutantSkipInputQueue, "unaligned", check.Cut},
		{dataflow.MutantReleaseBeforeStored, "aligned", check.Commit},
		{dataflow.MutantReleaseBeforeStored, "uncoordinated", check.Commit},
		{recoveryline.MutantSnapshotBeforeLog, "uncoordinated", check.Progress},
		{external.MutantNoFence, "aligned", check.Contiguity},
	} {
		x := newExperiment(t, c.algorithm, c.mutant)
		const most = 1000
		runs := 0
		for caught := false; !caught && runs < most; runs++ {
			_, rep := x.run(t, uint64(runs))
			caught = rep.Counts[c.by] > 0
		}
		if runs == most {
			t.Errorf("%s in %s: not caught by %s in %d runs", c.mutant, c.algorithm, c.by, most)
		}
		t.Logf("%s in %s: caught by %s after %d runs", c.mutant, c.algorithm, c.by, runs)
	}
}

// TestLateRecord aims at the window that random crashes miss: the record of a
// checkpoint lands after the recovery that did not see it, and before the next.
func TestLateRecord(t *testing.T) {
	late, err := faults.Parse(`(plan
		(delay storage create key="chk/" for 6ms at (nth 1 triggered))
		(crash worker=0 at (after (nth 1 all-acked) (time 1ms)))
		(crash coordinator at (after (nth 1 all-acked) (nth 1 plan-executed) (time 1ms))))`)
	if err != nil {
		t.Fatal(err)
	}
	for _, mutant := range []dataflow.Mutant{"", rounds.MutantLateRecordCounts} {
		_, rep := newExperiment(t, "aligned", mutant).runPlan(t, 1, late, sim.DefaultModel())
		if broken := mutant != ""; broken != (rep.Counts[check.Restore] > 0) || broken == rep.Safe() {
			t.Errorf("%s: %v", mutant, rep.Violations)
		}
	}
}

// BenchmarkRealRun is a whole simulated run with a crash and all oracles.
func BenchmarkRealRun(b *testing.B) {
	p := faults.CrashAt(faults.Fault{Target: faults.Worker}, 150, faults.SweepEvents())
	x := newExperiment(b, "aligned", "")
	for b.Loop() {
		x.runPlan(b, 1, p, sim.DefaultModel())
	}
}
