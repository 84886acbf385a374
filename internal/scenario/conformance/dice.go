package conformance

import (
	"encoding/binary"
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/state"
	"weir/workloads"
	"weir/workloads/pipelines"
)

// dice is pipelines with operators that draw a random number for every record.
// The draw goes into the state of the key and into every later row of it: a row
// has the record, the draw, and the hash over all records and draws of its key so
// far. Committed rows that come from two histories contradict each other.
type dice struct{ workloads.Workload }

func newDice() workloads.Workload {
	return dice{pipelines.New()}
}

func (dice) Name() string { return "dice" }

// Graph replaces the counters.
func (d dice) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g, err := d.Workload.Graph(parallelism, sink)
	if err != nil {
		return nil, err
	}
	pipeline := uint64(0)
	for i := range g.Vertices {
		if v := &g.Vertices[i]; v.Keyed {
			p := pipeline
			v.NonDeterministic, v.New = true, func() dataflow.Operator { return &thrower{pipeline: p} }
			pipeline++
		}
	}
	return g, nil
}

// counted is the part of a row that pipelines has too: pipeline, key, count.
// Behind it are record, draw and hash.
const counted, diceRow = 24, 48

// chained is the hash of a key's history after one more record.
func chained(before, seq, draw uint64) uint64 {
	return state.HashUint64(before ^ state.HashUint64(seq^state.HashUint64(draw)))
}

// Canonical checks that each key's rows are one history, and gives their counts.
func (d dice) Canonical(rows [][]byte) ([][]byte, error) {
	sorted := slices.SortedFunc(slices.Values(rows), func(a, b []byte) int {
		for i := 0; i < counted; i += 8 {
			if c := int(int64(word(a, i)) - int64(word(b, i))); c != 0 {
				return c
			}
		}
		return 0
	})
	var plain [][]byte
	var broken error
	for i, r := range sorted {
		if len(r) != diceRow {
			return nil, fmt.Errorf("dice: a row of %d bytes", len(r))
		}
		var before uint64
		if i > 0 && slices.Equal(r[:16], sorted[i-1][:16]) {
			before = word(sorted[i-1], 40)
		}
		if broken == nil && word(r, 40) != chained(before, word(r, 24), word(r, 32)) {
			broken = fmt.Errorf("dice: row %d of key %d is not of the history of the row before it", word(r, 16), word(r, 8))
		}
		plain = append(plain, r[:counted])
	}
	canonical, err := d.Workload.Canonical(plain)
	if err == nil {
		err = broken
	}
	return canonical, err
}

func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// thrower counts per key and throws a die for every record.
type thrower struct {
	pipeline uint64
	ctx      *dataflow.Context
	table    state.FixedTable
	row      [diceRow]byte
}

// Open opens the keyed state: count and hash.
func (o *thrower) Open(ctx *dataflow.Context) (err error) {
	o.ctx = ctx
	o.table, err = state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: "throws", Codec: "pair/1", FixedSize: 16})
	return err
}

// Process throws for every record.
func (o *thrower) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		seq, key, draw := word(rec, 0), word(rec, 8), o.ctx.Random()
		hash := state.HashUint64(key)
		v, _ := o.table.Update(state.Key{Hash: hash, Group: state.GroupOf(hash, o.ctx.Info().NumGroups), Bytes: rec[8:16]})
		n, chain := word(v, 0)+1, chained(word(v, 8), seq, draw)
		for i, x := range [...]uint64{o.pipeline, key, n, seq, draw, chain} {
			binary.LittleEndian.PutUint64(o.row[8*i:], x)
		}
		binary.LittleEndian.PutUint64(v, n)
		binary.LittleEndian.PutUint64(v[8:], chain)
		o.ctx.Out(0).Emit(o.row[:])
	}
	return nil
}

// Finish has nothing left to emit.
func (o *thrower) Finish() error { return nil }
