package heap

import (
	"slices"
	"strings"

	"weir/state"
)

// find returns the table of a state, nil if there is none.
func (s *Store) find(name string) table {
	i, ok := slices.BinarySearchFunc(s.tables, name, func(t table, name string) int {
		return strings.Compare(t.descriptor().Name, name)
	})
	if !ok {
		return nil
	}
	return s.tables[i]
}

// Lookup reads the entries of one key.
func (s *Store) Lookup(name string, k state.Key, f func(e state.KeyedEntry) bool) {
	t := s.find(name)
	if t == nil || k.Group < s.groups.Lo || k.Group >= s.groups.Hi {
		return
	}
	f = s.Clocks().Expiry(t.descriptor()).Entries(f)
	switch t := t.(type) {
	case *flat:
		if value, ok := t.Get(k); ok {
			f(state.KeyedEntry{Group: k.Group, Key: k.Bytes, Value: value})
		}
	case *fields:
		t.MapRange(k, func(field, value []byte) bool {
			return f(state.KeyedEntry{Group: k.Group, Key: k.Bytes, Field: field, Value: value})
		})
	}
}
