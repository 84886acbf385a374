package state

import "encoding/binary"

// What a state with a TTL is opened as: the table of its store, less what has
// expired, less the deadlines. There is one implementation for all backends; a
// backend only drops what nobody sees any more.

// Sweeper is implemented by tables that hold expired entries until somebody looks.
// Before every write to such a table two of its entries are looked at, in turn: when
// n entries have been written, every one of 2n has been looked at.
type Sweeper interface {
	// Sweep looks at the next most entries, and drops what has expired by e.
	Sweep(e Expiry, most int)
}

const sweptPerWrite = 2

// expiring is what the tables below have in common.
type expiring struct {
	t      Table
	d      Descriptor
	clocks *Clocks
	sweep  Sweeper // nil: the backend drops entries by itself
	stored []byte  // scratch: what is written
	shown  []byte  // scratch: what is returned
}

func newExpiring(s Store, d Descriptor, t Table) expiring {
	sweep, _ := t.(Sweeper)
	return expiring{t: t, d: d, clocks: s.Clocks(), sweep: sweep}
}

func (x *expiring) now() Expiry { return x.clocks.Expiry(x.d) }

// writing is now in front of a write.
func (x *expiring) writing() Expiry {
	e := x.now()
	if x.sweep != nil {
		x.sweep.Sweep(e, sweptPerWrite)
	}
	return e
}

// dated is a value as it is stored. It is valid until the next call.
func (x *expiring) dated(by int64, value []byte) []byte {
	x.stored = append(append(x.stored[:0], make([]byte, deadlineBytes)...), value...)
	putDeadline(x.stored, by)
	return x.stored
}

func (x *expiring) Delete(k Key) { x.t.Delete(k) }

// expiringValues is a ValueTable whose values expire.
type expiringValues struct {
	expiring
	values ValueTable
}

func (x *expiringValues) Get(k Key) (value []byte, ok bool) {
	stored, ok := x.values.Get(k)
	e := x.now()
	if !ok || !e.Live(stored) {
		return nil, false
	}
	if by := e.deadline(); x.d.TTL.OnRead && by != deadlineOf(stored) {
		stored = x.dated(by, stored[deadlineBytes:])
		x.values.Put(k, stored)
	}
	return stored[deadlineBytes:], true
}

func (x *expiringValues) Put(k Key, value []byte) {
	e := x.writing()
	x.values.Put(k, x.dated(e.deadline(), value))
}

func (x *expiringValues) Range(f func(k Key, value []byte) bool) {
	e := x.now()
	x.values.Range(func(k Key, stored []byte) bool {
		return !e.Live(stored) || f(k, stored[deadlineBytes:])
	})
}

func (x *expiringValues) Len() (n int) {
	x.Range(func(Key, []byte) bool { n++; return true })
	return n
}

// expiringFixed is a FixedTable whose values expire.
type expiringFixed struct {
	expiringValues
	fixed FixedTable
}

func (x *expiringFixed) Update(k Key) (value []byte, fresh bool) {
	e := x.writing()
	stored, fresh := x.fixed.Update(k)
	value = stored[deadlineBytes:]
	if !fresh && !e.Live(stored) {
		clear(value)
		fresh = true
	}
	putDeadline(stored, e.deadline())
	return value, fresh
}

// expiringList is a ListTable whose elements expire, each by itself.
type expiringList struct {
	expiring
	list ListTable
}

// show returns the elements to be seen, in their framing.
func (x *expiringList) show(e Expiry, stored []byte) []byte {
	x.shown = x.shown[:0]
	for elem, rest := nextStored(stored); elem != nil; elem, rest = nextStored(rest) {
		if !e.expired(deadlineOf(elem)) {
			x.shown = AppendElement(x.shown, elem[deadlineBytes:])
		}
	}
	return x.shown
}

// put replaces the list of k by elements written now.
func (x *expiringList) put(e Expiry, k Key, elements []byte) {
	x.stored = x.stored[:0]
	for len(elements) > 0 {
		elem, rest, err := NextElement(elements)
		if err != nil {
			panic("state: elements put into " + x.d.Name + ": " + err.Error())
		}
		x.stored = appendDated(x.stored, e.deadline(), elem)
		elements = rest
	}
	x.list.Put(k, x.stored)
}

// appendDated appends an element as it is stored.
func appendDated(dst []byte, by int64, elem []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(elem)+deadlineBytes))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(by))
	return append(dst, elem...)
}

func (x *expiringList) Get(k Key) (elements []byte, ok bool) {
	stored, ok := x.list.Get(k)
	if !ok {
		return nil, false
	}
	e := x.now()
	elements = x.show(e, stored)
	if len(elements) == 0 {
		return nil, false
	}
	if x.d.TTL.OnRead {
		x.put(e, k, elements)
	}
	return elements, true
}

func (x *expiringList) Put(k Key, elements []byte) { x.put(x.writing(), k, elements) }

func (x *expiringList) Append(k Key, element []byte) {
	e := x.writing()
	x.list.Append(k, x.dated(e.deadline(), element))
}

func (x *expiringList) Range(f func(k Key, elements []byte) bool) {
	e := x.now()
	x.list.Range(func(k Key, stored []byte) bool {
		elements := x.show(e, stored)
		return len(elements) == 0 || f(k, elements)
	})
}

func (x *expiringList) Len() (n int) {
	x.Range(func(Key, []byte) bool { n++; return true })
	return n
}

// expiringMap is a MapTable whose fields expire, each by itself.
type expiringMap struct {
	expiring
	fields MapTable
}

func (x *expiringMap) MapGet(k Key, field []byte) (value []byte, ok bool) {
	stored, ok := x.fields.MapGet(k, field)
	e := x.now()
	if !ok || !e.Live(stored) {
		return nil, false
	}
	if by := e.deadline(); x.d.TTL.OnRead && by != deadlineOf(stored) {
		stored = x.dated(by, stored[deadlineBytes:])
		x.fields.MapPut(k, field, stored)
	}
	return stored[deadlineBytes:], true
}

func (x *expiringMap) MapPut(k Key, field, value []byte) {
	e := x.writing()
	x.fields.MapPut(k, field, x.dated(e.deadline(), value))
}

func (x *expiringMap) MapDelete(k Key, field []byte) { x.fields.MapDelete(k, field) }

func (x *expiringMap) MapRange(k Key, f func(field, value []byte) bool) {
	e := x.now()
	x.fields.MapRange(k, func(field, stored []byte) bool {
		return !e.Live(stored) || f(field, stored[deadlineBytes:])
	})
}

// Range leaves out keys without a field to be seen.
func (x *expiringMap) Range(f func(k Key, value []byte) bool) {
	x.fields.Range(func(k Key, _ []byte) bool {
		some := false
		x.MapRange(k, func([]byte, []byte) bool { some = true; return false })
		return !some || f(k, nil)
	})
}

func (x *expiringMap) Len() (n int) {
	x.fields.Range(func(k Key, _ []byte) bool {
		x.MapRange(k, func([]byte, []byte) bool { n++; return true })
		return true
	})
	return n
}
