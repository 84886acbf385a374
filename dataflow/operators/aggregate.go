package operators

import (
	"fmt"

	"weir/dataflow"
	"weir/state"
)

// Aggregate keeps one accumulator of type A per key and adds every record to
// that of its key. Its input edges must be Hash edges on state.HashBytes of
// the same key. It reads every input port and emits on port 0.
type Aggregate[I, A any] struct {
	State string // name of the keyed state
	In    state.Codec[I]
	Acc   state.Codec[A]
	// Key appends the key of a record to dst.
	Key func(dst []byte, in I) []byte
	// Add returns acc with the record added; acc is zero for a new key.
	Add func(acc A, in I) A
	// Update appends the row to emit after a record; keep false emits none. Nil
	// emits none ever.
	Update func(dst, key []byte, acc A) (row []byte, keep bool)
	// Final likewise gives the row of each key at the end of the input.
	Final func(dst, key []byte, acc A) (row []byte, keep bool)

	ctx     *dataflow.Context
	out     *dataflow.Output
	values  *state.Value[A]
	key     []byte
	scratch []byte
}

// Open opens the keyed state.
func (a *Aggregate[I, A]) Open(c *dataflow.Context) error {
	values, err := state.OpenValue(c.Store(), a.State, a.Acc)
	if err != nil {
		return err
	}
	a.ctx, a.out, a.values = c, c.Out(0), values
	return nil
}

// Process adds the records of b.
func (a *Aggregate[I, A]) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		in, err := a.In.Decode(rec)
		if err != nil {
			return fmt.Errorf("aggregate %s: record of %d bytes: %w", a.State, len(rec), err)
		}
		a.key = a.Key(a.key[:0], in)
		k := a.ctx.Key(a.key)
		acc, _ := a.values.Get(k)
		acc = a.Add(acc, in)
		a.values.Set(k, acc)
		if a.Update != nil {
			a.emit(a.Update, a.key, acc)
		}
	}
	return nil
}

// Finish emits the final rows in order of (key group, key), of keys that have not had theirs.
func (a *Aggregate[I, A]) Finish() error {
	if a.Final == nil {
		return nil
	}
	var failed error
	a.values.Table().Range(func(k state.Key, value []byte) bool {
		if a.ctx.Finished(k.Group) {
			return true
		}
		acc, err := a.Acc.Decode(value)
		if err != nil {
			failed = fmt.Errorf("aggregate %s: stored value: %w", a.State, err)
			return false
		}
		a.emit(a.Final, k.Bytes, acc)
		return true
	})
	return failed
}

func (a *Aggregate[I, A]) emit(row func(dst, key []byte, acc A) ([]byte, bool), key []byte, acc A) {
	out, keep := row(a.scratch[:0], key, acc)
	if keep {
		a.out.Emit(out)
	}
	a.scratch = out
}
