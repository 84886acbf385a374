package live_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
)

// wide is a partition of 34-byte records: an eight-byte key and a filling.
type wide struct {
	total id.Offset
	keys  uint64
	seed  uint64
	rec   [34]byte
}

func (p *wide) Len() id.Offset { return p.total }

func (p *wide) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	for i := range uint64(n) {
		h := state.HashUint64(uint64(from) + i + p.seed)
		key := uint64(uint32(h)) * p.keys >> 32
		binary.LittleEndian.PutUint64(p.rec[:], key)
		out.EmitHashed(state.HashUint64(key), p.rec[:])
	}
	return dataflow.NoWatermark
}

// tally counts records and keeps one counter per key and task, flat: the least
// that a keyed operator can do, so that the exchange is what is measured.
type tally struct {
	counts []uint64
	out    *dataflow.Output
}

func (c *tally) Open(x *dataflow.Context) error { c.out = x.Out(0); return nil }
func (c *tally) Finish() error {
	var n uint64
	for _, v := range c.counts {
		n += v
	}
	c.out.Emit(binary.LittleEndian.AppendUint64(nil, n))
	return nil
}

func (c *tally) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		c.counts[binary.LittleEndian.Uint64(rec)]++
	}
	return nil
}

func benchGraph(parallelism int, records, keys uint64) *dataflow.Graph {
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) {
					return &wide{total: id.Offset(records) / id.Offset(of), keys: keys, seed: uint64(i) << 40}, nil
				})
			}},
			{Name: "count", Parallelism: parallelism, New: func() dataflow.Operator { return &tally{counts: make([]uint64, keys)} }},
			{Name: "sink", Parallelism: 1, Role: dataflow.RoleSink, New: func() dataflow.Operator { return &sinks.Append{} }},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec)) }},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
		},
	}
}

type nowhere struct{}

func (nowhere) Do(dataflow.ExtOp) dataflow.ExtStatus { return dataflow.ExtOK }

// BenchmarkExchange is the driver alone: source, hash exchange of encoded
// 34-byte records, a flat count, sink; no snapshots. It reports records per
// second of the wall and of processor time, and allocations per buffer.
func BenchmarkExchange(b *testing.B) {
	for _, batch := range []int{16, 128, 1024} {
		for _, p := range []int{1, 2} {
			b.Run(fmt.Sprintf("batch=%d/parallelism=%d", batch, p), func(b *testing.B) { benchmarkExchange(b, batch, p) })
		}
	}
}

func benchmarkExchange(b *testing.B, batch, parallelism int) {
	spec, err := catalog.Lookup("none")
	if err != nil {
		b.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.SourceBatch, c.BatchBytes = batch, batch, max(64, 36*batch)
	job := &dataflow.Job{Name: "bench", Graph: benchGraph(parallelism, uint64(b.N), 10_000), Algorithm: spec, Backend: heap.Backend{}, Config: c}
	b.ReportAllocs()
	cpu, start := processorTime(b), time.Now()
	r, err := live.Run(context.Background(), live.Config{Job: job, Storage: storage.NewMemory(0), External: nowhere{}})
	if err != nil {
		b.Fatal(err)
	}
	wall, used := time.Since(start), processorTime(b)-cpu
	var buffers uint64
	for _, s := range r.Tasks {
		buffers += s.BuffersOut
	}
	b.ReportMetric(float64(b.N)/used.Seconds()/1e6, "Mrecords/cpu-s")
	b.ReportMetric(float64(b.N)/wall.Seconds()/1e6, "Mrecords/s")
	b.ReportMetric(float64(b.N)/max(float64(buffers), 1), "records/buffer")
}

// processorTime is user and system time of the whole process.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed is a partition whose records carry their intended time.
type timed struct {
	total     id.Offset
	index, of int
	rate      *live.Rate
	rec       [34]byte
}

func (p *timed) Len() id.Offset { return p.total }

func (p *timed) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	for i := range id.Offset(n) {
		binary.LittleEndian.PutUint64(p.rec[:], uint64(p.rate.Intended(from+i, p.index, p.of)))
		out.EmitHashed(state.HashUint64(uint64(from+i)), p.rec[:])
	}
	return dataflow.NoWatermark
}

// lateness is a sink that keeps how late each record arrives.
type lateness struct {
	sinks.Append
	ctx  *dataflow.Context
	late *[]int64
}

func (l *lateness) Open(c *dataflow.Context) error { l.ctx = c; return nil }

func (l *lateness) Process(_ int, b *dataflow.Buffer) error {
	now := l.ctx.Now()
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		*l.late = append(*l.late, now-int64(binary.LittleEndian.Uint64(rec)))
	}
	return nil
}

// BenchmarkPaced is the latency that the driver adds at a constant rate: from
// the intended time of a record, over a hash exchange, to the sink.
func BenchmarkPaced(b *testing.B) {
	for _, rate := range []int64{10_000, 1_000_000} {
		for _, timeout := range []dataflow.Nanos{0, 200_000, 1_000_000} {
			b.Run(fmt.Sprintf("rate=%d/timeout=%s", rate, time.Duration(timeout)), func(b *testing.B) { benchmarkPaced(b, rate, timeout) })
		}
	}
}

func benchmarkPaced(b *testing.B, perSecond int64, timeout dataflow.Nanos) {
	spec, err := catalog.Lookup("none")
	if err != nil {
		b.Fatal(err)
	}
	rate := &live.Rate{Start: int64(10 * time.Millisecond), PerSecond: perSecond, Quantum: 100_000}
	c := dataflow.DefaultConfig()
	c.BatchTimeout = timeout
	g := benchGraph(1, uint64(b.N), 1)
	g.Vertices[0].New = func() dataflow.Operator {
		return operators.NewSource(func(i, of int) (operators.Partition, error) {
			return &timed{total: id.Offset(b.N / of), index: i, of: of, rate: rate}, nil
		})
	}
	late := make([]int64, 0, b.N)
	g.Vertices, g.Edges = []dataflow.Vertex{g.Vertices[0], g.Vertices[2]}, g.Edges[:1]
	g.Vertices[1].New = func() dataflow.Operator { return &lateness{late: &late} }
	job := &dataflow.Job{Name: "bench", Graph: g, Algorithm: spec, Backend: heap.Backend{}, Config: c}
	cpu, start := processorTime(b), time.Now()
	if _, err := live.Run(context.Background(), live.Config{Job: job, Storage: storage.NewMemory(0), External: nowhere{}, Pacer: rate}); err != nil {
		b.Fatal(err)
	}
	used := processorTime(b) - cpu
	slices.Sort(late)
	for _, q := range []struct {
		unit string
		at   float64
	}{{"p50-us", 0.5}, {"p99-us", 0.99}, {"p99.9-us", 0.999}} {
		b.ReportMetric(float64(late[int(float64(len(late)-1)*q.at)])/1e3, q.unit)
	}
	b.ReportMetric(100*used.Seconds()/time.Since(start).Seconds(), "cpu-%")
}
