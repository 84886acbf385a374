package heap

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"weir/state"
)

const (
	wordBytes    = 8
	maxPageBytes = 8 << 10
	smallEntries = 1024
	smallBytes   = 64 << 10
)

// words holds the entries of one table whose keys have eight bytes and whose
// values have a fixed size: key and value side by side in pages.
type words struct {
	segs   []wordSeg // by group, from lo; nil while everything is in one
	one    wordSeg
	groups state.GroupRange
	stride int    // bytes of an entry
	shift  uint32 // log2 of the entries of a page
	inPage uint32 // mask of a position in its page
	v      *versions
	pool   pages
	n      int
	sorted []uint32 // scratch of a snapshot
	hand   hand     // of the sweep
}

// wordSeg is a hash table of its own. Entries 0..n-1 are dense; deleting one
// moves the last into its place.
type wordSeg struct {
	index
	pages  []wordPage
	dirGen uint32 // generation of the array behind pages
	n      int
	group  []uint16 // of each entry, only in words.one
}

// wordPage: gen is that of the content of buf. The first page of a segment
// starts short and grows; all others have full size.
type wordPage struct {
	buf []byte
	gen uint32
}

func (w *words) init(v *versions, groups state.GroupRange, valueSize int) {
	w.v, w.groups, w.stride = v, groups, wordBytes+valueSize
	if perPage := maxPageBytes / w.stride; perPage > 1 {
		w.shift = uint32(bits.Len(uint(perPage)) - 1)
		w.inPage = 1<<w.shift - 1
	}
	w.pool = pages{v: v, size: w.stride << w.shift}
}

func (w *words) seg(group uint16) *wordSeg {
	if w.segs == nil {
		return &w.one
	}
	return &w.segs[group-w.groups.Lo]
}

// at returns the bytes of an entry.
func (w *words) at(s *wordSeg, pos int) []byte {
	off := (pos & int(w.inPage)) * w.stride
	return s.pages[pos>>w.shift].buf[off : off+w.stride : off+w.stride]
}

// find returns the position of a key, or -1.
func (w *words) find(s *wordSeg, h uint32, key uint64) int {
	slots := s.slots
	if len(slots) == 0 {
		return -1
	}
	mask := uint32(len(slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		slot := slots[i]
		if slot == 0 {
			return -1
		}
		if (slot^h)&^mask != 0 {
			continue
		}
		pos := slot&mask - 1
		buf := s.pages[pos>>(w.shift&31)].buf
		if binary.LittleEndian.Uint64(buf[int(pos&w.inPage)*w.stride:]) == key {
			return int(pos)
		}
	}
}

// get returns the value of a key for reading, or nil.
func (w *words) get(group uint16, h uint32, key uint64) []byte {
	s := w.seg(group)
	pos := w.find(s, h, key)
	if pos < 0 {
		return nil
	}
	return w.at(s, pos)[wordBytes:]
}

// update returns the value of a key for writing. It is find, at and own in one
// because this is what every record pays for.
func (w *words) update(group uint16, h uint32, key uint64) (value []byte, fresh bool) {
	s := &w.one
	if w.segs != nil {
		s = &w.segs[group-w.groups.Lo]
	}
	slots := s.slots
	if len(slots) == 0 {
		return w.add(group, h, key), true
	}
	mask := uint32(len(slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		slot := slots[i]
		if slot == 0 {
			return w.add(group, h, key), true
		}
		if (slot^h)&^mask != 0 {
			continue
		}
		pos := slot&mask - 1
		page := &s.pages[pos>>(w.shift&31)]
		e := page.buf[int(pos&w.inPage)*w.stride:][:w.stride:w.stride]
		if binary.LittleEndian.Uint64(e) != key {
			continue
		}
		if page.gen < w.v.shared {
			w.own(s, int(pos>>(w.shift&31)))
			e = w.at(s, int(pos))
		}
		return e[wordBytes:], false
	}
}

// add appends an entry for a key that is absent, with a value of zeros.
func (w *words) add(group uint16, h uint32, key uint64) []byte {
	if group < w.groups.Lo || group >= w.groups.Hi {
		panic(fmt.Sprintf("heap: key group %d outside the store's [%d, %d)", group, w.groups.Lo, w.groups.Hi))
	}
	if w.segs == nil && (w.n >= smallEntries || (w.n+1)*w.stride > smallBytes) {
		w.split()
	}
	s := w.seg(group)
	pos := s.n
	if !s.roomFor(pos + 1) {
		s.reserve(pos+1, pos, wordsOf{w, s})
	}
	w.extend(s)
	e := w.at(s, pos)
	binary.LittleEndian.PutUint64(e, key)
	clear(e[wordBytes:])
	s.insert(h, pos)
	s.n++
	w.n++
	if w.segs == nil {
		if s.group == nil {
			s.group = make([]uint16, 0, 2*minSlots)
		}
		s.group = append(s.group, group)
	}
	return e[wordBytes:]
}

// extend makes the place behind the last entry exist and be writable.
func (w *words) extend(s *wordSeg) {
	page := s.n >> w.shift
	if page == len(s.pages) {
		w.ownDir(s)
		var buf []byte
		if page > 0 || w.shift <= firstPageShift {
			buf = w.pool.get()
		} else {
			buf = make([]byte, w.stride<<firstPageShift)
		}
		s.pages = append(s.pages, wordPage{buf: buf, gen: w.v.gen})
		return
	}
	p := &s.pages[page]
	if page == 0 && s.n*w.stride == len(p.buf) {
		w.growFirst(s)
		return
	}
	if p.gen < w.v.shared {
		w.own(s, page)
	}
}

const firstPageShift = 3

// growFirst doubles the first page, which is full and shorter than the others.
func (w *words) growFirst(s *wordSeg) {
	w.ownDir(s)
	old := s.pages[0].buf
	var buf []byte
	if 2*len(old) == w.pool.size {
		buf = w.pool.get()
	} else {
		buf = make([]byte, 2*len(old))
	}
	copy(buf, old)
	s.pages[0] = wordPage{buf: buf, gen: w.v.gen}
}

// own copies a page that a capture reads.
func (w *words) own(s *wordSeg, page int) {
	if !w.v.frozen(s.pages[page].gen) {
		return
	}
	w.ownDir(s)
	p := &s.pages[page]
	old := *p
	if len(old.buf) == w.pool.size {
		p.buf = w.pool.get()
	} else {
		p.buf = make([]byte, len(old.buf))
	}
	copy(p.buf, old.buf)
	p.gen = w.v.gen
	w.release(old)
}

// ownDir copies the page directory if a capture reads it.
func (w *words) ownDir(s *wordSeg) {
	if s.dirGen < w.v.shared && w.v.frozen(s.dirGen) {
		s.pages = append(make([]wordPage, 0, len(s.pages)+1), s.pages...)
		s.dirGen = w.v.gen
	}
}

func (w *words) release(p wordPage) {
	if len(p.buf) == w.pool.size {
		w.pool.put(p.buf, p.gen)
	}
}

// remove deletes a key if it is there.
func (w *words) remove(group uint16, h uint32, key uint64) {
	s := w.seg(group)
	pos := w.find(s, h, key)
	if pos < 0 {
		return
	}
	last := s.n - 1
	s.remove(h, pos, wordsOf{w, s})
	if pos != last {
		s.move(wordsOf{w, s}.hashAt(last), last, pos)
		if page := pos >> w.shift; s.pages[page].gen < w.v.shared {
			w.own(s, page)
		}
		copy(w.at(s, pos), w.at(s, last))
	}
	if w.segs == nil {
		s.group[pos] = s.group[last]
		s.group = s.group[:last]
	}
	s.n--
	w.n--
	w.shrink(s)
}

// shrink gives the last page back when the one before it has room too.
func (w *words) shrink(s *wordSeg) {
	if last := len(s.pages) - 1; last > 0 && s.n <= (last-1)<<w.shift+1<<w.shift>>1 {
		w.ownDir(s)
		w.release(s.pages[last])
		s.pages[last] = wordPage{}
		s.pages = s.pages[:last]
	}
}

// split goes from one segment to one per group, in order of position.
func (w *words) split() {
	w.segs = make([]wordSeg, w.groups.Hi-w.groups.Lo)
	one := w.one
	w.one = wordSeg{}
	w.n = 0
	for pos := range one.n {
		e := w.at(&one, pos)
		key := binary.LittleEndian.Uint64(e)
		copy(w.add(one.group[pos], uint32(state.HashUint64(key)), key), e[wordBytes:])
	}
	for _, p := range one.pages {
		w.release(p)
	}
}

// expect makes room for the first n entries of the one segment.
func (w *words) expect(n int) {
	if n == 0 {
		return
	}
	s := &w.one
	s.reserve(n, 0, nil)
	s.group = make([]uint16, 0, n)
	first := max(firstPageShift, uint32(bits.Len(uint(n-1))))
	if first < w.shift {
		s.pages = []wordPage{{buf: make([]byte, w.stride<<first), gen: w.v.gen}}
	}
}

// load appends count entries of one group in their snapshot encoding; the
// length of src has been checked. It says false if a key is there already.
func (w *words) load(group uint16, src []byte, count int) bool {
	s := w.seg(group)
	if !s.roomFor(s.n + count) {
		s.reserve(s.n+count, s.n, wordsOf{w, s})
	}
	s.pages = slices.Grow(s.pages, max(0, (s.n+count-1)>>w.shift+1-len(s.pages)))
	for len(src) > 0 {
		w.extend(s)
		page := &s.pages[s.n>>w.shift]
		off := (s.n & int(w.inPage)) * w.stride
		room := page.buf[off:]
		m := copy(room[:len(room)/w.stride*w.stride], src)
		for e := room[:m]; len(e) > 0; e = e[w.stride:] {
			key := binary.LittleEndian.Uint64(e)
			h := uint32(state.HashUint64(key))
			if w.find(s, h, key) >= 0 {
				return false
			}
			s.insert(h, s.n)
			s.n++
			w.n++
			if w.segs == nil {
				s.group = append(s.group, group)
			}
		}
		src = src[m:]
	}
	return true
}

// sortedByGroup returns group<<16|position of every entry of a small segment, in
// order, in room if there is enough, and the number of different groups.
func sortedByGroup(room []uint32, groups []uint16) (sorted []uint32, distinct int) {
	sorted = slices.Grow(room[:0], len(groups))[:len(groups)]
	for pos, g := range groups {
		sorted[pos] = uint32(g)<<16 | uint32(pos)
	}
	slices.Sort(sorted)
	for i, x := range sorted {
		if i == 0 || x>>16 != sorted[i-1]>>16 {
			distinct++
		}
	}
	return sorted, distinct
}

// each calls f for every entry, in no order that means anything.
func (w *words) each(f func(group uint16, key, value []byte)) {
	for pos := range w.one.n {
		e := w.at(&w.one, pos)
		f(w.one.group[pos], e[:wordBytes:wordBytes], e[wordBytes:])
	}
	for i := range w.segs {
		s := &w.segs[i]
		for pos := range s.n {
			e := w.at(s, pos)
			f(w.groups.Lo+uint16(i), e[:wordBytes:wordBytes], e[wordBytes:])
		}
	}
}

// wordsOf makes a segment readable for its index.
type wordsOf struct {
	w *words
	s *wordSeg
}

func (o wordsOf) hashAt(pos int) uint32 {
	return uint32(state.HashUint64(binary.LittleEndian.Uint64(o.w.at(o.s, pos))))
}
