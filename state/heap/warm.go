package heap

import "weir/state"

var _ state.Warmer = (*flat)(nil)

// Warm touches the first slot of every key, and then, with all slots at hand,
// every entry. Neither loop waits for what it touches, so that many accesses to
// memory are under way at once.
func (t *flat) Warm(keys []state.Key) {
	w := &t.words
	if w.segs == nil {
		return
	}
	slots := uint32(0)
	for i := range keys {
		s := &w.segs[keys[i].Group-w.groups.Lo]
		if n := len(s.slots); n > 0 {
			slots += s.slots[uint32(keys[i].Hash)&uint32(n-1)]
		}
	}
	sum := byte(slots)
	for i := range keys {
		s := &w.segs[keys[i].Group-w.groups.Lo]
		if pos := s.first(uint32(keys[i].Hash)); pos >= 0 {
			sum += s.pages[pos>>(w.shift&31)].buf[(pos&int(w.inPage))*w.stride]
		}
	}
	t.warmed = sum
}

// first returns the first position whose slot has the right bits, or -1.
func (s *wordSeg) first(h uint32) int {
	if len(s.slots) == 0 {
		return -1
	}
	mask := s.mask()
	for i := h & mask; s.slots[i] != 0; i = (i + 1) & mask {
		if slot := s.slots[i]; (slot^h)&^mask == 0 {
			return int(slot&mask) - 1
		}
	}
	return -1
}
