package heap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"weir/state"
)

// flat is a state of values or lists.
type flat struct {
	d      state.Descriptor
	fixed  bool // d.FixedSize > 0: eight-byte keys are in words
	words  words
	cells  cells
	clocks *state.Clocks
	// inCells: the sweep is in the cells.
	inCells bool
	warmed  byte // keeps the reads of Warm from being optimised away
}

// A flat is handed out as what its kind is.
var (
	_ state.FixedTable = (*flat)(nil)
	_ state.ListTable  = (*flat)(nil)
)

func newFlat(d state.Descriptor, groups state.GroupRange, v *versions, clocks *state.Clocks) *flat {
	t := &flat{d: d, fixed: d.FixedSize > 0, clocks: clocks}
	if t.fixed {
		t.words.init(v, groups, d.StoredSize())
	}
	t.cells.v, t.cells.groups = v, groups
	return t
}

// inWords says whether a key's entry is inline.
func (t *flat) inWords(k state.Key) bool { return t.fixed && len(k.Bytes) == wordBytes }

func (t *flat) Get(k state.Key) ([]byte, bool) {
	if !t.inWords(k) {
		return t.cells.get(k)
	}
	v := t.words.get(k.Group, uint32(k.Hash), binary.LittleEndian.Uint64(k.Bytes))
	return v, v != nil
}

func (t *flat) Update(k state.Key) ([]byte, bool) {
	if t.fixed && len(k.Bytes) == wordBytes { // not inWords: copying k costs three nanoseconds
		return t.words.update(k.Group, uint32(k.Hash), binary.LittleEndian.Uint64(k.Bytes))
	}
	if !t.fixed {
		panic(fmt.Sprintf("heap: Update of state %q: only a state of fixed size is written in place", t.d.Name))
	}
	return t.cells.update(k, t.d.StoredSize())
}

func (t *flat) Put(k state.Key, value []byte) {
	if !t.fixed {
		t.cells.put(k, value)
		return
	}
	if len(value) != t.d.StoredSize() {
		panic(fmt.Sprintf("heap: %d bytes put into state %q, whose values have %d", len(value), t.d.Name, t.d.StoredSize()))
	}
	slot, _ := t.Update(k)
	copy(slot, value)
}

func (t *flat) Delete(k state.Key) {
	if t.inWords(k) {
		t.words.remove(k.Group, uint32(k.Hash), binary.LittleEndian.Uint64(k.Bytes))
		return
	}
	t.cells.remove(k)
}

func (t *flat) Append(k state.Key, element []byte) {
	t.cells.appendElement(k, element)
}

func (t *flat) Len() int                                     { return t.words.n + t.cells.n }
func (t *flat) descriptor() state.Descriptor                 { return t.d }
func (t *flat) logicalBytes() int64                          { return int64(t.words.n*t.words.stride) + t.cells.bytes }
func (t *flat) each(f func(group uint16, key, value []byte)) { t.words.each(f); t.cells.each(f) }

// Range sorts everything first.
func (t *flat) Range(f func(k state.Key, value []byte) bool) {
	type entry struct {
		group      uint16
		key, value []byte
	}
	all := make([]entry, 0, t.Len())
	t.each(func(group uint16, key, value []byte) { all = append(all, entry{group, key, value}) })
	slices.SortFunc(all, func(a, b entry) int {
		if a.group != b.group {
			return int(a.group) - int(b.group)
		}
		return bytes.Compare(a.key, b.key)
	})
	for _, e := range all {
		if !f(state.Key{Hash: state.HashBytes(e.key), Group: e.group, Bytes: e.key}, e.value) {
			return
		}
	}
}

func (t *flat) declared(d state.Descriptor) { t.d = d }

func (t *flat) sum() uint64 {
	var sum uint64
	var kept []byte
	e := t.clocks.Expiry(t.d)
	t.each(func(_ uint16, key, value []byte) {
		if value, live := e.Unexpired(value, &kept); live {
			sum += state.SumEntry(t.d.Name, key, nil, value)
		}
	})
	return sum
}
