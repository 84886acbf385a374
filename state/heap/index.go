package heap

import "math/bits"

// index maps hashes to positions of entries. A slot is 0 (empty) or the upper
// bits of the hash and, in the bits below, position+1: with 2^b slots there are
// b bits of position and 32-b bits of hash. The lower b bits of the hash are
// the slot where probing starts.
//
// Invariant: at most half of the slots are in use, so that position+1 fits into
// b bits and every probe ends, mostly at the first slot: a wrong guess of the
// processor costs more than the memory.
type index struct {
	slots []uint32
}

// keyed gives back the hash of the entry at a position.
type keyed interface{ hashAt(pos int) uint32 }

const minSlots = 16

func (x *index) mask() uint32 { return uint32(len(x.slots) - 1) }

// roomFor says whether n entries fit.
func (x *index) roomFor(n int) bool { return 2*n <= len(x.slots) && n > 0 }

// reserve makes room for n entries, rehashing the used ones. Ask roomFor first.
func (x *index) reserve(n, used int, entries keyed) {
	size := max(minSlots, 1<<bits.Len(uint(2*n-1)))
	x.slots = make([]uint32, size)
	for pos := range used {
		x.insert(entries.hashAt(pos), pos)
	}
}

// insert adds a position that is not there yet; there must be room.
func (x *index) insert(h uint32, pos int) {
	mask := x.mask()
	i := h & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = h&^mask | uint32(pos+1)
}

// slotOf returns the slot that holds pos, whose hash is h.
func (x *index) slotOf(h uint32, pos int) uint32 {
	mask := x.mask()
	i := h & mask
	for x.slots[i] != h&^mask|uint32(pos+1) {
		i = (i + 1) & mask
	}
	return i
}

// move says that the entry with hash h went from one position to another.
func (x *index) move(h uint32, from, to int) {
	i := x.slotOf(h, from)
	x.slots[i] = h&^x.mask() | uint32(to+1)
}

// remove takes out pos, whose hash is h, and closes the gap: entries behind it
// move up if the gap lies between their first slot and where they are. All
// positions in the index must still be readable through entries.
func (x *index) remove(h uint32, pos int, entries keyed) {
	mask := x.mask()
	gap := x.slotOf(h, pos)
	for i := (gap + 1) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		home := entries.hashAt(int(x.slots[i]&mask)-1) & mask
		if (i-home)&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = 0
}
