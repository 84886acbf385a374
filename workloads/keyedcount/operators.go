package keyedcount

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// partition is one split of the stream.
type partition struct {
	g         *Generator
	index, of uint64
	length    id.Offset
	record    []byte
}

func (g *Generator) partition(index, of int) *partition {
	n := uint64(g.settings.NumEvents)
	return &partition{
		g: g, index: uint64(index), of: uint64(of), length: id.Offset((n + uint64(of) - 1 - uint64(index)) / uint64(of)),
		record: make([]byte, g.settings.RecordBytes),
	}
}

// Len returns the number of records of the split.
func (p *partition) Len() id.Offset { return p.length }

// Read emits records with the hash of their key. They carry no watermark:
// nothing in this workload waits for one.
func (p *partition) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	seq := uint64(from)*p.of + p.index
	rec := p.record
	for ; n > 0; n-- {
		r := p.g.Record(seq)
		put(rec, r)
		out.EmitHashed(state.HashUint64(r.Key), rec)
		seq += p.of
	}
	return dataflow.NoWatermark
}

// keyHash is the hash of a record's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec)) }

const (
	countOffset   = 0
	sumOffset     = 8
	rowBytes      = 32
	stateName     = "counts"
	stateCodec    = "count-sum/1"
	rowTimeOffset = 24
)

// counter is the keyed aggregate: count and sum per key, in place.
type counter struct {
	valueSize int
	every     uint64
	ctx       *dataflow.Context
	out       *dataflow.Output
	table     state.FixedTable
	groups    int
	ahead     []state.Key // of the records to be counted next
	row       [rowBytes]byte
}

// Open opens the keyed state.
func (c *counter) Open(ctx *dataflow.Context) error {
	table, err := state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: stateName, Codec: stateCodec, FixedSize: c.valueSize})
	if err != nil {
		return err
	}
	c.ctx, c.out, c.table, c.groups = ctx, ctx.Out(0), table, ctx.Info().NumGroups
	return nil
}

// warmKeys is the number of keys whose entries are read ahead together.
const warmKeys = 128

// Process counts the records of b. Where the state is larger than the caches,
// the entries of the next records are read ahead, so that they do not wait for
// memory one after the other.
func (c *counter) Process(_ int, b *dataflow.Buffer) error {
	warmer, warms := state.Warmable(c.table)
	for data := b.Data; len(data) > 0; {
		n := len(data) // at least the number of records
		if warms {
			c.ahead = c.keysOf(c.ahead[:0], data)
			n = max(len(c.ahead), 1) // 1: the record that is too short says so below
			warmer.Warm(c.ahead)
		}
		for ; n > 0 && len(data) > 0; n-- {
			var rec []byte
			if rec, data = dataflow.NextRecord(data); len(rec) < minRecordBytes {
				return fmt.Errorf("keyedcount: a record of %d bytes; they have at least %d", len(rec), minRecordBytes)
			}
			c.count(rec)
		}
	}
	return nil
}

// phase spreads the counts at which keys make rows: without it all keys make
// their first row after the same number of records.
func phase(hash uint64) uint64 { return hash >> 40 }

// keysOf appends the hashes and groups of the first records of data.
func (c *counter) keysOf(dst []state.Key, data []byte) []state.Key {
	for rec, rest := dataflow.NextRecord(data); len(rec) >= minRecordBytes && len(dst) < warmKeys; rec, rest = dataflow.NextRecord(rest) {
		hash := state.HashUint64(binary.LittleEndian.Uint64(rec))
		dst = append(dst, state.Key{Hash: hash, Group: state.GroupOf(hash, c.groups)})
	}
	return dst
}

// count counts one record.
func (c *counter) count(rec []byte) {
	key := binary.LittleEndian.Uint64(rec)
	hash := state.HashUint64(key)
	value, fresh := c.table.Update(state.Key{Hash: hash, Group: state.GroupOf(hash, c.groups), Bytes: rec[:8:8]})
	if fresh && len(value) > minValueBytes {
		fill(value[minValueBytes:], key)
	}
	value = value[:minValueBytes]
	count := binary.LittleEndian.Uint64(value[countOffset:]) + 1
	sum := binary.LittleEndian.Uint64(value[sumOffset:]) + binary.LittleEndian.Uint64(rec[valueOffset:])
	binary.LittleEndian.PutUint64(value[countOffset:], count)
	binary.LittleEndian.PutUint64(value[sumOffset:], sum)
	if c.every == 1 || c.every != 0 && (count+phase(hash))%c.every == 0 {
		c.emit(key, count, sum, binary.LittleEndian.Uint64(rec[timeOffset:]))
	}
}

// Finish emits the final row of every key that has not had it.
func (c *counter) Finish() error {
	if c.every == 1 {
		return nil
	}
	c.table.Range(func(k state.Key, value []byte) bool {
		if c.ctx.Finished(k.Group) {
			return true
		}
		count := binary.LittleEndian.Uint64(value[countOffset:])
		key := binary.LittleEndian.Uint64(k.Bytes)
		if c.every == 0 || (count+phase(state.HashUint64(key)))%c.every != 0 {
			c.emit(key, count, binary.LittleEndian.Uint64(value[sumOffset:]), 0)
		}
		return true
	})
	return nil
}

func (c *counter) emit(key, count, sum, nanos uint64) {
	row := &c.row
	binary.LittleEndian.PutUint64(row[0:], key)
	binary.LittleEndian.PutUint64(row[8:], count)
	binary.LittleEndian.PutUint64(row[16:], sum)
	binary.LittleEndian.PutUint64(row[rowTimeOffset:], nanos)
	c.out.Emit(row[:])
}
