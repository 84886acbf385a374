package sim_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external"
	"weir/external/sinks"
	"weir/faults"
	"weir/id"
	"weir/sim"
	"weir/sim/seed"
	"weir/state"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// legs is a job that goes on with another parallelism again and again, over the same
// storage, external store and source log. It counts the records of each key, and every
// record makes a row (key, count).
type legs struct {
	algorithm, sink string
	records, keys   uint64
	final           bool // one row for each key, when its input ends
	mutant          dataflow.Mutant
	strict          *int               // sources feed operators that count here what comes out of order
	workload        workloads.Workload // nil: that of the test
	state           string             // "": heap
	only            int                // the vertex whose parallelism changes, from 1; 0: all. The others have 2
	late            *int               // records have event time, windows count them, and what comes too late counts here
	forward         bool               // of them the relays forward each a source's
	whenDrained     bool               // a leg ends at the first checkpoint behind the end of a counter

	disk   *storage.Memory
	ext    *external.Store
	rows   map[[2]uint64]int // as committed
	raw    [][]byte          // of workload
	run    *sim.Sim
	bytes  int64 // captured in checkpoints that were rescaled
	nonce  uint64
	failed error // last failure of a task
	broken error // a run did not come to its end
}

func (l *legs) graph(t testing.TB, p int) *dataflow.Graph {
	s, err := sinks.Lookup(l.sink)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec)) }
	row := func(dst, key []byte, n uint64) ([]byte, bool) {
		return binary.LittleEndian.AppendUint64(append(dst, key...), n), true
	}
	c := sinks.Config{Chunk: 64, Mutant: l.mutant, Key: func(row []byte) ([]byte, uint64) { return row[:8], binary.LittleEndian.Uint64(row[8:]) }}
	g := &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: p, Splits: 4, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) {
					return plainNumbers{numbers{uint64(i), uint64(of), l.records, l.keys}}, nil
				})
			}},
			{Name: "relay", Parallelism: p, New: func() dataflow.Operator {
				return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) { return append(dst, rec...), true }}
			}},
			{Name: "count", Parallelism: p, Keyed: true, New: func() dataflow.Operator {
				a := &operators.Aggregate[uint64, uint64]{
					State: "count", In: state.Uint64, Acc: state.Uint64, Update: row,
					Key: func(dst []byte, k uint64) []byte { return binary.LittleEndian.AppendUint64(dst, k) },
					Add: func(n, _ uint64) uint64 { return n + 1 },
				}
				if l.final {
					a.Update, a.Final = nil, row
				}
				return a
			}},
			{Name: "sink", Parallelism: p, Role: dataflow.RoleSink, New: s.Operator(c)},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Rebalance},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: hash},
			{From: 2, To: 3, Partitioning: dataflow.Rebalance},
		},
	}
	if l.workload != nil {
		if g, err = l.workload.Graph(p, s.Operator(c)); err != nil {
			t.Fatal(err)
		}
		g.SetSplits(4)
	}
	if l.strict != nil {
		g.Vertices[0].New = func() dataflow.Operator {
			return operators.NewSource(func(i, of int) (operators.Partition, error) {
				return ascending{numbers{uint64(i), uint64(of), l.records, l.keys}}, nil
			})
		}
		g.Vertices[2].New = func() dataflow.Operator { return &strict{bad: l.strict} }
		g.Vertices = slices.Delete(g.Vertices, 1, 2)
		g.Edges = []dataflow.Edge{{From: 0, To: 1, Partitioning: dataflow.Hash, Key: hash}, {From: 1, To: 2, Partitioning: dataflow.Rebalance}}
	}
	if l.late != nil {
		g.Vertices[0].New = func() dataflow.Operator {
			return operators.NewSource(func(i, of int) (operators.Partition, error) {
				return punctual{numbers{uint64(i), uint64(of), l.records, l.keys}}, nil
			})
		}
		g.Vertices[2].New = func() dataflow.Operator {
			return &operators.WindowAggregate[uint64]{
				State: "windows", Windows: operators.Tumbling(1), Acc: state.Uint64,
				Read: func(dst, rec []byte) ([]byte, int64, bool) {
					return append(dst, rec[:8]...), int64(binary.LittleEndian.Uint64(rec[8:])), true
				},
				Add: func(n uint64, _ []byte) uint64 { return n + 1 },
				Row: func(dst, key []byte, start int64, _ uint64) []byte {
					return binary.LittleEndian.AppendUint64(append(dst, key...), uint64(start))
				},
			}
		}
		if l.forward {
			g.Edges[0].Partitioning = dataflow.Forward
		}
		g.Vertices[1].New = func() dataflow.Operator {
			return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) { return append(dst, rec...), true }}
		}
	}
	for v := range g.Vertices {
		if l.only > 0 && v != l.only-1 {
			g.Vertices[v].Parallelism = 2
		}
	}
	s.Extend(g, c)
	return g
}

// plainNumbers emits as any partitioning wants it.
type plainNumbers struct{ numbers }

func (p plainNumbers) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [8]byte
	for i := range uint64(n) {
		binary.LittleEndian.PutUint64(rec[:], p.key((uint64(from)+i)*p.of+p.index))
		out.Emit(rec[:])
	}
	return dataflow.NoWatermark
}

func (l *legs) begin(t testing.TB) {
	l.run, l.disk, l.rows = sim.New(), storage.NewMemory(0), map[[2]uint64]int{}
	var err error
	l.ext, err = external.OpenStore(external.StoreConfig{Mutant: l.mutant, OnCommit: func(task id.TaskID, txn id.Epoch, rows []byte, n int) {
		l.run.Committed(task, txn, rows, n)
		for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
			if l.workload != nil {
				l.raw = append(l.raw, bytes.Clone(row))
				continue
			}
			l.rows[[2]uint64{binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:])}]++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// progress counts events of a run.
type progress struct {
	completed, ready int
	drained          int  // count of completed once a counter of two had drained
	late             *int // counts records that came too late; nil: nobody asks
}

func (*progress) Wants() trace.Mask {
	return trace.Mask(0).With(trace.Completed, trace.TaskReady, trace.TaskDrained, trace.RecordLate)
}

func (p *progress) Observe(e *trace.Event) {
	switch {
	case e.Kind == trace.RecordLate:
		if p.late != nil {
			*p.late++
		}
	case e.Kind == trace.Completed:
		p.completed++
	case e.Kind == trace.TaskReady:
		p.ready++
	case p.drained == 0 && (e.Task == 4 || e.Task == 5):
		p.drained = p.completed + 1
	}
}

// leg runs the job with parallelism p until upTo checkpoints are complete, all stopping at
// once then; below 0: to the end. done: it has come to its end.
func (l *legs) leg(t testing.TB, p, upTo int, c sim.Config) (done bool) {
	t.Helper()
	spec, err := catalog.Lookup(l.algorithm)
	if err != nil {
		t.Fatal(err)
	}
	settings := dataflow.DefaultConfig()
	settings.BatchRecords, settings.BatchBytes, settings.BatchTimeout, settings.SourceBatch = 3, 256, 0, 6
	settings.Groups, settings.HashContents, settings.CheckState, settings.Mutant = 16, true, true, l.mutant
	settings.Checkpoint.Interval, settings.Checkpoint.Timeout, settings.Checkpoint.Tolerated = 3e6, 2e9, -1
	settings.Checkpoint.AlignmentTimeout, settings.Checkpoint.Retain = 2e5, 2
	at := &progress{late: l.late}
	c.Job = &dataflow.Job{Name: "legs", Graph: l.graph(t, p), Algorithm: spec, Backend: heap.Backend{}, Config: settings}
	if l.state != "" {
		b, err := statecatalog.Lookup(l.state)
		if err == nil {
			c.Job.Backend, err = b.New(statecatalog.Settings{Deterministic: true})
		}
		if err != nil {
			t.Fatal(err)
		}
		c.LocalDisks = true
	}
	if err := catalog.Fit(spec, c.Job.Graph, &c.Job.Config); err != nil {
		t.Fatal(err)
	}
	c.Storage, c.External = l.disk, l.ext
	c.Observers = append(c.Observers, at)
	l.nonce += 1000
	c.Nonce, c.MaxEvents = l.nonce, 2e6
	if c.Model.StepBase == 0 {
		c.Model = sim.DefaultModel()
	}
	if upTo >= 0 {
		c.Interrupted = func() bool { return at.completed >= upTo && (upTo > 0 || at.ready >= 3) }
	}
	if l.whenDrained && upTo >= 0 {
		c.Interrupted = func() bool { return at.drained > 0 && at.completed >= at.drained }
	}
	r := l.run.Run(c)
	l.failed = r.LastFailure
	if r.Verdict == sim.Done {
		return true
	}
	if r.Verdict != sim.Interrupted {
		l.broken = fmt.Errorf("%s: %w\n%s", r.Verdict, r.Err, r.Stack)
		return true
	}
	l.bytes += l.captured(t)
	return false
}

// captured is how many bytes were under way in the newest checkpoint.
func (l *legs) captured(t testing.TB) (n int64) {
	if newest := l.newest(t); newest != nil {
		for i := range newest.Parts {
			n += newest.Parts[i].InBytes + newest.Parts[i].OutBytes
		}
	}
	return n
}

// newest is the record of the newest checkpoint, nil: there is none.
func (l *legs) newest(t testing.TB) (newest *coordinator.Record) {
	for _, row := range l.disk.Do(state.Op{Kind: state.OpList, Key: coordinator.RecordPrefix}).List {
		rec, err := coordinator.DecodeRecord(l.disk.Do(state.Op{Kind: state.OpGet, Key: row.Key}).Data)
		if err != nil {
			t.Fatal(err)
		}
		if newest == nil || rec.Epoch > newest.Epoch {
			newest = rec
		}
	}
	return newest
}

// answer compares what was committed with what one task alone would have counted.
func (l *legs) answer(t testing.TB) error {
	if l.broken != nil {
		return l.broken
	}
	if l.workload != nil {
		return l.reference()
	}
	spec, err := catalog.Lookup(l.algorithm)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sinks.Lookup(l.sink)
	if err != nil {
		t.Fatal(err)
	}
	promise, err := s.Promise(spec.Properties(), true)
	if err != nil {
		t.Fatal(err)
	}
	p, want := numbers{0, 1, l.records, l.keys}, map[uint64]uint64{}
	for i := range l.records {
		want[p.key(i)]++
	}
	for k, n := range want {
		first := uint64(1)
		if l.final || s.Shows == sinks.Values {
			for spec.Properties().State < dataflow.ExactlyOnce && l.rows[[2]uint64{k, n}] == 0 && n < 2*l.records {
				n++ // some counted twice
			}
			first = n
		}
		for i := first; i <= n; i++ {
			got := l.rows[[2]uint64{k, i}]
			if got == 0 || got > 1 && promise.Output == dataflow.ExactlyOnce && s.Shows == sinks.Committed {
				return fmt.Errorf("row %d of key %d was committed %d times", i, k, got)
			}
		}
	}
	for row := range l.rows {
		if row[1] > want[row[0]] && spec.Properties().State == dataflow.ExactlyOnce {
			return fmt.Errorf("key %d was counted up to %d, there are %d", row[0], row[1], want[row[0]])
		}
	}
	return nil
}

// reference compares the committed rows with the workload's own answer.
func (l *legs) reference() error {
	want, err := l.workload.Reference()
	if err != nil {
		return err
	}
	got, err := l.workload.Canonical(l.raw)
	if err == nil && workloads.Digest(got) != workloads.Digest(want) {
		err = fmt.Errorf("%d rows, want %d: the digests differ", len(got), len(want))
	}
	return err
}

// TestRescaleWorkloads: windows, sessions, joins, timers and broadcast state, on every backend.
func TestRescaleWorkloads(t *testing.T) {
	for _, w := range workloadcatalog.All() {
		w.Small()
		if _, err := w.Reference(); err != nil {
			continue // whatever it does is right
		}
		t.Run(w.Name(), func(t *testing.T) {
			rescaled, bytes := 0, int64(0)
			for n := range uint64(6) {
				for _, backend := range []string{"", "pebble", "pebble-full"} {
					algorithm := []string{"unaligned", "aligned", "chandy-lamport"}[n%3]
					if algorithm == "chandy-lamport" && (w.Name() == "enrichment" || w.Name() == "spending") {
						algorithm = "unaligned-timeout" // they have a broadcast edge
					}
					if algorithm == "aligned" && w.Name() == "reachability" {
						algorithm = "stop-the-world"
					}
					l := &legs{algorithm: algorithm, sink: "two-phase", workload: w, state: backend}
					changed := l.way(t, [][]int{{2, 3, 2, 5}, {3, 2}}[n%2], n)
					rescaled += changed
					bytes += l.bytes
					if changed > 0 && w.Name() == "reachability" {
						if l.broken == nil || !strings.Contains(l.broken.Error(), "lies in a loop, and what goes round cannot be handed out anew") {
							t.Fatalf("a loop: %v", l.broken)
						}
						continue
					}
					if err := l.answer(t); err != nil {
						t.Fatalf("%s, %s, seed %d: %v; last failure: %v", algorithm, backend, n, err, l.failed)
					}
				}
			}
			t.Logf("rescaled %d times, %d bytes under way", rescaled, bytes)
			if rescaled < 6 {
				t.Error("the test shows little")
			}
		})
	}
}

// TestRescale: a job that goes on with another parallelism, up and down, at any moment,
// commits what one that never does would have.
func TestRescale(t *testing.T) {
	ways := [][]int{{2, 3}, {3, 2}, {2, 5}, {2, 3, 2, 5}, {4, 1, 4}, {1, 2}}
	for _, algorithm := range []string{"aligned", "unaligned", "unaligned-timeout", "stop-the-world", "chandy-lamport", "at-least-once"} {
		t.Run(algorithm, func(t *testing.T) {
			var rescaled int
			var bytes int64
			for n := range uint64(24) {
				for _, sink := range []string{"two-phase", "write-ahead", "committer", "upsert", "append"} {
					if algorithm == "at-least-once" && sink == "committer" {
						continue
					}
					l := &legs{algorithm: algorithm, sink: sink, records: 400, keys: 24, final: n%5 == 4}
					way := ways[n%uint64(len(ways))]
					rescaled += l.way(t, way, n)
					bytes += l.bytes
					if err := l.answer(t); err != nil {
						t.Fatalf("%s, seed %d, %v: %v; last failure: %v", sink, n, way, err, l.failed)
					}
				}
			}
			t.Logf("rescaled %d times, %d bytes under way", rescaled, bytes)
			if rescaled < 60 {
				t.Errorf("rescaled %d times: the test shows little", rescaled)
			}
			if strings.HasPrefix(algorithm, "unaligned") && bytes == 0 || algorithm == "chandy-lamport" && bytes == 0 {
				t.Error("nothing was ever under way")
			}
		})
	}
}

// way runs all legs to the end, and crashes workers meanwhile. It returns how often the
// parallelism changed.
func (l *legs) way(t testing.TB, way []int, n uint64) (changed int) {
	l.begin(t)
	d := seed.New(n).Stream("legs")
	for i, p := range way {
		upTo := -1
		if i < len(way)-1 {
			if upTo = d.Draw(4); i == 0 {
				upTo++
			}
		}
		c := sim.Config{Seed: n*10 + uint64(i), Policy: &sim.Random{}, Workers: 3, Poison: true, Model: sim.DefaultModel()}
		if n%2 == 1 {
			c.Model = c.Model.Flaky()
		}
		if n%3 > 0 {
			c.Model.WorkerSlow = []int{1, 6}
		}
		if n%4 > 1 {
			var plan faults.Plan
			for range 1 + d.Draw(2) {
				plan.Faults = append(plan.Faults, faults.Fault{
					Kind: faults.Crash, Target: faults.Worker, Worker: d.Draw(3), When: faults.At(faults.Time(d.Range(1, 12e6))),
				})
			}
			c.Injector = faults.NewInjector(plan)
		}
		if l.leg(t, p, upTo, c) {
			return changed
		}
		changed++
	}
	return changed
}

// TestRescaleMistakes: each mistake of a job that goes on with another parallelism shows
// in what it commits.
func TestRescaleMistakes(t *testing.T) {
	for _, c := range []struct {
		mutant dataflow.Mutant
		way    []int
	}{
		{dataflow.MutantSentToOldPlace, []int{2, 3}}, {dataflow.MutantVanishedForgotten, []int{3, 2}}, {rounds.MutantFormerInputsUnread, []int{2, 3}},
		{rounds.MutantFormerSplitLost, []int{2, 3}}, {rounds.MutantFormerSplitTwice, []int{3, 2}},
	} {
		found := 0
		for n := range uint64(12) {
			l := &legs{algorithm: "unaligned", sink: "two-phase", records: 400, keys: 24, mutant: c.mutant}
			if l.way(t, c.way, n); l.answer(t) != nil {
				found++
			}
		}
		t.Logf("%s: found by %d of 12 seeds", c.mutant, found)
		if found == 0 {
			t.Errorf("%s is never found", c.mutant)
		}
	}
}

// strict counts the records of a key, whose numbers must ascend: it is a mistake in the order
// of records if they do not.
type strict struct {
	out  *dataflow.Output
	last state.FixedTable
	bad  *int
}

func (s *strict) Open(c *dataflow.Context) (err error) {
	s.out = c.Out(0)
	s.last, err = state.OpenFixedTable(c.Store(), state.Descriptor{Name: "last", Codec: "number/1", FixedSize: 16})
	return err
}

func (s *strict) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		v, _ := s.last.Update(keyOf(rec))
		if n := binary.LittleEndian.Uint64(rec[8:]); n < binary.LittleEndian.Uint64(v) {
			*s.bad++
		} else {
			binary.LittleEndian.PutUint64(v, n)
		}
		n := binary.LittleEndian.Uint64(v[8:]) + 1
		binary.LittleEndian.PutUint64(v[8:], n)
		s.out.Emit(binary.LittleEndian.AppendUint64(append([]byte(nil), rec[:8]...), n))
	}
	return nil
}

func (s *strict) Finish() error { return nil }

func keyOf(rec []byte) state.Key {
	hash := state.HashUint64(binary.LittleEndian.Uint64(rec))
	return state.Key{Hash: hash, Group: state.GroupOf(hash, 16), Bytes: rec[:8]}
}

// ascending is a partition of (key, number) whose keys are its own.
type ascending struct{ numbers }

func (p ascending) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [16]byte
	for i := range uint64(n) {
		at := uint64(from) + i
		binary.LittleEndian.PutUint64(rec[:], p.index+p.of*(at%3)) // three keys of a split
		binary.LittleEndian.PutUint64(rec[8:], at)
		out.Emit(rec[:])
	}
	return dataflow.NoWatermark
}

// punctual is a partition of (key, event time), in order of time.
type punctual struct{ numbers }

func (p punctual) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [16]byte
	for i := range uint64(n) {
		at := uint64(from) + i
		binary.LittleEndian.PutUint64(rec[:], p.key(at*p.of+p.index))
		binary.LittleEndian.PutUint64(rec[8:], at)
		out.Emit(rec[:])
	}
	return int64(from) + int64(n)
}

// TestRescaleMakesNothingLate: a record that was under way to an operator whose instances
// stay is not sent again to one of them that has told the others of later event time.
func TestRescaleMakesNothingLate(t *testing.T) {
	for i := range 8 {
		only, forward := i, i > 4 // a relay that forwards has as many instances as the source
		if forward {
			only = []int{0, 3, 4}[i-5]
		}
		late, changed, bytes := 0, 0, int64(0)
		for n := range uint64(60) {
			l := &legs{algorithm: []string{"unaligned", "unaligned-timeout"}[n%2], sink: "two-phase", records: 400, keys: 24, only: only, late: &late, forward: forward}
			changed += l.way(t, [][]int{{2, 3, 2}, {3, 1, 4}, {2, 5}}[n%3], n)
			if l.broken != nil {
				t.Fatal(l.broken)
			}
			bytes += l.bytes
		}
		t.Logf("of vertex %d, forward %v: %d changes, %d bytes under way, %d records came too late", only, forward, changed, bytes, late)
		if late > 0 || changed < 60 || bytes == 0 {
			t.Errorf("of vertex %d, forward %v: %d changes, %d bytes under way, %d records came too late", only, forward, changed, bytes, late)
		}
	}
}

// TestRescaleKeepsOrder: records of a key come in their order, although its split has moved
// to another source while some of them were under way.
func TestRescaleKeepsOrder(t *testing.T) {
	for _, mutant := range []dataflow.Mutant{"", dataflow.MutantOrderForgotten} {
		bad, bytes := 0, int64(0)
		for n := range uint64(60) {
			l := &legs{algorithm: "unaligned", sink: "two-phase", records: 400, keys: 12, mutant: mutant, strict: &bad}
			l.way(t, [][]int{{2, 3}, {3, 2}, {1, 3}, {4, 3}}[n%4], n*4+1)
			if l.broken != nil {
				t.Fatal(l.broken)
			}
			bytes += l.bytes
		}
		t.Logf("%q: %d records out of order, %d bytes under way", mutant, bad, bytes)
		if (bad > 0) != (mutant != "") || bytes == 0 {
			t.Errorf("%q: %d records out of order, %d bytes under way", mutant, bad, bytes)
		}
	}
}

// TestRescaleOfOneVertex: the others go on from their own snapshots, incrementally too.
func TestRescaleOfOneVertex(t *testing.T) {
	for only := 1; only <= 4; only++ {
		rescaled := 0
		for n := range uint64(12) {
			l := &legs{algorithm: []string{"unaligned", "aligned", "chandy-lamport"}[n%3], sink: []string{"two-phase", "write-ahead"}[n%2], records: 400, keys: 24, only: only}
			if n%4 > 1 {
				l.state = "pebble"
			}
			rescaled += l.way(t, [][]int{{2, 3, 1}, {3, 2, 5}, {2, 4}}[n%3], n)
			if err := l.answer(t); err != nil {
				t.Fatalf("vertex %d, seed %d: %v; last failure: %v", only, n, err, l.failed)
			}
		}
		if rescaled < 8 {
			t.Errorf("vertex %d: rescaled %d times", only, rescaled)
		}
	}
}

// TestRescaleRefused: who cannot go on says what to do, and nothing is touched.
func TestRescaleRefused(t *testing.T) {
	for _, algorithm := range []string{"uncoordinated", "cic-bcs", "cic-hmnr"} {
		l := &legs{algorithm: algorithm, sink: "two-phase", records: 400, keys: 24}
		l.begin(t)
		if l.leg(t, 2, 0, sim.Config{Seed: 1}) {
			t.Fatalf("%s: %v", algorithm, l.broken)
		}
		before := len(l.disk.Do(state.Op{Kind: state.OpList}).List)
		l.leg(t, 3, -1, sim.Config{Seed: 2})
		if l.broken == nil || !strings.Contains(l.broken.Error(), "rescale from a savepoint") {
			t.Errorf("%s: %v", algorithm, l.broken)
		}
		if after := len(l.disk.Do(state.Op{Kind: state.OpList}).List); after != before {
			t.Errorf("%s: %d objects, there were %d", algorithm, after, before)
		}
	}
}

// TestRescaleOfWhatHasFinished: some counters have emitted their last rows when the job goes
// on with another parallelism, others have not. Each row comes once.
func TestRescaleOfWhatHasFinished(t *testing.T) {
	partly := 0
	for _, algorithm := range []string{"aligned", "unaligned"} {
		for n := range uint64(40) {
			l := &legs{algorithm: algorithm, sink: "two-phase", records: 200, keys: 40, final: true, whenDrained: true}
			l.begin(t)
			c := sim.Config{Seed: n, Policy: &sim.Random{}, Workers: 3, Model: sim.DefaultModel()}
			c.Model.WorkerSlow = []int{1, 30}
			if l.leg(t, 2, 1, c) {
				continue
			}
			drained := 0
			for _, p := range l.newest(t).Parts[4:6] {
				if p.Drained {
					drained++
				}
			}
			if drained == 1 {
				partly++
			}
			l.leg(t, 1+int(n%4), -1, sim.Config{Seed: n})
			if err := l.answer(t); err != nil {
				t.Fatalf("%s, seed %d: %v", algorithm, n, err)
			}
		}
	}
	t.Logf("one of two counters had finished %d times", partly)
	if partly == 0 {
		t.Error("it was never so that some had finished and others had not")
	}
}
