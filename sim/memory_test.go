package sim_test

import (
	"runtime"
	"testing"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/sim"
)

// TestNoGrowth checks that a simulator that has run a thousand jobs holds no
// more than after the first hundred.
func TestNoGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	s := sim.New()
	heap := func(from, to uint64) int64 {
		for n := from; n < to; n++ {
			for _, name := range []string{"unaligned", "uncoordinated"} {
				x := newExperiment(t, s, name, testRecords, testKeys, 2)
				x.job.Config.Checkpoint.Interval = 6e5
				x.run(t, crashing(n, nil))
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap(0, 100)
	after := heap(100, 1000)
	t.Logf("%d KiB in use after 200 runs, %d after 2,000", before>>10, after>>10)
	if after-before > 1<<20 || after > 64<<20 {
		t.Errorf("%d bytes in use after 200 runs, %d after 2,000", before, after)
	}
	runtime.KeepAlive(s)
}

// keeper is an operator that breaks the rule on borrowed buffers: it emits the
// records of the buffer before.
type keeper struct {
	out  *dataflow.Output
	last []byte
}

func (k *keeper) Open(c *dataflow.Context) error {
	k.out = c.Out(0)
	return nil
}

func (k *keeper) Process(_ int, b *dataflow.Buffer) error {
	k.flush()
	k.last = b.Data
	return nil
}

func (k *keeper) flush() {
	for rec, rest := dataflow.NextRecord(k.last); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		k.out.Emit(rec)
	}
	k.last = nil
}

func (k *keeper) Finish() error {
	k.flush()
	return nil
}

// TestPoison checks that an operator that keeps a buffer is caught when
// recycled buffers are poisoned.
func TestPoison(t *testing.T) {
	x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	g := x.job.Graph
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: "keeper", Parallelism: 2, New: func() dataflow.Operator { return &keeper{} }})
	count := g.Edges[0]
	count.From = 3
	g.Edges = append(g.Edges, count)
	g.Edges[0] = dataflow.Edge{From: 0, To: 3, Partitioning: dataflow.Forward}
	r := x.run(t, sim.Config{Poison: true})
	if r.Verdict == sim.Done && x.check(testRecords, testKeys) == nil {
		t.Error("an operator kept a buffer and nobody noticed")
	}
	g.Vertices[3].New = func() dataflow.Operator {
		return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) { return append(dst, rec...), true }}
	}
	r = x.run(t, sim.Config{Poison: true})
	if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
		t.Errorf("with an operator that copies: %s: %v; %v", r.Verdict, r.Err, err)
	}
}

// panicker panics on its first record.
type panicker struct{ keeper }

func (*panicker) Process(int, *dataflow.Buffer) error { panic("as planned") }

func TestPanicIsAVerdict(t *testing.T) {
	s := sim.New()
	x := newExperiment(t, s, "aligned", testRecords, testKeys, 2)
	good := x.job.Graph.Vertices[1].New
	x.job.Graph.Vertices[1].New = func() dataflow.Operator { return &panicker{} }
	r := x.run(t, sim.Config{})
	if r.Verdict != sim.Panicked || r.Err == nil || r.Stack == "" {
		t.Fatalf("%s: %v", r.Verdict, r.Err)
	}
	x.job.Graph.Vertices[1].New = good
	if r := x.run(t, sim.Config{}); r.Verdict != sim.Done {
		t.Errorf("the run after it: %s: %v", r.Verdict, r.Err)
	}
}
