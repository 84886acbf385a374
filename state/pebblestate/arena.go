package pebblestate

import (
	"encoding/binary"
	"math/bits"
)

// arena hands out pieces of memory by number. It holds no pointers, so that the
// garbage collector does not look at a gigabyte of entries.
//
// A piece number is that of its chunk (16 bits) and the place in it in units of
// 16 bytes (16 bits); 0 is none. Pieces above a chunk's size have a chunk of
// their own.
type arena struct {
	chunks     [][]byte
	at         int // next free place in the chunk being filled, bytes
	filling    int // number of that chunk
	free       [pieceClasses]uint32
	freeChunks []int
}

const (
	unit          = 16
	maxChunk      = 1 << 20
	firstChunk    = 4 << 10
	linearClasses = 32 // up to 512 bytes in steps of 16
	pieceClasses  = linearClasses + 44 + 1
	ownChunk      = 0 // class of pieces with a chunk of their own
)

// classOf returns the class for a number of bytes and the size of its pieces:
// multiples of 16 up to 512, then four per power of two.
func classOf(n int) (class uint8, size int) {
	switch {
	case n <= linearClasses*unit:
		c := (n + unit - 1) / unit
		return uint8(c), c * unit
	case n > maxChunk/2:
		return ownChunk, (n + unit - 1) / unit * unit
	}
	top := bits.Len(uint(n - 1)) // 2^(top-1) < n <= 2^top
	base := 1 << (top - 1)
	step := base / 4
	q := (n - base + step - 1) / step
	return uint8(linearClasses + (top-10)*4 + q), base + q*step
}

// alloc returns a piece of at least n bytes, its class and its exact size. Its
// content is undefined.
func (a *arena) alloc(n int) (piece uint32, class uint8, size int) {
	class, size = classOf(n)
	if class == ownChunk {
		return a.allocChunk(size), class, size
	}
	if piece = a.free[class]; piece != 0 {
		a.free[class] = binary.LittleEndian.Uint32(a.bytes(piece))
		return piece, class, size
	}
	if len(a.chunks) == 0 || a.at+size > len(a.chunks[a.filling]) {
		grown := firstChunk << min(len(a.chunks), 8)
		for grown < size+unit {
			grown *= 2
		}
		a.filling = a.addChunk(make([]byte, grown))
		a.at = unit // place 0 of chunk 0 would be number 0
	}
	piece = uint32(a.filling)<<16 | uint32(a.at/unit)
	a.at += size
	return piece, class, size
}

func (a *arena) allocChunk(size int) uint32 {
	return uint32(a.addChunk(make([]byte, size+unit)))<<16 | 1
}

func (a *arena) addChunk(b []byte) int {
	if n := len(a.freeChunks); n > 0 {
		i := a.freeChunks[n-1]
		a.freeChunks = a.freeChunks[:n-1]
		a.chunks[i] = b
		return i
	}
	a.chunks = append(a.chunks, b)
	return len(a.chunks) - 1
}

// release takes a piece back.
func (a *arena) release(piece uint32, class uint8) {
	if class == ownChunk {
		a.chunks[piece>>16] = nil
		a.freeChunks = append(a.freeChunks, int(piece>>16))
		return
	}
	binary.LittleEndian.PutUint32(a.bytes(piece), a.free[class])
	a.free[class] = piece
}

// bytes returns the memory from a piece on, to the end of its chunk; nil if its
// chunk is gone.
func (a *arena) bytes(piece uint32) []byte {
	c := a.chunks[piece>>16]
	if c == nil {
		return nil
	}
	return c[int(piece&0xffff)*unit:]
}
