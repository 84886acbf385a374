package conformance

import (
	"encoding/binary"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// A record of a shape is its sequence and its key, then a link for every stage
// that it has passed: stage, what the history is of (a key or an instance), the
// place in it from 1, and the hash over it so far.
const (
	recordBytes = 16
	linkBytes   = 32
)

// link names a history.
type link struct{ stage, of uint64 }

// numbers is a split: records first, first+step, ...
type numbers struct{ records, first, step uint64 }

// Len returns the number of records.
func (p *numbers) Len() id.Offset {
	if p.first >= p.records {
		return 0
	}
	return id.Offset((p.records - p.first + p.step - 1) / p.step)
}

// Read emits records.
func (p *numbers) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	for seq := p.first + uint64(from)*p.step; n > 0; n, seq = n-1, seq+p.step {
		out.Emit(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, seq), keyOf(seq)))
	}
	return dataflow.NoWatermark
}

// stage links every record: on port 0 to the history of its key, if of is set,
// else, and on other ports, to that of the instance, which is operator state.
type stage struct {
	number uint64 // of the histories by key
	own    uint64 // of those by instance; 0: there are none
	of     func(rec []byte) uint64
	ctx    *dataflow.Context
	table  state.FixedTable
	list   *state.OperatorList
}

// Open opens the state: place and hash.
func (o *stage) Open(ctx *dataflow.Context) (err error) {
	o.ctx = ctx
	if o.own != 0 {
		o.list = ctx.List("history", state.Union)
	}
	if o.of != nil {
		o.table, err = state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: "histories", Codec: "pair/1", FixedSize: 16})
	}
	return err
}

// Process passes every record of b on, linked.
func (o *stage) Process(port int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		number, of, v := o.own, uint64(o.ctx.Info().Index), []byte(nil)
		if port == 0 && o.of != nil {
			number, of = o.number, o.of(rec)
			v, _ = o.table.Update(keyFor(o.ctx, of))
		} else {
			if len(o.list.Items) == 0 {
				o.list.Items = append(o.list.Items, make([]byte, 16))
			}
			v = o.list.Items[0]
		}
		n, chain := word(v, 0)+1, chained(word(v, 8), content(rec), number)
		binary.LittleEndian.PutUint64(v, n)
		binary.LittleEndian.PutUint64(v[8:], chain)
		out := append([]byte(nil), rec...)
		for _, x := range [...]uint64{number, of, n, chain} {
			out = binary.LittleEndian.AppendUint64(out, x)
		}
		o.ctx.Out(0).Emit(out)
	}
	return nil
}

// Finish has nothing left to emit.
func (o *stage) Finish() error { return nil }

// keyFor is the key of state that a Hash edge on of leads to.
func keyFor(ctx *dataflow.Context, of uint64) state.Key {
	hash := state.HashUint64(of)
	return state.Key{Hash: hash, Group: state.GroupOf(hash, ctx.Info().NumGroups), Bytes: binary.LittleEndian.AppendUint64(nil, of)}
}

// joiner emits the records of a pair together. What comes first waits in state;
// what waits at the end goes out alone, and is a row that no reference has.
type joiner struct {
	ctx   *dataflow.Context
	sides [2]state.FixedTable
}

// Open opens the records that wait, by side.
func (o *joiner) Open(ctx *dataflow.Context) (err error) {
	o.ctx = ctx
	for i, name := range []string{"left", "right"} {
		if o.sides[i], err = state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: name, Codec: "record/1", FixedSize: recordBytes + linkBytes}); err != nil {
			return err
		}
	}
	return nil
}

// Process joins the records of b.
func (o *joiner) Process(port int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		k := keyFor(o.ctx, pair(rec))
		other, ok := o.sides[1-port].Get(k)
		if !ok {
			v, _ := o.sides[port].Update(k)
			copy(v, rec)
			continue
		}
		first, second := rec, other
		if port == 1 {
			first, second = other, rec
		}
		o.ctx.Out(0).Emit(append(append([]byte(nil), first...), second...))
		o.sides[1-port].Delete(k)
	}
	return nil
}

// Finish emits what waits.
func (o *joiner) Finish() error {
	for _, side := range o.sides {
		side.Range(func(k state.Key, v []byte) bool {
			if !o.ctx.Finished(k.Group) {
				o.ctx.Out(0).Emit(v)
			}
			return true
		})
	}
	return nil
}
