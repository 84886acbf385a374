package pipelines

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

const (
	recordBytes = 16
	rowBytes    = 24
)

// open returns a split of a pipeline: records with the hash of their key.
func (s *settings) open(pipeline, index, of int) *operators.Numbered {
	var rec [recordBytes]byte
	emit := func(seq uint64, out *dataflow.Output) {
		key := s.key(seq)
		binary.LittleEndian.PutUint64(rec[:], seq)
		binary.LittleEndian.PutUint64(rec[8:], key)
		out.EmitHashed(state.HashUint64(key), rec[:])
	}
	return &operators.Numbered{Index: count*index + pipeline, Of: count * of, Records: s.numEvents, Emit: emit}
}

// keyHash is the hash of a record's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec[8:])) }

// counter counts records per key and emits every new count.
type counter struct {
	pipeline uint64
	out      *dataflow.Output
	table    state.FixedTable
	groups   int
	row      [rowBytes]byte
}

// Open opens the keyed state.
func (c *counter) Open(ctx *dataflow.Context) (err error) {
	c.table, err = state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: "counts", Codec: "uint64/1", FixedSize: 8})
	c.out, c.groups = ctx.Out(0), ctx.Info().NumGroups
	return err
}

// Process counts the records of b.
func (c *counter) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if len(rec) != recordBytes {
			return fmt.Errorf("pipelines: a record of %d bytes; they have %d", len(rec), recordBytes)
		}
		hash := keyHash(rec)
		v, _ := c.table.Update(state.Key{Hash: hash, Group: state.GroupOf(hash, c.groups), Bytes: rec[8:]})
		n := binary.LittleEndian.Uint64(v) + 1
		binary.LittleEndian.PutUint64(v, n)
		binary.LittleEndian.PutUint64(c.row[:], c.pipeline)
		binary.LittleEndian.PutUint64(c.row[8:], binary.LittleEndian.Uint64(rec[8:]))
		binary.LittleEndian.PutUint64(c.row[16:], n)
		c.out.Emit(c.row[:])
	}
	return nil
}

// Finish has nothing left to emit.
func (c *counter) Finish() error { return nil }
