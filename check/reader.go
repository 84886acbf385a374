package check

import "encoding/binary"

// reader is a read-committed consumer: it takes each row at the moment at which
// the row becomes visible, and says what of it can never have been right.
type reader struct {
	x     *Expect
	index map[string]int32 // of the reference, where rows stand alone
	want  []int32
	left  []int32 // by index: how often it may still come
	seen  rowSet
	value Newest
	buf   []byte
}

// flaw is what a reader finds wrong with a row.
type flaw uint8

const (
	sound   flaw = iota
	foreign      // the answer has no such row
	again        // it was there as often as the answer has it
	stale        // its key has a newer value already
)

// String says what was found, behind "row X became visible, ".
func (f flaw) String() string {
	return [...]string{"", "which the reference answer does not have", "again", "although its key had a newer value"}[f]
}

// reset begins another run; reference are the rows of the answer.
func (r *reader) reset(x *Expect, reference [][]byte) {
	r.x = x
	if r.index == nil && x.Alone != nil {
		r.index = make(map[string]int32, len(reference))
		for _, row := range reference {
			k, ok := r.index[string(row)]
			if !ok {
				k = int32(len(r.want))
				r.index[string(row)] = k
				r.want = append(r.want, 0)
			}
			r.want[k]++
		}
	}
	r.left = append(r.left[:0], r.want...)
	if r.value == nil {
		r.value = Newest{}
	}
	r.seen.reset()
	clear(r.value)
}

// take takes a row that has become visible.
func (r *reader) take(row []byte) flaw {
	if r.x.Values {
		key, version := r.x.Key(row)
		if !r.value.Take(key, version, row) {
			return stale
		}
	}
	switch {
	case r.x.Alone != nil:
		r.buf = r.x.Alone(r.buf[:0], row)
		k, ok := r.index[string(r.buf)]
		if !ok {
			return foreign
		}
		if r.left[k]--; r.left[k] < 0 {
			return again
		}
	case r.x.Key != nil:
		key, version := r.x.Key(row)
		r.buf = binary.AppendUvarint(append(r.buf[:0], key...), version)
		if !r.seen.add(r.buf) {
			return again
		}
	}
	return sound
}
