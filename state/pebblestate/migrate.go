package pebblestate

import (
	"bytes"

	"weir/state"
)

var (
	_ state.Migrator = (*cells)(nil)
	_ state.Migrator = (*fields)(nil)
)

// migration goes through what the database has of a table, in order of key: what a restore has
// brought is there, and stays there until it is looked at, whatever memory has of it too.
// What was loaded entry by entry is in memory at first. It begins when the next frozen run,
// which has all of that, is in the database.
type migration struct {
	hand   []byte   // the database key that it looks at next; nil: it has not begun
	loaded uint32   // the frozen run that has what was loaded; 0: nothing was, or it is in the database
	keys   [][]byte // scratch
}

// load comes before an entry that is loaded.
func (m *migration) load(s *Store) { m.hand, m.loaded = nil, s.runs+1 }

// inMemory tells that some of what was loaded may not be in the database yet.
func (m *migration) inMemory(s *Store) bool {
	if m.loaded > s.runs || m.loaded == s.runs && s.pinned() != 0 {
		return true
	}
	m.loaded = 0
	return false
}

// look returns copies of the next database keys of a table, and says when they are the last.
func (m *migration) look(s *Store, num uint8, most int) (keys [][]byte, end bool) {
	if m.inMemory(s) {
		return nil, false
	}
	lower, upper := tableBounds(num)
	if m.hand != nil {
		lower = m.hand
	}
	m.keys, end = m.keys[:0], true
	err := s.scanDatabase(lower, upper, func(key, _ []byte) bool {
		if len(m.keys) == most {
			m.hand, end = bytes.Clone(key), false
			return false
		}
		m.keys = append(m.keys, bytes.Clone(key))
		return true
	})
	if err != nil {
		s.fail("read a range", err)
		return nil, false
	}
	return m.keys, end
}

// Migrate looks at the next entries of the database.
func (t *cells) Migrate(most int, to state.Schemas, convert func(dst []byte, e state.KeyedEntry) ([]byte, bool)) (done bool) {
	if t.d.Schemas == to {
		return true
	}
	if t.s.failed.Load() {
		return false
	}
	keys, end := t.behind.look(t.s, t.num, most)
	for _, key := range keys {
		k := state.Key{Hash: state.HashBytes(key[keyHeader:]), Group: groupOf(key), Bytes: key[keyHeader:]}
		value, ok := t.Get(k)
		if !ok {
			continue
		}
		if converted, changed := convert(nil, state.KeyedEntry{Group: k.Group, Key: k.Bytes, Value: value}); changed {
			t.Put(k, converted)
		}
	}
	if end {
		t.behind, t.d.Schemas = migration{}, to
	}
	return end
}

// Migrate looks at the next fields of the database.
func (t *fields) Migrate(most int, to state.Schemas, convert func(dst []byte, e state.KeyedEntry) ([]byte, bool)) (done bool) {
	if t.d.Schemas == to {
		return true
	}
	if t.s.failed.Load() {
		return false
	}
	keys, end := t.behind.look(t.s, t.num, most)
	var k []byte
	for _, key := range keys {
		n := 0
		if k, n = splitMapKey(k[:0], key); n == 0 {
			t.s.fail("read a range", errMapKey)
			return false
		}
		at := state.Key{Hash: state.HashBytes(k), Group: groupOf(key), Bytes: k}
		value, ok := t.MapGet(at, key[n:])
		if !ok {
			continue
		}
		if converted, changed := convert(nil, state.KeyedEntry{Group: at.Group, Key: at.Bytes, Field: key[n:], Value: value}); changed {
			t.MapPut(at, key[n:], converted)
		}
	}
	if end {
		t.behind, t.d.Schemas = migration{}, to
	}
	return end
}
