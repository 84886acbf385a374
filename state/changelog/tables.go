package changelog

import (
	"fmt"

	"weir/state"
)

// The tables hand every access on, and note what is written. What the store within drops because
// it has expired is not noted: it is not seen behind a restore either.

// Table opens a keyed state of the store within.
func (s *Store) Table(d state.Descriptor) (state.Table, error) {
	inner, err := s.Replayer.Table(d)
	if err != nil {
		return nil, err
	}
	t := table{s: s, n: s.noting(d), inner: inner}
	if d.Kind == state.KindMap {
		m := inner.(state.MapTable)
		t.n.read = func(e *state.KeyedEntry) ([]byte, bool) { return m.MapGet(e.KeyOf(), e.Field) }
		return &fields{t, m}, nil
	}
	values := inner.(state.ValueTable)
	t.n.read = func(e *state.KeyedEntry) ([]byte, bool) { return values.Get(e.KeyOf()) }
	switch {
	case d.Kind == state.KindList:
		return &list{t, inner.(state.ListTable)}, nil
	case d.FixedSize > 0:
		f := &fixed{plain{t, values}, inner.(state.FixedTable), int64(d.StoredSize())}
		if w, ok := inner.(state.Warmer); ok {
			return &warm{f, w}, nil
		}
		return f, nil
	}
	return &plain{t, values}, nil
}

// noting returns where the changes of a state are noted.
func (s *Store) noting(d state.Descriptor) *notes {
	n := &notes{d: d}
	s.notes = append(s.notes, n)
	return n
}

// table is what tables of all kinds have in common.
type table struct {
	s     *Store
	n     *notes
	inner state.Table
}

// note notes that an entry is written, of so many bytes more.
func (t *table) note(k *state.Key, field []byte, more int64) {
	if !t.s.logging {
		return
	}
	if t.n.add(k.Group, k.Bytes, field) {
		t.s.noted++
		more += int64(len(k.Bytes)+len(field)) + overheadBytes
	} else if t.n.d.Kind != state.KindList {
		more = 0 // it takes the place of what was noted
	}
	t.s.bytes += more
}

func (t *table) Delete(k state.Key) {
	t.note(&k, nil, 0)
	t.inner.Delete(k)
}

func (t *table) Range(f func(k state.Key, value []byte) bool) { t.inner.Range(f) }
func (t *table) Len() int                                     { return t.inner.Len() }

// Sweep implements state.Sweeper, for a store whose tables do.
func (t *table) Sweep(e state.Expiry, most int) {
	if sweeper, ok := t.inner.(state.Sweeper); ok {
		sweeper.Sweep(e, most)
	}
}

// Migrate implements state.Migrator: what is stored anew is noted.
func (t *table) Migrate(most int, to state.Schemas, convert func(dst []byte, e state.KeyedEntry) ([]byte, bool)) (done bool) {
	m, ok := t.inner.(state.Migrator)
	if !ok {
		panic(fmt.Sprintf("changelog: state %q has versions, and its table %T converts none", t.n.d.Name, t.inner))
	}
	return m.Migrate(most, to, func(dst []byte, e state.KeyedEntry) ([]byte, bool) {
		converted, changed := convert(dst, e)
		if changed {
			t.note(&state.Key{Group: e.Group, Bytes: e.Key}, e.Field, int64(len(converted)))
		}
		return converted, changed
	})
}

type plain struct {
	table
	values state.ValueTable
}

func (t *plain) Get(k state.Key) ([]byte, bool) { return t.values.Get(k) }

func (t *plain) Put(k state.Key, value []byte) {
	t.note(&k, nil, int64(len(value)))
	t.values.Put(k, value)
}

type fixed struct {
	plain
	fixed state.FixedTable
	size  int64
}

func (t *fixed) Update(k state.Key) ([]byte, bool) {
	t.note(&k, nil, t.size)
	return t.fixed.Update(k)
}

// warm is a table whose keys may be seen ahead.
type warm struct {
	*fixed
	warmer state.Warmer
}

func (t *warm) Warm(keys []state.Key) { t.warmer.Warm(keys) }

type list struct {
	table
	list state.ListTable
}

func (t *list) Get(k state.Key) ([]byte, bool) { return t.list.Get(k) }

func (t *list) Put(k state.Key, elements []byte) {
	t.note(&k, nil, int64(len(elements)))
	t.list.Put(k, elements)
}

func (t *list) Append(k state.Key, element []byte) {
	t.note(&k, nil, int64(len(element)))
	t.list.Append(k, element)
}

type fields struct {
	table
	fields state.MapTable
}

func (t *fields) MapGet(k state.Key, field []byte) ([]byte, bool) { return t.fields.MapGet(k, field) }

func (t *fields) MapPut(k state.Key, field, value []byte) {
	t.note(&k, field, int64(len(value)))
	t.fields.MapPut(k, field, value)
}

func (t *fields) MapDelete(k state.Key, field []byte) {
	t.note(&k, field, 0)
	t.fields.MapDelete(k, field)
}

func (t *fields) MapRange(k state.Key, f func(field, value []byte) bool) { t.fields.MapRange(k, f) }

// Delete notes every field that there is.
func (t *fields) Delete(k state.Key) {
	if t.s.logging {
		t.fields.MapRange(k, func(field, _ []byte) bool {
			t.note(&k, field, 0)
			return true
		})
	}
	t.fields.Delete(k)
}

// Timers opens a set of timers of the store within.
func (s *Store) Timers(name string) (state.Timers, error) {
	inner, err := s.Replayer.Timers(name)
	if err != nil {
		return nil, err
	}
	return &timers{Timers: inner, s: s, n: s.noting(state.TimersDescriptor(name))}, nil
}

type timers struct {
	state.Timers
	s *Store
	n *notes
	// before is the key group of the timer that fired last.
	before uint16
}

func (t *timers) note(at int64, group uint16, key []byte, set bool) {
	if t.s.logging && t.n.timer(at, group, key, set) {
		t.s.noted++
		t.s.bytes += int64(len(key)) + 8 + overheadBytes
	}
}

func (t *timers) Set(at int64, k state.Key) {
	t.note(at, k.Group, k.Bytes, true)
	t.Timers.Set(at, k)
}

func (t *timers) Cancel(at int64, k state.Key) {
	t.note(at, k.Group, k.Bytes, false)
	t.Timers.Cancel(at, k)
}

func (t *timers) Pop(until int64) (at int64, group uint16, key []byte, ok bool) {
	if at, group, key, ok = t.Timers.Pop(until); !ok {
		return at, group, key, ok
	}
	logged := group
	if t.s.cfg.Group {
		logged = t.before
	}
	t.before = group
	t.note(at, logged, key, false)
	return at, group, key, ok
}
