package heap

import (
	"fmt"
	"slices"

	"weir/state"
)

// States returns the descriptors of all states, in order of name.
func (s *Store) States() []state.Descriptor { return slices.Clone(s.descriptors()) }

// Entries reads a state, opened or not.
func (s *Store) Entries(name string, f func(e state.KeyedEntry) bool) {
	found := s.find(name)
	if found == nil {
		return
	}
	f = s.Clocks().Expiry(found.descriptor()).Entries(f)
	switch t := found.(type) {
	case *flat:
		t.Range(func(k state.Key, value []byte) bool {
			return f(state.KeyedEntry{Group: k.Group, Key: k.Bytes, Value: value})
		})
	case *fields:
		t.tree.Scan(func(e field) bool {
			return f(state.KeyedEntry{Group: e.group, Key: e.key(), Field: e.name(), Value: e.value()})
		})
	case *timerSet:
		t.Entries(f)
	}
}

// Load returns how entries are put into a state of a new store.
func (s *Store) Load(d state.Descriptor) (put func(e state.KeyedEntry), err error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("heap: %v: %w", s.task, err)
	}
	t, err := s.ensure(d, false)
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case *flat:
		return func(e state.KeyedEntry) { t.Put(e.KeyOf(), e.Value) }, nil
	case *fields:
		return func(e state.KeyedEntry) { t.MapPut(e.KeyOf(), e.Field, e.Value) }, nil
	case *timerSet:
		return t.Load, nil
	}
	return nil, fmt.Errorf("heap: %v: %w", s.task, errLayout)
}

var _ state.Replayer = (*Store)(nil)

// Replay implements state.Replayer.
func (s *Store) Replay(d state.Descriptor) (put, remove func(e state.KeyedEntry), err error) {
	if put, err = s.Load(d); err != nil {
		return nil, nil, err
	}
	switch t := s.find(d.Name).(type) {
	case *fields:
		remove = func(e state.KeyedEntry) { t.MapDelete(e.KeyOf(), e.Field) }
	case *timerSet:
		remove = t.Unload
	case *flat:
		remove = func(e state.KeyedEntry) { t.Delete(e.KeyOf()) }
	}
	return put, remove, nil
}
