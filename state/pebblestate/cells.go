package pebblestate

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"weir/state"
)

// cells is a table of values or lists.
type cells struct {
	s      *Store
	d      state.Descriptor
	num    uint8
	behind migration
}

// A table of cells is handed out as what its kind is.
var (
	_ state.FixedTable = (*cells)(nil)
	_ state.ListTable  = (*cells)(nil)
)

// load returns the record of a key, fetching it from the database if need be,
// or nil if the key is in neither. A record may say that the key is deleted.
func (t *cells) load(k state.Key) (r cell, slot int) {
	s := t.s
	s.check(k)
	s.makeRoom()
	tag := tagOf(t.num, k.Hash)
	r, slot = s.cache.find(t.num, tag, k.Bytes)
	if r != nil {
		if !r.is(flagUsed) {
			r.set(flagUsed)
		}
		return r, slot
	}
	if s.cellsInMemory() {
		return nil, 0
	}
	db := s.reader()
	if db == nil || s.failed.Load() {
		return nil, 0
	}
	s.dbKey = appendKey(s.dbKey[:0], t.num, k.Group, k.Bytes)
	value, closer, err := db.Get(s.dbKey)
	if err != nil {
		if !errors.Is(err, pebble.ErrNotFound) {
			s.fail("read", err)
		}
		return nil, 0
	}
	r, slot = s.cache.insert(t.num, tag, k, len(value))
	copy(r.value(), value)
	if err := closer.Close(); err != nil {
		s.fail("read", err)
	}
	return r, slot
}

// hold returns the record of a key without asking the database, made if need
// be; what it holds is about to be overwritten.
func (t *cells) hold(k state.Key, valueLen int) (r cell, slot int) {
	s := t.s
	s.check(k)
	s.makeRoom()
	tag := tagOf(t.num, k.Hash)
	r, slot = s.cache.find(t.num, tag, k.Bytes)
	if r != nil {
		return s.cache.resize(r, slot, valueLen), slot
	}
	return s.cache.insert(t.num, tag, k, valueLen)
}

func (t *cells) Get(k state.Key) (value []byte, ok bool) {
	r, _ := t.load(k)
	if r == nil || r.is(flagDeleted) {
		return nil, false
	}
	return r.value(), true
}

func (t *cells) Put(k state.Key, value []byte) {
	if n := t.d.StoredSize(); n > 0 && len(value) != n {
		panic(fmt.Sprintf("pebblestate: %d bytes put into state %q, whose values have %d", len(value), t.d.Name, n))
	}
	if t.s.failed.Load() {
		return
	}
	r, slot := t.hold(k, len(value))
	copy(r.value(), value)
	r.unset(flagDeleted)
	t.s.cache.touch(r, slot)
}

func (t *cells) Delete(k state.Key) {
	if t.s.failed.Load() {
		return
	}
	if t.s.cellsInMemory() && t.s.pinned() == 0 { // nothing but memory has it
		if r, _ := t.s.cache.find(t.num, tagOf(t.num, k.Hash), k.Bytes); r == nil {
			return
		}
	}
	r, slot := t.hold(k, 0)
	r.set(flagDeleted)
	t.s.cache.touch(r, slot)
}

func (t *cells) Update(k state.Key) (value []byte, fresh bool) {
	n := t.d.StoredSize()
	if n == 0 {
		panic(fmt.Sprintf("pebblestate: Update of state %q: only a state of fixed size is written in place", t.d.Name))
	}
	r, slot := t.load(k)
	if t.s.failed.Load() {
		return make([]byte, n), true
	}
	if fresh = r == nil || r.is(flagDeleted); fresh {
		r, slot = t.hold(k, n)
		r.unset(flagDeleted)
		clear(r.value())
	}
	if r.valueLen() != n {
		t.s.fail("read", fmt.Errorf("%w: state %q holds a value of %d bytes instead of %d", state.ErrCorrupt, t.d.Name, r.valueLen(), n))
		return make([]byte, n), true
	}
	t.s.cache.touch(r, slot)
	return r.value(), fresh
}

func (t *cells) Append(k state.Key, element []byte) {
	r, slot := t.load(k)
	if t.s.failed.Load() {
		return
	}
	if r == nil || r.is(flagDeleted) {
		r, slot = t.hold(k, 0)
		r.unset(flagDeleted)
	}
	t.s.element = state.AppendElement(t.s.element[:0], element)
	n := r.valueLen()
	r = t.s.cache.resize(r, slot, n+len(t.s.element))
	copy(r.value()[n:], t.s.element)
	t.s.cache.touch(r, slot)
}

// each calls f by database key for what the table has.
func (t *cells) each(f func(key, value []byte) bool) {
	if t.s.cellsInMemory() {
		for _, c := range t.s.cellsThat(t.num, func(r cell) bool { return !r.is(flagDeleted) }) {
			if !f(c.key, c.value) {
				return
			}
		}
		return
	}
	lower, upper := tableBounds(t.num)
	t.s.merged(t.s.changedCells(t.num), lower, upper, f)
}

func (t *cells) Range(f func(k state.Key, value []byte) bool) {
	t.each(func(key, value []byte) bool {
		b := bytes.Clone(key[keyHeader:]) // f may use other tables
		return f(state.Key{Hash: state.HashBytes(b), Group: groupOf(key), Bytes: b}, value)
	})
}

func (t *cells) Len() int {
	n := 0
	t.each(func(_, _ []byte) bool { n++; return true })
	return n
}

func (t *cells) descriptor() state.Descriptor { return t.d }
func (t *cells) declared(d state.Descriptor)  { t.d = d }
func (t *cells) number() uint8                { return t.num }
func (t *cells) renumber(num uint8)           { t.num = num }
func (t *cells) sum() uint64                  { return t.s.sumEntries(t) }
