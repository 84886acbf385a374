package heap

import (
	"encoding/binary"

	"weir/state"
)

var (
	_ state.Sweeper = (*flat)(nil)
	_ state.Sweeper = (*fields)(nil)
)

// hand is where a sweep stands in a table.
type hand struct{ seg, pos int }

// Sweep looks at the next entries of words, then of cells.
func (t *flat) Sweep(e state.Expiry, most int) {
	for ; most > 0; most-- {
		if t.inCells || t.words.n == 0 {
			t.inCells = !t.cells.sweep(e)
		} else {
			t.inCells = t.words.sweep(e)
		}
	}
}

// sweep looks at one entry, and removes it if it has expired. It says when it has
// come to the end.
func (w *words) sweep(e state.Expiry) (end bool) {
	s, lo := &w.one, uint16(0)
	if w.segs != nil {
		s, lo = &w.segs[w.hand.seg], w.groups.Lo+uint16(w.hand.seg)
	}
	if w.hand.pos >= s.n {
		return w.hand.next(len(w.segs))
	}
	entry := w.at(s, w.hand.pos)
	if e.Live(entry[wordBytes:]) {
		w.hand.pos++
		return false
	}
	if w.segs == nil {
		lo = s.group[w.hand.pos]
	}
	key := binary.LittleEndian.Uint64(entry)
	w.remove(lo, uint32(state.HashUint64(key)), key) // the last entry comes here, and is looked at next
	return false
}

// next goes to the next of so many segments, and says when there is none.
func (h *hand) next(segs int) (end bool) {
	h.pos = 0
	if h.seg++; h.seg >= segs {
		h.seg = 0
		return true
	}
	return false
}

// sweep looks at one entry; of a list, what has expired of it goes.
func (c *cells) sweep(e state.Expiry) (end bool) {
	s, group := &c.one, uint16(0)
	if c.segs != nil {
		s, group = &c.segs[c.hand.seg], c.groups.Lo+uint16(c.hand.seg)
	}
	if c.hand.pos >= s.n {
		return c.hand.next(len(c.segs))
	}
	if c.segs == nil {
		group = s.group[c.hand.pos]
	}
	entry := s.at(c.hand.pos)
	key := entry.key()
	k := state.Key{Hash: state.HashBytes(key), Group: group, Bytes: key}
	left, live := e.Unexpired(entry.value(), &c.kept)
	if !live {
		c.remove(k) // the last entry comes here, and is looked at next
		return false
	}
	c.hand.pos++
	if len(left) < len(entry.value()) {
		c.put(k, left)
	}
	return false
}

// Sweep looks at the next fields, in order.
func (t *fields) Sweep(e state.Expiry, most int) {
	t.doomed = t.doomed[:0]
	from := t.hand
	t.hand = field{}
	t.tree.Ascend(from, func(f field) bool {
		if most == 0 {
			t.hand = f
			return false
		}
		most--
		if !e.Live(f.value()) {
			t.doomed = append(t.doomed, f)
		}
		return true
	})
	for _, f := range t.doomed {
		t.bytes -= int64(len(f.buf))
		t.tree.Delete(f)
	}
	clear(t.doomed)
}
