package state

import "fmt"

// The typed states are thin: they encode into the table and decode from it,
// hold one scratch buffer each and allocate nothing per call. Like the store
// they belong to one goroutine. A stored value that its codec cannot read is a
// bug (snapshots are checksummed and codec names compared), and panics. Values of a
// codec that has versions are converted when they are read.

// Value is one V per key.
type Value[V any] struct {
	table   ValueTable
	fixed   FixedTable // the same, if the codec has a fixed size; else nil
	codec   Codec[V]
	scratch []byte
}

// OpenValue opens the state called name, of KindValue. Errors are those of
// Store.Table. With a TTL its entries expire; more than one is refused, here and in
// the functions below.
func OpenValue[V any](s Store, name string, c Codec[V], ttl ...TTL) (*Value[V], error) {
	return openValue(s, KindValue, name, c, ttl)
}

func openValue[V any](s Store, kind Kind, name string, c Codec[V], ttl []TTL) (v *Value[V], err error) {
	c, evolution := Bind(c)
	v = &Value[V]{codec: c}
	d, err := describe(kind, name, c.Name(), evolution, ttl)
	if err != nil {
		return nil, err
	}
	d.FixedSize = c.FixedSize()
	if d.FixedSize > 0 {
		v.fixed, err = OpenFixedTable(s, d)
		v.table = v.fixed
	} else {
		v.table, err = OpenValueTable(s, d)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// describe returns the descriptor of a state. e is nil if its values have no versions.
func describe(kind Kind, name, codec string, e Evolution, ttl []TTL) (Descriptor, error) {
	d := Descriptor{Name: name, Kind: kind, Codec: codec}
	if e != nil {
		d.Evolution, d.Schemas = e, e.Schemas()
	}
	switch len(ttl) {
	case 0:
	case 1:
		d.TTL = ttl[0]
	default:
		return d, fmt.Errorf("state %q: %d times to live; it can have one", name, len(ttl))
	}
	return d, nil
}

// Table returns the state at the level of bytes.
func (v *Value[V]) Table() ValueTable { return v.table }

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
	if v.fixed != nil {
		slot, _ := v.fixed.Update(k)
		fill(v.codec, slot, value)
		return
	}
	v.scratch = v.codec.Append(v.scratch[:0], value)
	v.table.Put(k, v.scratch)
}

// Delete removes k.
func (v *Value[V]) Delete(k Key) { v.table.Delete(k) }

// List is a sequence of V per key.
type List[V any] struct {
	table   ListTable
	codec   Codec[V]
	scratch []byte
}

// OpenList opens the state called name, of KindList.
func OpenList[V any](s Store, name string, c Codec[V], ttl ...TTL) (*List[V], error) {
	c, evolution := Bind(c)
	d, err := describe(KindList, name, c.Name(), evolution, ttl)
	if err != nil {
		return nil, err
	}
	t, err := OpenListTable(s, d)
	if err != nil {
		return nil, err
	}
	return &List[V]{table: t, codec: c}, nil
}

// Table returns the state at the level of bytes.
func (l *List[V]) Table() ListTable { return l.table }

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
	table  MapTable
	fields Codec[F]
	values Codec[V]
	field  []byte
	value  []byte
}

// OpenMap opens the state called name, of KindMap. The descriptor's codec is
// the names of both codecs with an arrow between them. That of fields has no versions:
// the bytes of a field are where it stands.
func OpenMap[F, V any](s Store, name string, fields Codec[F], values Codec[V], ttl ...TTL) (*Map[F, V], error) {
	if _, versions := fields.(Versioned[F]); versions {
		return nil, fmt.Errorf("state %q: the codec %s of its fields has versions: a field would no longer be found where it stands", name, fields.Name())
	}
	values, evolution := Bind(values)
	d, err := describe(KindMap, name, fields.Name()+"->"+values.Name(), evolution, ttl)
	if err != nil {
		return nil, err
	}
	t, err := OpenMapTable(s, d)
	if err != nil {
		return nil, err
	}
	return &Map[F, V]{table: t, fields: fields, values: values}, nil
}

// Table returns the state at the level of bytes.
func (m *Map[F, V]) Table() MapTable { return m.table }

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
