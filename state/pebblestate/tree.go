package pebblestate

import (
	"bytes"

	"github.com/tidwall/btree"
)

// tree holds the changed fields of maps by database key: what the database does
// not have yet. A frozen tree is read by the task and by a capture at once, and
// changed by nobody.
type tree struct {
	*btree.BTreeG[field]
	bytes int64 // logical, keys and values
	held  int64 // an estimate of memory
}

type field struct {
	key, value []byte
	deleted    bool
}

const fieldOverhead = 80 // of a tree's node and two allocations, bytes

func newTree() *tree {
	less := func(a, b field) bool { return bytes.Compare(a.key, b.key) < 0 }
	return &tree{BTreeG: btree.NewBTreeGOptions(less, btree.Options{NoLocks: true, Degree: 16})}
}

// put sets or deletes a field. Neither slice is kept.
func (t *tree) put(key, value []byte, deleted bool) {
	old, there := t.Get(field{key: key})
	if there {
		t.bytes += int64(len(value) - len(old.value))
		if len(old.value) == len(value) && old.deleted == deleted {
			copy(old.value, value) // the tree is not frozen, and its bytes are its own
			return
		}
		t.held += int64(len(value) - len(old.value))
		t.Set(field{key: old.key, value: bytes.Clone(value), deleted: deleted})
		return
	}
	t.bytes += int64(len(key) + len(value))
	t.held += int64(len(key)+len(value)) + fieldOverhead
	b := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	t.Set(field{key: b[:len(key):len(key)], value: b[len(key):], deleted: deleted})
}

// get returns the field as a tree has it; there is false if it says nothing
// about it. A nil tree says nothing.
func (t *tree) get(key []byte) (f field, there bool) {
	if t == nil || t.Len() == 0 {
		return field{}, false
	}
	return t.Get(field{key: key})
}

// collect appends the fields from lower up to but not including upper. Nil trees are empty.
func (t *tree) collect(dst []field, lower, upper []byte) []field {
	if t == nil {
		return dst
	}
	t.Ascend(field{key: lower}, func(f field) bool {
		if bytes.Compare(f.key, upper) >= 0 {
			return false
		}
		dst = append(dst, f)
		return true
	})
	return dst
}

// overlay merges two ordered lists of fields; where both have a key, newer counts.
func overlay(newer, older []field) []field {
	if len(older) == 0 {
		return newer
	}
	merged := make([]field, 0, len(newer)+len(older))
	for len(newer) > 0 && len(older) > 0 {
		switch c := bytes.Compare(newer[0].key, older[0].key); {
		case c < 0:
			merged, newer = append(merged, newer[0]), newer[1:]
		case c > 0:
			merged, older = append(merged, older[0]), older[1:]
		default:
			merged, newer, older = append(merged, newer[0]), newer[1:], older[1:]
		}
	}
	return append(append(merged, newer...), older...)
}
