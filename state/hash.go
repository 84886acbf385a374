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

// KeyOf returns the Key of b in a job with groups key groups. It keeps b.
func KeyOf(b []byte, groups int) Key {
	h := HashBytes(b)
	return Key{Hash: h, Group: GroupOf(h, groups), Bytes: b}
}

// KeyOfUint64 returns the Key of k, writing its eight bytes (little-endian)
// into dst, which the Key refers to. Keep dst in a struct that lives on the
// heap anyway and the call allocates nothing.
func KeyOfUint64(dst *[8]byte, k uint64, groups int) Key {
	binary.LittleEndian.PutUint64(dst[:], k)
	h := HashUint64(k)
	return Key{Hash: h, Group: GroupOf(h, groups), Bytes: dst[:]}
}

// SumEntry returns the part of Store.Sum that one entry of a table contributes:
// the sum of a store is the wrapping sum over all entries of all tables, which
// makes it independent of order and backend. An entry is a key (KindValue,
// KindReducing, with nil field), a key with all its framed elements (KindList,
// nil field), or one field of a key (KindMap). The hash is xxHash64 over
// (uvarint len(name), name, uvarint len(key), key, uvarint len(field), field,
// value), then a 64-bit finaliser.
func SumEntry(name string, key, field, value []byte) uint64 {
	var stack [256]byte
	b := AppendString(stack[:0], name)
	b = AppendBytes(b, key)
	b = AppendBytes(b, field)
	b = append(b, value...)
	return finalise(xxhash.Sum64(b))
}

// finalise is a bijection that spreads every input bit over all output bits,
// so that sums of hashes do not cancel in patterns.
func finalise(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
