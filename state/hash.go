package state

import (
	"encoding/binary"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// HashUint64 hashes an eight-byte key. Hashes decide key groups, so the
// function is part of the snapshot format and never changes.
func HashUint64(k uint64) uint64 {
	hi, lo := bits.Mul64(k^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	x := hi ^ lo
	hi, lo = bits.Mul64(x^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	return hi ^ lo
}

// HashBytes hashes a key. Keys of eight bytes hash as little-endian uint64.
func HashBytes(k []byte) uint64 {
	if len(k) == 8 {
		return HashUint64(binary.LittleEndian.Uint64(k))
	}
	return xxhash.Sum64(k)
}
