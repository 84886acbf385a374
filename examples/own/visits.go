// Package own is a job and an algorithm of one's own, checked by Weir: a module
// of its own that uses exported packages only. docs/own-jobs.md walks through it.
package own

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/state"
	"weir/workloads"
)

// Visits is the job: how often each card was shown at a door, minute by minute.
func Visits() workloads.Job {
	return workloads.Job{Name: "visits", Records: 300, Graph: graph, RecordID: number}
}

// graph is source -> count -> sink; records go to the counter of their card.
func graph(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	source := func() dataflow.Operator {
		return operators.NewSource(func(index, of int) (operators.Partition, error) { return &reader{records, index, of}, nil })
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "count", Parallelism: parallelism, Keyed: true, New: func() dataflow.Operator { return &counter{} }},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 { return state.HashBytes(card(rec)) }},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Record n of the input is a line of text: "n card second".

func line(n int) []byte { return fmt.Appendf(nil, "%d card%d %d", n, n*n%7, second(n)) }

func second(n int) int64 { return int64(n) * 2 }

func number(rec []byte) uint64 {
	n, _ := strconv.ParseUint(string(bytes.Fields(rec)[0]), 10, 64)
	return n
}

func card(rec []byte) []byte { return bytes.Fields(rec)[1] }

// reader is one split of the input: the records index, index+of, index+2*of, ...
type reader struct{ records, index, of int }

// Len returns the number of records.
func (r *reader) Len() id.Offset {
	return id.Offset(max(0, (r.records-r.index+r.of-1)/r.of))
}

// Read emits n records. None that follows is older than the last.
func (r *reader) Read(from id.Offset, n int, out *dataflow.Output) (watermark int64) {
	at := r.index + int(from)*r.of
	for ; n > 0; n-- {
		out.Emit(line(at))
		watermark = second(at)
		at += r.of
	}
	return watermark
}

// counter counts the visits of each card and minute, and tells them by a timer
// when the minute is over.
type counter struct {
	ctx    *dataflow.Context
	visits state.MapTable // card -> minute -> visits
}

// Open opens the state.
func (c *counter) Open(ctx *dataflow.Context) (err error) {
	c.ctx = ctx
	c.visits, err = state.OpenMapTable(ctx.Store(), state.Descriptor{Name: "visits", Codec: "minute->uint64/1"})
	return err
}

// Process counts the records of a buffer.
func (c *counter) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		at, err := strconv.ParseInt(string(bytes.Fields(rec)[2]), 10, 64)
		if err != nil {
			return err
		}
		key, minute, n := c.ctx.Key(card(rec)), state.AppendTime(nil, at/60), uint64(0)
		if old, ok := c.visits.MapGet(key, minute); ok {
			n = binary.BigEndian.Uint64(old)
		}
		c.visits.MapPut(key, minute, binary.BigEndian.AppendUint64(nil, n+1))
		c.ctx.Timer((at/60+1)*60, card(rec))
	}
	return nil
}

// OnTimer tells the visits of the minute that ends at a time, and forgets them.
func (c *counter) OnTimer(at int64, card []byte) error {
	key, minute := c.ctx.Key(card), state.AppendTime(nil, at/60-1)
	if n, ok := c.visits.MapGet(key, minute); ok {
		c.ctx.Out(0).Emit(fmt.Appendf(nil, "%s minute %d: %d visits", card, at/60-1, binary.BigEndian.Uint64(n)))
		c.visits.MapDelete(key, minute)
	}
	return nil
}

// Finish has nothing left: at the end of the input every timer has fired.
func (c *counter) Finish() error { return nil }
