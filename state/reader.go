package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrCorrupt is wrapped by every error that says that bytes do not decode or
// do not match their checksum. A reader with an older checkpoint may use that.
var ErrCorrupt = errors.New("corrupt")

// ErrIncompatible is wrapped by every error that says that a snapshot is sound
// but written by another backend, format version, kind, codec or size.
var ErrIncompatible = errors.New("incompatible")

// Reader decodes bytes that come from outside: every read is bounds-checked,
// and after the first failure all reads give zero and Err tells what was
// missing and where. Its zero value reads nothing; use NewReader.
type Reader struct {
	src []byte
	at  int
	err error
}

// NewReader returns a Reader over src. Slices it hands out alias src.
func NewReader(src []byte) *Reader { return &Reader{src: src} }

// Err returns the first failure, wrapping ErrCorrupt, or nil.
func (r *Reader) Err() error { return r.err }

// Len returns the number of bytes not read yet; 0 after a failure.
func (r *Reader) Len() int {
	if r.err != nil {
		return 0
	}
	return len(r.src) - r.at
}

// Rest returns everything not read yet without reading it.
func (r *Reader) Rest() []byte {
	if r.err != nil {
		return nil
	}
	return r.src[r.at:]
}

// Done returns Err, or an error if bytes are left over.
func (r *Reader) Done() error {
	if n := r.Len(); n > 0 {
		r.Fail("%d bytes left over", n)
	}
	return r.err
}

// Fail records a failure found by the caller, at the present position.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w at byte %d of %d: %s", ErrCorrupt, r.at, len(r.src), fmt.Sprintf(format, args...))
	}
}

// Raw returns the next n bytes, or nil.
func (r *Reader) Raw(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.src)-r.at {
		r.Fail("want %d bytes", n)
		return nil
	}
	b := r.src[r.at : r.at+n : r.at+n]
	r.at += n
	return b
}

// Byte returns the next byte.
func (r *Reader) Byte() byte {
	if b := r.Raw(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 returns the next two bytes, little-endian.
func (r *Reader) Uint16() uint16 {
	if b := r.Raw(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Uint32 returns the next four bytes, little-endian.
func (r *Reader) Uint32() uint32 {
	if b := r.Raw(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Uint64 returns the next eight bytes, little-endian.
func (r *Reader) Uint64() uint64 {
	if b := r.Raw(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Uvarint returns the next unsigned varint.
func (r *Reader) Uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	if r.at < len(r.src) && r.src[r.at] < 0x80 { // most are small
		r.at++
		return uint64(r.src[r.at-1])
	}
	v, n := binary.Uvarint(r.src[r.at:])
	if n <= 0 {
		r.Fail("bad varint")
		return 0
	}
	r.at += n
	return v
}

// Size returns the next unsigned varint as a size or position that fits int64.
func (r *Reader) Size() int64 {
	v := r.Uvarint()
	if v > math.MaxInt64 {
		r.Fail("size %d out of range", v)
		return 0
	}
	return int64(v)
}

// Count returns the next unsigned varint as a number of things that take at
// least minBytes each; more than the bytes left can hold is a failure. This is
// what keeps a flipped bit from asking for a huge slice.
func (r *Reader) Count(minBytes int) int {
	v := r.Uvarint()
	if v > uint64(r.Len()/max(minBytes, 1)) {
		r.Fail("count %d in %d bytes", v, r.Len())
		return 0
	}
	return int(v)
}

// Bytes returns the next bytes with their length as a varint before them.
func (r *Reader) Bytes() []byte { return r.Raw(r.Count(1)) }

// AppendBytes appends b with its length as a varint before it, as Reader.Bytes
// reads it.
func AppendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// AppendString is AppendBytes of a string.
func AppendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
