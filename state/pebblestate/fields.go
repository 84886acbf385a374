package pebblestate

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"weir/state"
)

// fields is a table of maps: one database key per field.
type fields struct {
	s      *Store
	d      state.Descriptor
	num    uint8
	behind migration
}

var _ state.MapTable = (*fields)(nil)

func (t *fields) prefix(k state.Key) []byte {
	t.s.check(k)
	t.s.dbKey = appendMapKey(t.s.dbKey[:0], t.num, k.Group, k.Bytes)
	return t.s.dbKey
}

func (t *fields) MapGet(k state.Key, name []byte) (value []byte, ok bool) {
	s := t.s
	s.dbKey = append(t.prefix(k), name...)
	if s.failed.Load() {
		return nil, false
	}
	f, there := s.tree.get(s.dbKey)
	if p := s.pending; !there && p != nil && !p.applied.Load() {
		f, there = p.tree.get(s.dbKey)
	}
	if there {
		return f.value, !f.deleted
	}
	db := s.reader()
	if db == nil {
		return nil, false
	}
	stored, closer, err := db.Get(s.dbKey)
	if err != nil {
		if !errors.Is(err, pebble.ErrNotFound) {
			s.fail("read", err)
		}
		return nil, false
	}
	s.fetched = append(s.fetched[:0], stored...)
	if err := closer.Close(); err != nil {
		s.fail("read", err)
		return nil, false
	}
	return s.fetched, true
}

func (t *fields) MapPut(k state.Key, name, value []byte) {
	t.write(append(t.prefix(k), name...), value, false)
}

func (t *fields) MapDelete(k state.Key, name []byte) {
	t.write(append(t.prefix(k), name...), nil, true)
}

func (t *fields) write(key, value []byte, deleted bool) {
	if s := t.s; !s.failed.Load() {
		s.dbKey = key
		s.makeRoom()
		s.tree.put(key, value, deleted)
	}
}

func (t *fields) Delete(k state.Key) {
	prefix := bytes.Clone(t.prefix(k))
	var keys [][]byte
	t.each(prefix, func(key, _ []byte) bool {
		keys = append(keys, bytes.Clone(key))
		return true
	})
	for _, key := range keys {
		t.write(key, nil, true)
	}
}

// each calls f for the fields below a prefix by database key.
func (t *fields) each(prefix []byte, f func(key, value []byte) bool) {
	upper := upperBound(nil, prefix)
	t.s.merged(t.s.changedFields(prefix, upper), prefix, upper, f)
}

func (t *fields) MapRange(k state.Key, f func(field, value []byte) bool) {
	prefix := bytes.Clone(t.prefix(k))
	t.each(prefix, func(key, value []byte) bool { return f(key[len(prefix):], value) })
}

func (t *fields) all(f func(key, value []byte) bool) {
	lower, upper := tableBounds(t.num)
	t.s.merged(t.s.changedFields(lower, upper), lower, upper, f)
}

func (t *fields) Range(f func(k state.Key, value []byte) bool) {
	var last, key []byte
	t.all(func(dbKey, _ []byte) bool {
		if len(last) > 0 && bytes.HasPrefix(dbKey, last) {
			return true
		}
		var n int
		if key, n = splitMapKey(nil, dbKey); n == 0 {
			t.s.fail("read a range", errMapKey)
			return false
		}
		last = append(last[:0], dbKey[:n]...)
		return f(state.Key{Hash: state.HashBytes(key), Group: groupOf(dbKey), Bytes: key}, nil)
	})
}

var errMapKey = errors.New("a database key of a map state has no end of key; the local database is damaged: restart the task from its checkpoint")

func (t *fields) Len() int {
	n := 0
	t.all(func(_, _ []byte) bool { n++; return true })
	return n
}

func (t *fields) descriptor() state.Descriptor { return t.d }
func (t *fields) declared(d state.Descriptor)  { t.d = d }
func (t *fields) number() uint8                { return t.num }
func (t *fields) renumber(num uint8)           { t.num = num }
func (t *fields) sum() uint64                  { return t.s.sumEntries(t) }
