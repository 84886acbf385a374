package stories

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external/sinks"
	"weir/id"
	"weir/state"
)

// shape is the graph of a story: sources, counts per key, sinks.
type shape struct {
	sources, counts, sinks int
	splits                 int  // of the sources together
	forward                bool // counts to sinks
	reorders               bool // items on a wire
	sink                   *sinks.Sink
	input                  [][]string // by split
}

// hasSplits: not one to a source.
func (s *shape) hasSplits() bool { return s.splits != s.sources }

// graph builds the job's graph. A record is its key; counts emit "key:n".
func (s *shape) graph() *dataflow.Graph {
	last := dataflow.Rebalance
	if s.forward {
		last = dataflow.Forward
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: s.sources, Splits: s.splits, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(index, _ int) (operators.Partition, error) { return records(s.input[index]), nil })
			}},
			{Name: "count", Parallelism: s.counts, Keyed: true, New: func() dataflow.Operator { return &count{} }},
			{Name: "sink", Parallelism: s.sinks, Role: dataflow.RoleSink, New: s.sink.Operator(sinks.Config{})},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: state.HashBytes, Reorders: s.reorders},
			{From: 1, To: 2, Partitioning: last, Reorders: s.reorders},
		},
	}
}

// records is one split.
type records []string

// Len returns the number of records.
func (r records) Len() id.Offset { return id.Offset(len(r)) }

// Read emits n records.
func (r records) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	for _, rec := range r[from : from+id.Offset(n)] {
		out.Emit([]byte(rec))
	}
	return dataflow.NoWatermark
}

// count counts records per key in keyed state and emits every new count.
type count struct {
	ctx   *dataflow.Context
	table state.FixedTable
}

// Open opens the keyed state.
func (c *count) Open(ctx *dataflow.Context) (err error) {
	c.ctx = ctx
	c.table, err = state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: "counts", Codec: "uint64/1", FixedSize: 8})
	return err
}

// Process counts the records of b.
func (c *count) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		v, _ := c.table.Update(c.ctx.Key(rec))
		n := binary.LittleEndian.Uint64(v) + 1
		binary.LittleEndian.PutUint64(v, n)
		c.ctx.Out(0).Emit(fmt.Appendf(nil, "%s:%d", rec, n))
	}
	return nil
}

// Finish has nothing left to emit.
func (c *count) Finish() error { return nil }

func (c *count) counts() (rows []string) {
	c.table.Range(func(k state.Key, v []byte) bool {
		rows = append(rows, fmt.Sprintf("%s=%d", k.Bytes, binary.LittleEndian.Uint64(v)))
		return true
	})
	return rows
}
