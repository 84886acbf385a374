package operators_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external/sinks"
	"weir/id"
	"weir/state"
)

// numbers is a partition of the numbers 0..n-1, as uint64 records.
type numbers struct {
	n, index, of uint64
	rec          []byte
}

func (p *numbers) Len() id.Offset { return id.Offset((p.n + p.of - 1 - p.index) / p.of) }

func (p *numbers) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	seq := uint64(from)*p.of + p.index
	for ; n > 0; n-- {
		p.rec = binary.LittleEndian.AppendUint64(p.rec[:0], seq)
		out.Emit(p.rec)
		seq += p.of
	}
	return int64(seq)
}

func source(n uint64) func() dataflow.Operator {
	return func() dataflow.Operator {
		return operators.NewSource(func(index, of int) (operators.Partition, error) {
			return &numbers{n: n, index: uint64(index), of: uint64(of)}, nil
		})
	}
}

// chain is source -> operators -> sink, the operators reached by hash of what hash says.
func chain(p int, n uint64, sink func() dataflow.Operator, keyed bool, ops ...func() dataflow.Operator) *dataflow.Graph {
	g := &dataflow.Graph{Vertices: []dataflow.Vertex{{Name: "source", Role: dataflow.RoleSource, New: source(n)}}}
	for i, op := range ops {
		g.Vertices = append(g.Vertices, dataflow.Vertex{Name: fmt.Sprintf("op%d", i), Keyed: keyed, New: op})
		e := dataflow.Edge{From: i, To: i + 1, Partitioning: dataflow.Rebalance}
		if keyed {
			e.Partitioning, e.Key = dataflow.Hash, func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec) % 10) }
		}
		g.Edges = append(g.Edges, e)
	}
	last := len(g.Vertices)
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: "sink", Role: dataflow.RoleSink, New: sink})
	g.Edges = append(g.Edges, dataflow.Edge{From: last - 1, To: last, Partitioning: dataflow.Rebalance})
	for i := range g.Vertices {
		g.Vertices[i].Parallelism = p
	}
	return g
}

func even() dataflow.Operator {
	return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) { return append(dst, rec...), rec[0]%2 == 0 }}
}

func square() dataflow.Operator {
	return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) {
		v := binary.LittleEndian.Uint64(rec)
		return binary.LittleEndian.AppendUint64(dst, v*v), true
	}}
}

func TestTransforms(t *testing.T) {
	d := newDriver(t, chain(3, 100, appendSink, false, even, square))
	d.start(0, false)
	var got []uint64
	for _, row := range d.finish() {
		got = append(got, binary.LittleEndian.Uint64(row))
	}
	slices.Sort(got)
	var want []uint64
	for v := uint64(0); v < 100; v += 2 {
		want = append(want, v*v)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func sumByDigit() dataflow.Operator {
	row := func(dst, key []byte, acc uint64) ([]byte, bool) {
		return fmt.Appendf(dst, "%d:%d", binary.LittleEndian.Uint64(key), acc), true
	}
	return &operators.Aggregate[uint64, uint64]{
		State: "sums", In: state.Uint64, Acc: state.Uint64,
		Key:    func(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v%10) },
		Add:    func(acc, v uint64) uint64 { return acc + v },
		Update: func(dst, key []byte, acc uint64) ([]byte, bool) { return dst, false },
		Final:  row,
	}
}

func TestAggregateRestoredInTheMiddle(t *testing.T) {
	for p := 1; p <= 3; p++ {
		d := newDriver(t, chain(p, 100, twoPhaseSink, true, sumByDigit))
		d.start(0, false)
		d.runTo(id.Offset(60 / p))
		d.snapshot(id.MakeEpoch(1, 1))
		d.runTo(id.Offset(80 / p))
		d.start(id.MakeEpoch(1, 1), true)
		var got []string
		for _, row := range d.finish() {
			got = append(got, string(row))
		}
		slices.Sort(got)
		want := "0:450 1:460 2:470 3:480 4:490 5:500 6:510 7:520 8:530 9:540"
		if strings.Join(got, " ") != want {
			t.Errorf("p=%d: %s, want %s", p, got, want)
		}
	}
}

func TestSourceSeek(t *testing.T) {
	d := newDriver(t, chain(2, 101, appendSink, false, even))
	d.start(0, false)
	s := source(101)().(*operators.Source)
	if err := s.Open(newContext(d)); err != nil {
		t.Fatal(err)
	}
	if err := s.Seek(0, 51); err != nil {
		t.Errorf("the end of the split: %v", err)
	}
	if b, err := s.Emit(0, 10); !b.Done || b.Records != 0 || err != nil {
		t.Errorf("emitting at the end: %+v, %v", b, err)
	}
	if _, err := s.Emit(1, 10); err == nil {
		t.Error("a split that was never opened is read")
	}
	if err := s.Seek(1, 52); err == nil || !strings.Contains(err.Error(), "the input has changed") {
		t.Errorf("behind the end: %v", err)
	}
}

// newContext returns the context of the first task of d, through an operator
// that keeps it.
func newContext(d *driver) *dataflow.Context {
	var ctx *dataflow.Context
	g := *d.job.Graph
	g.Vertices = slices.Clone(g.Vertices)
	g.Vertices[0].New = func() dataflow.Operator { return keepContext{operators.NewSource(nil), &ctx} }
	job := d.job
	job.Graph = &g
	if _, err := dataflow.NewTask(&job, &d.infos[0], dataflow.Env{Host: &host{d, 0}}); err != nil {
		d.t.Fatal(err)
	}
	return ctx
}

type keepContext struct {
	*operators.Source
	ctx **dataflow.Context
}

func (k keepContext) Open(c *dataflow.Context) error {
	*k.ctx = c
	return nil
}

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		w        operators.Windows
		at, want int64
	}{
		{operators.Tumbling(10), 25, 20}, {operators.Tumbling(10), 20, 20}, {operators.Tumbling(10), -1, -10},
		{operators.Sliding(10, 3), 7, 6}, {operators.Sliding(10, 3), -7, -9},
	} {
		if got := c.w.Last(c.at); got != c.want {
			t.Errorf("%v: last window of %d begins at %d, want %d", c.w, c.at, got, c.want)
		}
	}
	if err := operators.Sliding(10, 0).Validate(); err == nil {
		t.Error("a period of 0 is valid")
	}
}

// TestHotPathsAllocateNothing runs every operator in whole jobs, long enough for
// buffers and tables to have grown, and counts allocations per record.
func TestHotPathsAllocateNothing(t *testing.T) {
	const records = 40_000
	kc := newWorkload(t, "keyedcount", fmt.Sprintf("numEvents=%d", 2*records), "keys=100")
	q1 := newWorkload(t, "nexmark-q1", fmt.Sprintf("numEvents=%d", 2*records))
	q5 := newWorkload(t, "nexmark-q5", fmt.Sprintf("numEvents=%d", 2*records), "numInFlightAuctions=10")
	for name, c := range map[string]struct {
		g     *dataflow.Graph
		limit float64 // per record: chunks of rows in sinks, timers of new windows
	}{
		"keyedcount":           {graph(t, kc, 1, discardSink), 0.001},
		"nexmark-q1":           {graph(t, q1, 1, discardSink), 0.001},
		"nexmark-q5":           {graph(t, q5, 1, discardSink), 0.3},
		"filter, map":          {chain(1, 2*records, discardSink, false, even, square), 0.001},
		"aggregate":            {chain(1, 2*records, discardSink, true, sumByDigit), 0.001},
		"keyedcount two-phase": {graph(t, kc, 1, twoPhaseSink), 0.001},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, c.g)
			d.job.Config.BatchRecords, d.job.Config.SourceBatch, d.job.Config.CheckState = 1024, 1024, false
			d.start(0, false)
			d.runTo(records)
			var at id.Offset = records
			got := testing.AllocsPerRun(10, func() { at += records / 16; d.runTo(at) })
			if per := got / (records / 16); per > c.limit {
				t.Errorf("%.4f allocations per record", per)
			}
		})
	}
}

func discardSink() dataflow.Operator { return &discard{} }

// discard is a sink that drops its rows.
type discard struct{ sinks.TwoPhase }

func (*discard) Process(int, *dataflow.Buffer) error { return nil }

// BenchmarkKeyedCount runs source, exchange, count and sink on one goroutine.
func BenchmarkKeyedCount(b *testing.B) {
	for _, c := range []struct {
		name     string
		settings []string
		sink     func() dataflow.Operator
	}{
		{"keys=10k/rows/two-phase", []string{"keys=10000"}, twoPhaseSink},
		{"keys=10k/rows/discard", []string{"keys=10000"}, discardSink},
		{"keys=10k/final/discard", []string{"keys=10000", "emitEvery=0"}, discardSink},
		{"keys=10k/zipf/final/discard", []string{"keys=10000", "emitEvery=0", "distribution=zipf"}, discardSink},
		{"keys=1M/100B/final/discard", []string{"keys=1000000", "valueSize=100", "emitEvery=0"}, discardSink},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorkload(b, "keyedcount", append(c.settings, "numEvents=1000000000")...)
			d := newDriver(b, graph(b, w, 1, c.sink))
			d.job.Config = dataflow.DefaultConfig()
			d.job.Config.BatchTimeout = 0
			d.start(0, false)
			d.runTo(2_000_000)
			b.ReportAllocs()
			at := id.Offset(2_000_000)
			e := uint32(0)
			for b.Loop() {
				at += 100_000
				d.runTo(at)
				if e++; e%10 == 0 {
					d.snapshotSinks(id.MakeEpoch(1, e))
				}
			}
			b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds()/1e6, "Mrec/s")
		})
	}
}

// snapshotSinks seals and commits the transactions of the sinks, to let rows go.
func (d *driver) snapshotSinks(e id.Epoch) {
	for i, p := range d.protos {
		if d.infos[i].Role == dataflow.RoleSink {
			p.kernel.Begin(e, 0).Seal()
		}
	}
	d.settle(false)
	d.commit(e)
	clear(d.objects)
}
