package pipelines

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

const (
	recordBytes = 16
	rowBytes    = 24
)

// partition is a split: it holds the records first, first+step, first+2*step, ...
type partition struct {
	settings    settings
	first, step uint64
	record      [recordBytes]byte
}

// Len returns the number of records.
func (p *partition) Len() id.Offset {
	n := uint64(p.settings.numEvents)
	if p.first >= n {
		return 0
	}
	return id.Offset((n - p.first + p.step - 1) / p.step)
}

// Read emits records with the hash of their key.
func (p *partition) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	seq := p.first + uint64(from)*p.step
	for ; n > 0; n-- {
		key := p.settings.key(seq)
		binary.LittleEndian.PutUint64(p.record[:], seq)
		binary.LittleEndian.PutUint64(p.record[8:], key)
		out.EmitHashed(state.HashUint64(key), p.record[:])
		seq += p.step
	}
	return dataflow.NoWatermark
}

// keyHash is the hash of a record's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec[8:])) }

// counter counts records per key and emits every new count.
type counter struct {
	pipeline uint64
	out      *dataflow.Output
	table    state.Table
	groups   int
	row      [rowBytes]byte
}

// Open opens the keyed state.
func (c *counter) Open(ctx *dataflow.Context) (err error) {
	c.table, err = ctx.Store().Table(state.Descriptor{Name: "counts", Kind: state.KindValue, Codec: "uint64/1", FixedSize: 8})
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
