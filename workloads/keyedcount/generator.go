package keyedcount

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

const (
	keyOffset   = 0
	valueOffset = 8
	timeOffset  = 16
	seqOffset   = 24
)

// Generator makes the records of one stream. It is immutable and safe for
// concurrent use.
type Generator struct {
	settings Settings
	seed     uint64
	keys     uint64
	zipf     *aliasTable // nil: uniform
	step     uint64      // ns between records, as a multiple of 2^-32
}

// Record is what a source record says.
type Record struct {
	Key, Value uint64
	Nanos      int64 // intended time
	Seq        uint64
}

// NewGenerator returns the generator of settings. With Zipf's law it makes a
// table of eight bytes per key.
func NewGenerator(s Settings) *Generator {
	g := &Generator{settings: s, seed: mix(uint64(s.Seed) + 0x6b657965), keys: uint64(s.Keys)}
	g.step = 1_000_000_000 << 32 / uint64(s.Rate)
	if s.Distribution == Zipf {
		exponent, _ := strconv.ParseFloat(s.Exponent, 64) // checked when it was set
		g.zipf = newZipf(int(s.Keys), exponent)
	}
	return g
}

// Record returns the record with a sequence number.
func (g *Generator) Record(seq uint64) Record {
	x := mix(g.seed + seq*0x9e3779b97f4a7c15)
	r := Record{Value: x & 0xffff, Nanos: g.nanos(seq), Seq: seq}
	if g.zipf == nil {
		r.Key, _ = bits.Mul64(x, g.keys)
	} else {
		r.Key = g.zipf.draw(x)
	}
	return r
}

func (g *Generator) nanos(seq uint64) int64 {
	hi, lo := bits.Mul64(seq, g.step)
	return g.settings.StartNanos + int64(hi<<32|lo>>32)
}

// put writes r into the first bytes of dst.
func put(dst []byte, r Record) {
	_ = dst[minRecordBytes-1]
	binary.LittleEndian.PutUint64(dst[keyOffset:], r.Key)
	binary.LittleEndian.PutUint64(dst[valueOffset:], r.Value)
	binary.LittleEndian.PutUint64(dst[timeOffset:], uint64(r.Nanos))
	binary.LittleEndian.PutUint64(dst[seqOffset:], r.Seq)
}

// mix is a bijection that spreads every input bit over all output bits.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// fill writes the part of a key's state that depends on the key alone: bytes
// that do not compress.
func fill(dst []byte, key uint64) {
	x := mix(key + 0x66696c6c)
	for len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, x)
		x = mix(x + 0x9e3779b97f4a7c15)
		dst = dst[8:]
	}
	for i := range dst {
		dst[i] = byte(x >> (8 * i))
	}
}
