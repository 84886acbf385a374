package savepoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"

	"weir/state"
)

// layout is how the entries of a state are written.
type layout uint8

const (
	// ofValues: the key, then the value.
	ofValues layout = iota
	// ofFields: the key unless it is that of the entry before in the section, then
	// field and value.
	ofFields
	// ofTimes: eight bytes of time, then the key.
	ofTimes
)

func layoutOf(d state.Descriptor) layout {
	switch d.Kind {
	case state.KindMap:
		return ofFields
	case state.KindTimers:
		return ofTimes
	default:
		return ofValues
	}
}

// coder writes or reads the entries of one section after the other.
type coder struct {
	d      state.Descriptor
	layout layout
	size   int // of every stored value; 0: it varies

	// last is the entry before, of the state; its memory is the coder's own.
	last  state.KeyedEntry
	some  bool // there is one
	fresh bool // it belongs to another section
}

func newCoder(d state.Descriptor) coder {
	return coder{d: d, layout: layoutOf(d), size: d.StoredSize(), fresh: true}
}

// begin says that a section begins.
func (c *coder) begin() { c.fresh = true }

// append appends an entry. What a state of its kind cannot have is an error.
func (c *coder) append(dst []byte, e state.KeyedEntry) ([]byte, error) {
	if c.size > 0 && len(e.Value) != c.size {
		return dst, fmt.Errorf("a value of %d bytes, the state has values of %d", len(e.Value), c.size)
	}
	same := !c.fresh && bytes.Equal(c.last.Key, e.Key)
	if err := c.follow(e); err != nil {
		return dst, err
	}
	switch c.layout {
	case ofTimes:
		dst = binary.LittleEndian.AppendUint64(dst, uint64(state.TimeOf(e.Field)))
		return state.AppendBytes(dst, e.Key), nil
	case ofFields:
		if same {
			dst = append(dst, 0)
		} else {
			dst = append(binary.AppendUvarint(dst, uint64(len(e.Key))+1), e.Key...)
		}
		return state.AppendBytes(state.AppendBytes(dst, e.Field), e.Value), nil
	default:
		dst = state.AppendBytes(dst, e.Key)
		if c.size > 0 {
			return append(dst, e.Value...), nil
		}
		return state.AppendBytes(dst, e.Value), nil
	}
}

// next reads an entry of a group. Its slices alias what r reads, but for the time of a timer.
func (c *coder) next(r *state.Reader, group uint16) (e state.KeyedEntry) {
	e.Group = group
	switch c.layout {
	case ofTimes:
		e.Field = state.AppendTime(nil, int64(r.Uint64()))
		e.Key = r.Bytes()
	case ofFields:
		n := r.Count(1)
		switch {
		case n > 0:
			e.Key = r.Raw(n - 1)
		case c.fresh:
			r.Fail("the first entry of a section has no key")
		default:
			e.Key = c.last.Key
		}
		e.Field, e.Value = r.Bytes(), r.Bytes()
	default:
		e.Key = r.Bytes()
		if c.size > 0 {
			e.Value = r.Raw(c.size)
		} else {
			e.Value = r.Bytes()
		}
	}
	if r.Err() == nil {
		if err := c.follow(e); err != nil {
			r.Fail("%v", err)
		}
	}
	return e
}

// follow checks that an entry comes behind the last, which it then is.
func (c *coder) follow(e state.KeyedEntry) error {
	if c.some && c.compare(c.last, e) >= 0 {
		return fmt.Errorf("key %q behind %q: entries are not in order", e.Key, c.last.Key)
	}
	c.last.Group = e.Group
	if !aliases(c.last.Key, e.Key) {
		c.last.Key = append(c.last.Key[:0], e.Key...)
	}
	c.last.Field = append(c.last.Field[:0], e.Field...)
	c.some, c.fresh = true, false
	return nil
}

func aliases(a, b []byte) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }

func (c *coder) compare(a, b state.KeyedEntry) int { return Compare(c.d.Kind, a, b) }

// Compare compares two entries of a state in the order of state.Content.Entries.
func Compare(k state.Kind, a, b state.KeyedEntry) int {
	if k == state.KindTimers {
		return cmp.Or(cmp.Compare(a.Group, b.Group), bytes.Compare(a.Field, b.Field), bytes.Compare(a.Key, b.Key))
	}
	return cmp.Or(cmp.Compare(a.Group, b.Group), bytes.Compare(a.Key, b.Key), bytes.Compare(a.Field, b.Field))
}

// read calls put for the entries of a section.
func (c *coder) read(s *Section, data []byte, put func(state.KeyedEntry) bool) error {
	c.begin()
	r := state.NewReader(data)
	for range s.Entries {
		e := c.next(r, s.Group)
		if err := r.Err(); err != nil {
			return err
		}
		if !put(e) {
			return nil
		}
	}
	return r.Done()
}
