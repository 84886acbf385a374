package pebblestate

import "weir/state"

// States returns the descriptors of all states, in order of name.
func (s *Store) States() []state.Descriptor {
	all := make([]state.Descriptor, len(s.tables))
	for i, t := range s.tables {
		all[i] = t.descriptor()
	}
	return all
}

// Entries reads a state, opened or not.
func (s *Store) Entries(name string, f func(e state.KeyedEntry) bool) {
	if t := s.find(name); t != nil {
		t.entries(s.Clocks().Expiry(t.descriptor()).Entries(f))
	}
}

// sumEntries adds up the entries of a table that have not expired.
func (s *Store) sumEntries(t stateTable) (sum uint64) {
	d := t.descriptor()
	t.entries(s.Clocks().Expiry(d).Entries(func(e state.KeyedEntry) bool {
		sum += state.SumEntry(d.Name, e.Key, e.Field, e.Value)
		return true
	}))
	return sum
}

func (t *cells) entries(f func(e state.KeyedEntry) bool) {
	t.each(func(key, value []byte) bool {
		return f(state.KeyedEntry{Group: groupOf(key), Key: key[keyHeader:], Value: value})
	})
}

func (t *fields) entries(f func(e state.KeyedEntry) bool) {
	var key []byte
	t.all(func(dbKey, value []byte) bool {
		n := 0
		if key, n = splitMapKey(key[:0], dbKey); n == 0 {
			t.s.fail("read a range", errMapKey)
			return false
		}
		return f(state.KeyedEntry{Group: groupOf(dbKey), Key: key, Field: dbKey[n:], Value: value})
	})
}

func (t *timerSet) entries(f func(e state.KeyedEntry) bool) { t.Entries(f) }

// Load returns how entries are put into a state of a new store.
func (s *Store) Load(d state.Descriptor) (put func(e state.KeyedEntry), err error) {
	if err := d.Validate(); err != nil {
		return nil, s.named(err)
	}
	t, err := s.ensure(d, false)
	if err != nil {
		return nil, s.named(err)
	}
	return t.put, nil
}

func (t *cells) put(e state.KeyedEntry) {
	t.behind.load(t.s)
	t.Put(e.KeyOf(), e.Value)
}

func (t *fields) put(e state.KeyedEntry) {
	t.behind.load(t.s)
	t.MapPut(e.KeyOf(), e.Field, e.Value)
}

func (t *timerSet) put(e state.KeyedEntry) { t.Set(state.TimeOf(e.Field), e.KeyOf()) }

var _ state.Replayer = (*Store)(nil)

// Replay implements state.Replayer.
func (s *Store) Replay(d state.Descriptor) (put, remove func(e state.KeyedEntry), err error) {
	if put, err = s.Load(d); err != nil {
		return nil, nil, err
	}
	return put, s.find(d.Name).remove, nil
}

func (t *cells) remove(e state.KeyedEntry)    { t.Delete(e.KeyOf()) }
func (t *fields) remove(e state.KeyedEntry)   { t.MapDelete(e.KeyOf(), e.Field) }
func (t *timerSet) remove(e state.KeyedEntry) { t.Unload(e) }
