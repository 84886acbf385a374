package state

import "fmt"

// The typed states are thin: they encode into the table and decode from it,
// hold one scratch buffer each and allocate nothing per call. Like the store
// they belong to one goroutine. A stored value that its codec cannot read is a
// bug (snapshots are checksummed and codec names compared), and panics.

// Value is one V per key.
type Value[V any] struct {
	table   Table
	codec   Codec[V]
	fixed   bool
	scratch []byte
}

// OpenValue opens the state called name, of KindValue. Errors are those of
// Store.Table.
func OpenValue[V any](s Store, name string, c Codec[V]) (*Value[V], error) {
	t, err := s.Table(Descriptor{Name: name, Kind: KindValue, Codec: c.Name(), FixedSize: c.FixedSize()})
	if err != nil {
		return nil, err
	}
	return &Value[V]{table: t, codec: c, fixed: c.FixedSize() > 0}, nil
}

// Table returns the state at the level of bytes.
func (v *Value[V]) Table() Table { return v.table }

// Get returns the value of k; ok is false, and the value zero, if there is none.
func (v *Value[V]) Get(k Key) (value V, ok bool) {
	b, ok := v.table.Get(k)
	if !ok {
		return value, false
	}
	return decode(v.codec, b), true
}

// Set sets the value of k.
func (v *Value[V]) Set(k Key, value V) {
	if v.fixed {
		slot, _ := v.table.Update(k)
		fill(v.codec, slot, value)
		return
	}
	v.scratch = v.codec.Append(v.scratch[:0], value)
	v.table.Put(k, v.scratch)
}

// Slot returns the bytes of k's value for writing in place, all zero if fresh.
// Only with a codec of fixed size; the fastest way to a value.
func (v *Value[V]) Slot(k Key) (slot []byte, fresh bool) { return v.table.Update(k) }

// Delete removes k.
func (v *Value[V]) Delete(k Key) { v.table.Delete(k) }

// Reducing is one V per key to which further ones are merged.
type Reducing[V any] struct {
	value Value[V]
	merge func(old, v V) V
}

// OpenReducing opens the state called name, of KindReducing. merge must be
// associative and have no effect besides its result.
func OpenReducing[V any](s Store, name string, c Codec[V], merge func(old, v V) V) (*Reducing[V], error) {
	t, err := s.Table(Descriptor{Name: name, Kind: KindReducing, Codec: c.Name(), FixedSize: c.FixedSize()})
	if err != nil {
		return nil, err
	}
	return &Reducing[V]{value: Value[V]{table: t, codec: c, fixed: c.FixedSize() > 0}, merge: merge}, nil
}

// Table returns the state at the level of bytes.
func (r *Reducing[V]) Table() Table { return r.value.table }

// Add merges v into the value of k; the first v is taken as it is.
func (r *Reducing[V]) Add(k Key, v V) {
	if r.value.fixed {
		slot, fresh := r.value.table.Update(k)
		if !fresh {
			v = r.merge(decode(r.value.codec, slot), v)
		}
		fill(r.value.codec, slot, v)
		return
	}
	if old, ok := r.value.Get(k); ok {
		v = r.merge(old, v)
	}
	r.value.Set(k, v)
}

// Get returns the merged value of k.
func (r *Reducing[V]) Get(k Key) (value V, ok bool) { return r.value.Get(k) }

// Delete removes k.
func (r *Reducing[V]) Delete(k Key) { r.value.Delete(k) }

// List is a sequence of V per key.
type List[V any] struct {
	table   Table
	codec   Codec[V]
	scratch []byte
}

// OpenList opens the state called name, of KindList.
func OpenList[V any](s Store, name string, c Codec[V]) (*List[V], error) {
	t, err := s.Table(Descriptor{Name: name, Kind: KindList, Codec: c.Name()})
	if err != nil {
		return nil, err
	}
	return &List[V]{table: t, codec: c}, nil
}

// Table returns the state at the level of bytes.
func (l *List[V]) Table() Table { return l.table }

// Append adds v to the end of the list of k.
func (l *List[V]) Append(k Key, v V) {
	l.scratch = l.codec.Append(l.scratch[:0], v)
	l.table.Append(k, l.scratch)
}

// Each calls f for the elements of k in order until f returns false. f must
// not write to the store.
func (l *List[V]) Each(k Key, f func(v V) bool) {
	rest, _ := l.table.Get(k)
	for len(rest) > 0 {
		elem, next, err := NextElement(rest)
		if err != nil {
			panic(fmt.Sprintf("state: list of %s: %v", l.codec.Name(), err))
		}
		if !f(decode(l.codec, elem)) {
			return
		}
		rest = next
	}
}

// Clear removes all elements of k.
func (l *List[V]) Clear(k Key) { l.table.Delete(k) }

// Map is a map from F to V per key, ordered by the encoding of F.
type Map[F, V any] struct {
	table  Table
	fields Codec[F]
	values Codec[V]
	field  []byte
	value  []byte
}

// OpenMap opens the state called name, of KindMap. The descriptor's codec is
// the names of both codecs with an arrow between them.
func OpenMap[F, V any](s Store, name string, fields Codec[F], values Codec[V]) (*Map[F, V], error) {
	t, err := s.Table(Descriptor{Name: name, Kind: KindMap, Codec: fields.Name() + "->" + values.Name()})
	if err != nil {
		return nil, err
	}
	return &Map[F, V]{table: t, fields: fields, values: values}, nil
}

// Table returns the state at the level of bytes.
func (m *Map[F, V]) Table() Table { return m.table }

// Get returns the value of field f of k.
func (m *Map[F, V]) Get(k Key, f F) (value V, ok bool) {
	m.field = m.fields.Append(m.field[:0], f)
	b, ok := m.table.MapGet(k, m.field)
	if !ok {
		return value, false
	}
	return decode(m.values, b), true
}

// Put sets the value of field f of k.
func (m *Map[F, V]) Put(k Key, f F, v V) {
	m.field = m.fields.Append(m.field[:0], f)
	m.value = m.values.Append(m.value[:0], v)
	m.table.MapPut(k, m.field, m.value)
}

// Delete removes field f of k.
func (m *Map[F, V]) Delete(k Key, f F) {
	m.field = m.fields.Append(m.field[:0], f)
	m.table.MapDelete(k, m.field)
}

// Each calls g for the fields of k in order of their encoding until g returns
// false. g must not write to the store.
func (m *Map[F, V]) Each(k Key, g func(f F, v V) bool) {
	m.table.MapRange(k, func(field, value []byte) bool {
		return g(decode(m.fields, field), decode(m.values, value))
	})
}

// Clear removes all fields of k.
func (m *Map[F, V]) Clear(k Key) { m.table.Delete(k) }

func decode[V any](c Codec[V], b []byte) V {
	v, err := c.Decode(b)
	if err != nil {
		panic(fmt.Sprintf("state: stored value: %v", err))
	}
	return v
}

func fill[V any](c Codec[V], slot []byte, v V) {
	if out := c.Append(slot[:0:len(slot)], v); len(out) != len(slot) {
		panic(fmt.Sprintf("state: codec %s wrote %d bytes, its fixed size is %d", c.Name(), len(out), len(slot)))
	}
}
