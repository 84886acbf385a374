package heap

import (
	"bytes"
	"fmt"

	"github.com/tidwall/btree"

	"weir/state"
)

// fields is a map state: one B-tree in order of (group, key, field).
type fields struct {
	d      state.Descriptor
	groups state.GroupRange
	v      *versions
	clocks *state.Clocks
	tree   *btree.BTreeG[field]
	hint   btree.PathHint
	probe  []byte
	doomed []field
	hand   field // of the sweep: the next one to look at
	next   field // of the migration
	kept   []byte
	bytes  int64 // of keys, fields and values, the key once per field
}

var _ state.MapTable = (*fields)(nil)

// field: buf is key, field and value. It is written to only if gen is young
// enough.
type field struct {
	buf        []byte
	klen, flen uint32
	gen        uint32
	group      uint16
}

func (f *field) key() []byte   { return f.buf[:f.klen:f.klen] }
func (f *field) name() []byte  { return f.buf[f.klen : f.klen+f.flen : f.klen+f.flen] }
func (f *field) value() []byte { return f.buf[f.klen+f.flen:] }

func fieldLess(a, b field) bool {
	if a.group != b.group {
		return a.group < b.group
	}
	if c := bytes.Compare(a.buf[:a.klen], b.buf[:b.klen]); c != 0 {
		return c < 0
	}
	return bytes.Compare(a.buf[a.klen:a.klen+a.flen], b.buf[b.klen:b.klen+b.flen]) < 0
}

func newFields(d state.Descriptor, groups state.GroupRange, v *versions, clocks *state.Clocks) *fields {
	return &fields{d: d, groups: groups, v: v, clocks: clocks, tree: btree.NewBTreeGOptions(fieldLess, btree.Options{NoLocks: true})}
}

// look returns what to search the tree with.
func (t *fields) look(k state.Key, name []byte) field {
	t.probe = append(append(t.probe[:0], k.Bytes...), name...)
	return field{buf: t.probe, klen: uint32(len(k.Bytes)), flen: uint32(len(name)), group: k.Group}
}

func (t *fields) MapGet(k state.Key, name []byte) ([]byte, bool) {
	f, ok := t.tree.GetHint(t.look(k, name), &t.hint)
	if !ok {
		return nil, false
	}
	return f.value(), true
}

func (t *fields) MapPut(k state.Key, name, value []byte) {
	probe := t.look(k, name)
	old, ok := t.tree.GetHint(probe, &t.hint)
	if ok && len(old.value()) == len(value) && (old.gen >= t.v.shared || !t.v.frozen(old.gen)) {
		copy(old.value(), value)
		return
	}
	if k.Group < t.groups.Lo || k.Group >= t.groups.Hi {
		panic(fmt.Sprintf("heap: key group %d outside the store's [%d, %d)", k.Group, t.groups.Lo, t.groups.Hi))
	}
	f := probe
	f.buf = append(make([]byte, 0, len(probe.buf)+len(value)), probe.buf...)
	f.buf = append(f.buf, value...)
	f.gen = t.v.gen
	t.bytes += int64(len(f.buf) - len(old.buf))
	t.tree.SetHint(f, &t.hint)
}

func (t *fields) MapDelete(k state.Key, name []byte) {
	if old, ok := t.tree.DeleteHint(t.look(k, name), &t.hint); ok {
		t.bytes -= int64(len(old.buf))
	}
}

func (t *fields) MapRange(k state.Key, f func(field, value []byte) bool) {
	t.tree.AscendHint(t.look(k, nil), func(e field) bool {
		return e.group == k.Group && bytes.Equal(e.key(), k.Bytes) && f(e.name(), e.value())
	}, &t.hint)
}

func (t *fields) Delete(k state.Key) {
	t.doomed = t.doomed[:0]
	t.tree.AscendHint(t.look(k, nil), func(e field) bool {
		if e.group != k.Group || !bytes.Equal(e.key(), k.Bytes) {
			return false
		}
		t.doomed = append(t.doomed, e)
		return true
	}, &t.hint)
	for _, e := range t.doomed {
		t.bytes -= int64(len(e.buf))
		t.tree.DeleteHint(e, &t.hint)
	}
	clear(t.doomed)
}

func (t *fields) Range(f func(k state.Key, value []byte) bool) {
	var last field
	first := true
	t.tree.Scan(func(e field) bool {
		if !first && e.group == last.group && bytes.Equal(e.key(), last.key()) {
			return true
		}
		first, last = false, e
		return f(state.Key{Hash: state.HashBytes(e.key()), Group: e.group, Bytes: e.key()}, nil)
	})
}

// load adds one field of a snapshot. It says false if it is there already.
func (t *fields) load(group uint16, key, name, value []byte) bool {
	buf := make([]byte, 0, len(key)+len(name)+len(value))
	buf = append(append(append(buf, key...), name...), value...)
	t.bytes += int64(len(buf))
	_, replaced := t.tree.Load(field{buf: buf, klen: uint32(len(key)), flen: uint32(len(name)), gen: t.v.gen, group: group})
	return !replaced
}

func (t *fields) sum() uint64 {
	var sum uint64
	var kept []byte
	expiry := t.clocks.Expiry(t.d)
	t.tree.Scan(func(e field) bool {
		if value, live := expiry.Unexpired(e.value(), &kept); live {
			sum += state.SumEntry(t.d.Name, e.key(), e.name(), value)
		}
		return true
	})
	return sum
}

func (t *fields) declared(d state.Descriptor) { t.d = d }

func (t *fields) Len() int                     { return t.tree.Len() }
func (t *fields) descriptor() state.Descriptor { return t.d }
func (t *fields) logicalBytes() int64          { return t.bytes }
