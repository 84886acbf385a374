package heap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"weir/state"
)

// flat is a value, list or reducing state.
type flat struct {
	d      state.Descriptor
	fixed  bool // d.FixedSize > 0: eight-byte keys are in words
	words  words
	cells  cells
	warmed byte // keeps the reads of Warm from being optimised away
}

var _ state.Table = (*flat)(nil)

func newFlat(d state.Descriptor, groups state.GroupRange, v *versions) *flat {
	t := &flat{d: d, fixed: d.FixedSize > 0}
	if t.fixed {
		t.words.init(v, groups, d.FixedSize)
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
	return t.cells.update(k, t.d.FixedSize)
}

func (t *flat) Put(k state.Key, value []byte) {
	if !t.fixed {
		t.cells.put(k, value)
		return
	}
	if len(value) != t.d.FixedSize {
		panic(fmt.Sprintf("heap: %d bytes put into state %q, whose values have %d", len(value), t.d.Name, t.d.FixedSize))
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
	if t.d.Kind != state.KindList {
		panic(misuse("Append", t.d))
	}
	t.cells.appendElement(k, element)
}

func (t *flat) MapGet(state.Key, []byte) ([]byte, bool)      { panic(misuse("MapGet", t.d)) }
func (t *flat) MapPut(state.Key, []byte, []byte)             { panic(misuse("MapPut", t.d)) }
func (t *flat) MapDelete(state.Key, []byte)                  { panic(misuse("MapDelete", t.d)) }
func (t *flat) MapRange(state.Key, func(f, v []byte) bool)   { panic(misuse("MapRange", t.d)) }
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

func (t *flat) sum() uint64 {
	var sum uint64
	t.each(func(_ uint16, key, value []byte) { sum += state.SumEntry(t.d.Name, key, nil, value) })
	return sum
}

func misuse(call string, d state.Descriptor) string {
	return fmt.Sprintf("heap: %s of state %q, which is a %s", call, d.Name, d.Kind)
}
