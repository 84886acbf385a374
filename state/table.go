package state

import "fmt"

// Table is what keyed states of every kind have in common. Opening one by its kind
// (OpenValueTable, OpenFixedTable, OpenListTable, OpenMapTable) gives what else it
// can do; what another kind does, it does not have.
//
// Tables are states at the level of bytes. Slices returned are owned by the store
// and valid until the next call on any table of it.
type Table interface {
	Delete(k Key) // the whole key
	// Range calls f for every key in order of (group, key bytes) until f returns
	// false, with what Get returns, or nil for a map. f must not write to the
	// table. It is slow: for end of input, tests and inspection.
	Range(f func(k Key, value []byte) bool)
	// Len returns the number of keys (of a map: of fields). May be slow.
	Len() int
}

// ValueTable is a table of one value per key: KindValue, KindReducing, KindAggregating.
type ValueTable interface {
	Table
	Get(k Key) (value []byte, ok bool)
	Put(k Key, value []byte)
}

// FixedTable is a ValueTable whose values all have Descriptor.FixedSize bytes.
type FixedTable interface {
	ValueTable
	// Update returns the value of k for writing in place; fresh says it was
	// absent and is all zero now. The fast path.
	Update(k Key) (value []byte, fresh bool)
}

// ListTable is a table of a sequence of elements per key: KindList.
type ListTable interface {
	Table
	// Get returns all elements in their framing (see NextElement).
	Get(k Key) (elements []byte, ok bool)
	// Put replaces all elements by one or more framed ones.
	Put(k Key, elements []byte)
	// Append adds one element.
	Append(k Key, element []byte)
}

// MapTable is a table of fields per key, in bytewise order: KindMap.
type MapTable interface {
	Table
	MapGet(k Key, field []byte) (value []byte, ok bool)
	MapPut(k Key, field, value []byte)
	MapDelete(k Key, field []byte)
	// MapRange calls f for the fields of k in order until f returns false. f must
	// not write to the table.
	MapRange(k Key, f func(field, value []byte) bool)
}

// OpenValueTable opens the state d, of KindValue unless d says KindReducing or
// KindAggregating. Errors are those of Store.Table.
func OpenValueTable(s Store, d Descriptor) (ValueTable, error) {
	d, err := d.ofValues()
	if err != nil {
		return nil, err
	}
	t, err := openAs[ValueTable](s, d)
	if err != nil {
		return t, err
	}
	values := migrateValues(d, t)
	if d.TTL.Clock == 0 {
		return values, nil
	}
	return &expiringValues{newExpiring(s, d, t), values}, nil
}

// OpenFixedTable is OpenValueTable for a state whose FixedSize is positive.
func OpenFixedTable(s Store, d Descriptor) (FixedTable, error) {
	d, err := d.ofValues()
	if err != nil {
		return nil, err
	}
	if d.FixedSize <= 0 {
		return nil, fmt.Errorf("state %q: it is opened to be written in place and has no fixed size", d.Name)
	}
	t, err := openAs[FixedTable](s, d)
	if err != nil || d.TTL.Clock == 0 {
		return t, err
	}
	return &expiringFixed{expiringValues{newExpiring(s, d, t), t}, t}, nil
}

// OpenListTable opens the state d, whatever kind it says, as one of KindList.
func OpenListTable(s Store, d Descriptor) (ListTable, error) {
	d.Kind = KindList
	t, err := openAs[ListTable](s, d)
	if err != nil {
		return t, err
	}
	list := migrateList(d, t)
	if d.TTL.Clock == 0 {
		return list, nil
	}
	return &expiringList{newExpiring(s, d, t), list}, nil
}

// OpenMapTable opens the state d, whatever kind it says, as one of KindMap.
func OpenMapTable(s Store, d Descriptor) (MapTable, error) {
	d.Kind = KindMap
	t, err := openAs[MapTable](s, d)
	if err != nil {
		return t, err
	}
	fields := migrateMap(d, t)
	if d.TTL.Clock == 0 {
		return fields, nil
	}
	return &expiringMap{newExpiring(s, d, t), fields}, nil
}

// openAs opens a state as what its kind can do.
func openAs[T Table](s Store, d Descriptor) (T, error) {
	var none T
	t, err := s.Table(d)
	if err != nil {
		return none, err
	}
	typed, ok := t.(T)
	if !ok {
		return none, fmt.Errorf("state %q: the store hands out a %T, which cannot do what a %s does", d.Name, t, d.Kind)
	}
	return typed, nil
}
