package pebblestate

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"weir/state"
)

// cache holds entries of values and lists in a flat hash table with linear
// probing: changed ones, and clean ones as far as there is room. It belongs to
// the task.
//
// An entry is a record in the arena:
//
//	0  tag (4 bytes): the hash; its place in the table follows from it alone
//	4  length of the value (4)
//	8  room for the value (4)
//	12 number of the frozen run it was copied into last (4)
//	16 length of the key (2)
//	18 key group (2)
//	20 table (1), 21 flags (1), 22 class in the arena (1)
//	24 key, then the value at a multiple of 8
type cache struct {
	arena
	slots []slot // a power of two
	shift uint8
	count int
	used  int64 // bytes of records

	// dirty lists the changed records in the order in which they became so, from
	// head on. A listed piece may have been released since; then its flags tell.
	dirty      []uint32
	head       int
	dirtyBytes int64
	hand       int  // of the clock that evicts
	evicted    bool // something
	touched    byte // means nothing; it keeps touchAhead from being optimised away
}

type slot struct{ tag, piece uint32 }

const (
	cellHeader   = 24
	maxValueSize = 1 << 30

	flagDirty   = 1 // not in the database, nor on its way there
	flagDeleted = 2 // the key is absent, whatever the database says
	flagUsed    = 4 // since the clock's hand passed
)

type cell []byte

func (r cell) valueLen() int     { return int(binary.LittleEndian.Uint32(r[4:])) }
func (r cell) room() int         { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r cell) run() uint32       { return binary.LittleEndian.Uint32(r[12:]) }
func (r cell) setRun(n uint32)   { binary.LittleEndian.PutUint32(r[12:], n) }
func (r cell) keyLen() int       { return int(binary.LittleEndian.Uint16(r[16:])) }
func (r cell) group() uint16     { return binary.LittleEndian.Uint16(r[18:]) }
func (r cell) table() uint8      { return r[20] }
func (r cell) is(flag byte) bool { return r[21]&flag != 0 }
func (r cell) set(flag byte)     { r[21] |= flag }
func (r cell) unset(flag byte)   { r[21] &^= flag }
func (r cell) class() uint8      { return r[22] }
func (r cell) key() []byte       { return r[cellHeader : cellHeader+r.keyLen()] }
func (r cell) valueAt() int      { return cellHeader + (r.keyLen()+7)&^7 }
func (r cell) setValueLen(n int) { binary.LittleEndian.PutUint32(r[4:], uint32(n)) }
func (r cell) size() int         { return r.valueAt() + r.room() }

func (r cell) value() []byte {
	at, n := r.valueAt(), r.valueLen()
	return r[at : at+n : at+n]
}

// tagOf mixes, because keys of one task share the upper bits of their hashes.
func tagOf(table uint8, hash uint64) uint32 {
	hi, lo := bits.Mul64(hash^uint64(table)*0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return uint32((hi ^ lo) >> 32)
}

// find returns the record of a key, or nil, and the slot where it is or would be.
func (c *cache) find(table uint8, tag uint32, key []byte) (cell, int) {
	if len(c.slots) == 0 {
		c.grow()
	}
	mask := len(c.slots) - 1
	for i := int(tag >> c.shift); ; i = (i + 1) & mask {
		s := c.slots[i]
		if s.piece == 0 {
			return nil, i
		}
		if s.tag != tag {
			continue
		}
		if r := cell(c.bytes(s.piece)); r.table() == table && bytes.Equal(r.key(), key) {
			return r, i
		}
	}
}

// insert adds a record for a key that find has not found, with the value's
// content undefined, and returns its slot too.
func (c *cache) insert(table uint8, tag uint32, k state.Key, valueLen int) (cell, int) {
	if (c.count+1)*4 > len(c.slots)*3 {
		c.grow()
	}
	mask := len(c.slots) - 1
	i := int(tag >> c.shift)
	for c.slots[i].piece != 0 {
		i = (i + 1) & mask
	}
	valueAt := cellHeader + (len(k.Bytes)+7)&^7
	piece, class, size := c.alloc(valueAt + valueLen)
	r := cell(c.bytes(piece))
	binary.LittleEndian.PutUint32(r, tag)
	r.setValueLen(valueLen)
	binary.LittleEndian.PutUint32(r[8:], uint32(size-valueAt))
	r.setRun(0)
	binary.LittleEndian.PutUint16(r[16:], uint16(len(k.Bytes)))
	binary.LittleEndian.PutUint16(r[18:], k.Group)
	r[20], r[21], r[22] = table, 0, class
	copy(r[cellHeader:], k.Bytes)
	c.slots[i] = slot{tag, piece}
	c.count++
	c.used += int64(size)
	return r, i
}

// resize gives the record in a slot a value of n bytes, of which it keeps what
// was there as far as it goes. It returns the record, which may have moved.
func (c *cache) resize(r cell, slot, n int) cell {
	if n <= r.room() {
		r.setValueLen(n)
		return r
	}
	old, oldSize, oldPiece := r, r.size(), c.slots[slot].piece
	piece, class, size := c.alloc(r.valueAt() + n + n/2)
	r = cell(c.bytes(piece))
	copy(r, old[:old.valueAt()+old.valueLen()])
	r[22] = class
	binary.LittleEndian.PutUint32(r[8:], uint32(size-r.valueAt()))
	r.setValueLen(n)
	c.slots[slot].piece = piece
	c.used += int64(size - oldSize)
	if r.is(flagDirty) {
		c.dirtyBytes += int64(size - oldSize)
		c.dirty = append(c.dirty, piece)
	}
	old[21] = 0
	c.release(oldPiece, old.class())
	return r
}

// touch marks the record in a slot as changed.
func (c *cache) touch(r cell, slot int) {
	if !r.is(flagDirty) {
		c.dirty = append(c.dirty, c.slots[slot].piece)
		c.dirtyBytes += int64(r.size())
	}
	r[21] |= flagDirty | flagUsed
}

// nextDirty returns the record that has been dirty for longest and unmarks it,
// or nil if there is none.
func (c *cache) nextDirty() cell {
	for c.head < len(c.dirty) {
		if c.head&(ahead-1) == 0 {
			c.touchAhead(c.dirty[c.head:min(c.head+ahead, len(c.dirty))])
		}
		piece := c.dirty[c.head]
		c.head++
		if r := cell(c.bytes(piece)); r != nil && r.is(flagDirty) {
			r.unset(flagDirty)
			c.dirtyBytes -= int64(r.size())
			return r
		}
	}
	c.dirty, c.head = c.dirty[:0], 0
	return nil
}

// ahead is how many records are touched before they are read one by one: reads
// that do not depend on each other wait for memory together.
const ahead = 32

func (c *cache) touchAhead(pieces []uint32) {
	sum := byte(0)
	for _, piece := range pieces {
		b := c.bytes(piece)
		for at := 0; at < min(len(b), 3*lineBytes); at += lineBytes {
			sum += b[at]
		}
	}
	c.touched += sum
}

const lineBytes = 64

func (c *cache) grow() {
	old := c.slots
	c.slots = make([]slot, max(64, 2*len(old)))
	c.shift = uint8(32 - bits.Len(uint(len(c.slots)-1)))
	mask := len(c.slots) - 1
	for _, s := range old {
		if s.piece == 0 {
			continue
		}
		i := int(s.tag >> c.shift)
		for c.slots[i].piece != 0 {
			i = (i + 1) & mask
		}
		c.slots[i] = s
	}
	c.hand = 0
}

// remove forgets the clean record in slot i and closes the gap.
func (c *cache) remove(i int) {
	r := cell(c.bytes(c.slots[i].piece))
	c.used -= int64(r.size())
	c.count--
	r[21] = 0
	c.release(c.slots[i].piece, r.class())
	mask := len(c.slots) - 1
	for j := i; ; {
		j = (j + 1) & mask
		s := c.slots[j]
		if s.piece == 0 {
			break
		}
		home := int(s.tag >> c.shift)
		if (j-home)&mask >= (j-i)&mask { // its probe passes the gap
			c.slots[i] = s
			i = j
		}
	}
	c.slots[i] = slot{}
}

// evict frees at least want bytes of clean records that are not in the frozen
// run pinned (0 for none), those not used for a while first. It returns less if there are not so many.
func (c *cache) evict(want int64, pinned uint32) (freed int64) {
	for range 2 * len(c.slots) {
		if freed >= want {
			break
		}
		c.hand &= len(c.slots) - 1
		s := c.slots[c.hand]
		if s.piece == 0 {
			c.hand++
			continue
		}
		r := cell(c.bytes(s.piece))
		switch {
		case r.is(flagDirty) || pinned != 0 && r.run() == pinned:
			c.hand++
		case r.is(flagUsed):
			r.unset(flagUsed)
			c.hand++
		default:
			freed += int64(r.size())
			c.evicted = true
			c.remove(c.hand) // what moves into the slot is looked at next
		}
	}
	return freed
}
