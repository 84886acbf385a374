package heap

import "weir/state"

var (
	_ state.Migrator = (*flat)(nil)
	_ state.Migrator = (*fields)(nil)
)

// Migrate looks at entries from the last to the first: one that is added stands behind all, and
// is of the version that is written; one that takes the place of a deleted one comes from
// behind, and has been looked at.
func (t *flat) Migrate(most int, to state.Schemas, convert func(dst []byte, e state.KeyedEntry) ([]byte, bool)) (done bool) {
	if t.d.Schemas != to && !t.cells.migrate(most, convert) {
		return false
	}
	t.d.Schemas = to
	return true
}

// backwards is where a migration stands in cells.
type backwards struct {
	began bool
	segs  int // that there were; when they become many it begins anew
	hand
}

// migrate looks at the next entries, and says when it has come to the first one. Values that vary
// in size, as those with versions do, are in cells.
func (c *cells) migrate(most int, convert func(dst []byte, e state.KeyedEntry) ([]byte, bool)) (done bool) {
	b := &c.back
	if !b.began || b.segs != len(c.segs) {
		*b = backwards{began: true, segs: len(c.segs), hand: hand{pos: c.n}}
	}
	for most > 0 {
		s, group := &c.one, uint16(0)
		if c.segs != nil {
			s, group = &c.segs[b.seg], c.groups.Lo+uint16(b.seg)
		}
		if b.pos = min(b.pos, s.n) - 1; b.pos < 0 {
			if b.seg++; b.seg >= len(c.segs) {
				return true
			}
			b.pos = c.n
			continue
		}
		most--
		if c.segs == nil {
			group = s.group[b.pos]
		}
		entry := s.at(b.pos)
		var changed bool
		key := entry.key()
		if c.kept, changed = convert(c.kept[:0], state.KeyedEntry{Group: group, Key: key, Value: entry.value()}); changed {
			c.put(state.Key{Hash: state.HashBytes(key), Group: group, Bytes: key}, c.kept)
		}
	}
	return false
}

// Migrate looks at fields in their order.
func (t *fields) Migrate(most int, to state.Schemas, convert func(dst []byte, e state.KeyedEntry) ([]byte, bool)) (done bool) {
	if t.d.Schemas == to {
		return true
	}
	done = true
	t.doomed = t.doomed[:0]
	t.tree.Ascend(t.next, func(f field) bool {
		if most == 0 {
			t.next, done = f, false
			return false
		}
		most--
		t.doomed = append(t.doomed, f)
		return true
	})
	for i := range t.doomed {
		f := &t.doomed[i]
		var changed bool
		if t.kept, changed = convert(t.kept[:0], state.KeyedEntry{Group: f.group, Key: f.key(), Field: f.name(), Value: f.value()}); changed {
			t.MapPut(state.Key{Group: f.group, Bytes: f.key()}, f.name(), t.kept)
		}
	}
	clear(t.doomed)
	if done {
		t.next, t.d.Schemas = field{}, to
	}
	return done
}
