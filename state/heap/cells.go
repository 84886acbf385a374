package heap

import (
	"bytes"
	"fmt"
	"slices"

	"weir/state"
)

// cells holds the entries of one table whose keys or values vary in size.
type cells struct {
	segs   []cellSeg // by group, from lo; nil while everything is in one
	one    cellSeg
	groups state.GroupRange
	v      *versions
	n      int
	bytes  int64    // of keys and values
	sorted []uint32 // scratch of a snapshot
	hand   hand     // of the sweep
	kept   []byte   // scratch of it
	back   backwards
}

const (
	cellShift = 6 // 64 cells a page, 2 KiB
	cellMask  = 1<<cellShift - 1
)

type cellSeg struct {
	index
	pages  []cellPage
	dirGen uint32
	n      int
	group  []uint16 // of each entry, only in cells.one
}

type cellPage struct {
	cells []cell
	gen   uint32
}

// cell: buf is the key and then the value. Bytes of buf below the length that a
// capture saw are written to only if gen is young enough; appending behind
// them is always allowed.
type cell struct {
	buf  []byte
	klen uint32
	gen  uint32
}

func (c *cell) key() []byte   { return c.buf[:c.klen:c.klen] }
func (c *cell) value() []byte { return c.buf[c.klen:len(c.buf):len(c.buf)] }

func (c *cells) seg(group uint16) *cellSeg {
	if c.segs == nil {
		return &c.one
	}
	return &c.segs[group-c.groups.Lo]
}

func (s *cellSeg) at(pos int) *cell { return &s.pages[pos>>cellShift].cells[pos&cellMask] }

func (s *cellSeg) hashAt(pos int) uint32 { return uint32(state.HashBytes(s.at(pos).key())) }

func (s *cellSeg) find(h uint32, key []byte) int {
	if len(s.slots) == 0 {
		return -1
	}
	mask := s.mask()
	for i := h & mask; ; i = (i + 1) & mask {
		slot := s.slots[i]
		if slot == 0 {
			return -1
		}
		if (slot^h)&^mask == 0 {
			if pos := int(slot&mask) - 1; bytes.Equal(s.at(pos).key(), key) {
				return pos
			}
		}
	}
}

// get returns the value of a key for reading.
func (c *cells) get(k state.Key) ([]byte, bool) {
	s := c.seg(k.Group)
	if pos := s.find(uint32(k.Hash), k.Bytes); pos >= 0 {
		return s.at(pos).value(), true
	}
	return nil, false
}

// open returns the cell of a key, in a page of our own; a fresh one has the key
// and no value, and room for that many bytes.
func (c *cells) open(k state.Key, room int) (e *cell, fresh bool) {
	s := c.seg(k.Group)
	pos := s.find(uint32(k.Hash), k.Bytes)
	if pos < 0 {
		return c.add(k, room), true
	}
	return c.own(s, pos), false
}

// put sets the value of a key.
func (c *cells) put(k state.Key, value []byte) {
	e, _ := c.open(k, len(value))
	c.bytes += int64(len(value) - len(e.value()))
	if e.gen < c.v.shared && c.v.frozen(e.gen) || cap(e.buf)-int(e.klen) < len(value) {
		e.buf = append(make([]byte, 0, int(e.klen)+roundUp(len(value))), e.key()...)
		e.gen = c.v.gen
	}
	e.buf = append(e.buf[:e.klen], value...)
}

// update returns the value of a key, of the given size, for writing.
func (c *cells) update(k state.Key, size int) (value []byte, fresh bool) {
	e, fresh := c.open(k, size)
	if fresh {
		e.buf = append(e.buf, make([]byte, size)...)
		c.bytes += int64(size)
	} else if e.gen < c.v.shared && c.v.frozen(e.gen) {
		e.buf = slices.Clone(e.buf)
		e.gen = c.v.gen
	}
	return e.value(), fresh
}

// appendElement adds an element to the list of a key.
func (c *cells) appendElement(k state.Key, element []byte) {
	e, _ := c.open(k, len(element)+2)
	before, room := len(e.buf), cap(e.buf)
	e.buf = state.AppendElement(e.buf, element)
	if cap(e.buf) != room {
		e.gen = c.v.gen
	}
	c.bytes += int64(len(e.buf) - before)
}

// roundUp leaves some room for values whose size changes a little.
func roundUp(n int) int { return (n + 15) &^ 15 }

// add appends a cell for a key that is absent.
func (c *cells) add(k state.Key, room int) *cell {
	if k.Group < c.groups.Lo || k.Group >= c.groups.Hi {
		panic(fmt.Sprintf("heap: key group %d outside the store's [%d, %d)", k.Group, c.groups.Lo, c.groups.Hi))
	}
	if c.segs == nil && (c.n >= smallEntries || c.bytes > smallBytes) {
		c.split()
	}
	buf := make([]byte, len(k.Bytes), len(k.Bytes)+roundUp(room))
	copy(buf, k.Bytes)
	c.bytes += int64(len(buf))
	return c.place(k.Group, uint32(k.Hash), cell{buf: buf, klen: uint32(len(k.Bytes)), gen: c.v.gen})
}

// place puts a cell behind the last one of its segment.
func (c *cells) place(group uint16, h uint32, e cell) *cell {
	s := c.seg(group)
	pos := s.n
	if !s.roomFor(pos + 1) {
		s.reserve(pos+1, pos, s)
	}
	if pos>>cellShift == len(s.pages) {
		c.ownDir(s)
		s.pages = append(s.pages, cellPage{gen: c.v.gen})
	}
	c.ownPage(s, pos>>cellShift)
	p := &s.pages[pos>>cellShift]
	p.cells = append(p.cells, e)
	s.insert(h, pos)
	s.n++
	c.n++
	if c.segs == nil {
		s.group = append(s.group, group)
	}
	return &p.cells[pos&cellMask]
}

func (c *cells) own(s *cellSeg, pos int) *cell {
	c.ownPage(s, pos>>cellShift)
	return s.at(pos)
}

// ownPage copies a page of cells that a capture reads.
func (c *cells) ownPage(s *cellSeg, page int) {
	if s.pages[page].gen >= c.v.shared || !c.v.frozen(s.pages[page].gen) {
		return
	}
	c.ownDir(s)
	p := &s.pages[page]
	p.cells, p.gen = slices.Clone(p.cells), c.v.gen
}

func (c *cells) ownDir(s *cellSeg) {
	if s.dirGen < c.v.shared && c.v.frozen(s.dirGen) {
		s.pages = append(make([]cellPage, 0, len(s.pages)+1), s.pages...)
		s.dirGen = c.v.gen
	}
}

// remove deletes a key if it is there.
func (c *cells) remove(k state.Key) {
	s := c.seg(k.Group)
	pos := s.find(uint32(k.Hash), k.Bytes)
	if pos < 0 {
		return
	}
	last := s.n - 1
	c.bytes -= int64(len(s.at(pos).buf))
	s.remove(uint32(k.Hash), pos, s)
	tail := *s.at(last)
	if pos != last {
		s.move(s.hashAt(last), last, pos)
		*c.own(s, pos) = tail
	}
	*c.own(s, last) = cell{}
	p := &s.pages[last>>cellShift]
	p.cells = p.cells[:last&cellMask]
	if len(p.cells) == 0 {
		c.ownDir(s)
		s.pages[last>>cellShift] = cellPage{}
		s.pages = s.pages[:last>>cellShift]
	}
	if c.segs == nil {
		s.group[pos] = s.group[last]
		s.group = s.group[:last]
	}
	s.n--
	c.n--
}

// split goes from one segment to one per group, in order of position.
func (c *cells) split() {
	one := c.one
	c.one, c.n = cellSeg{}, 0
	c.segs = make([]cellSeg, c.groups.Hi-c.groups.Lo)
	for pos := range one.n {
		c.place(one.group[pos], one.hashAt(pos), *one.at(pos))
	}
}

// load adds one entry of a snapshot. It says false if the key is there already.
func (c *cells) load(group uint16, key, value []byte) bool {
	s, h := c.seg(group), uint32(state.HashBytes(key))
	if s.find(h, key) >= 0 {
		return false
	}
	buf := append(make([]byte, 0, len(key)+len(value)), key...)
	buf = append(buf, value...)
	c.bytes += int64(len(buf))
	c.place(group, h, cell{buf: buf, klen: uint32(len(key)), gen: c.v.gen})
	return true
}

// each calls f for every entry, in no order that means anything.
func (c *cells) each(f func(group uint16, key, value []byte)) {
	for pos := range c.one.n {
		e := c.one.at(pos)
		f(c.one.group[pos], e.key(), e.value())
	}
	for i := range c.segs {
		s := &c.segs[i]
		for pos := range s.n {
			e := s.at(pos)
			f(c.groups.Lo+uint16(i), e.key(), e.value())
		}
	}
}
