package state

import (
	"encoding/binary"
	"fmt"
)

// Codec encodes values of T. It is stateless and safe for concurrent use.
type Codec[T any] interface {
	// Name is "name/version", for example "uint64/1". It is written into
	// snapshots; change the version with the encoding.
	Name() string
	// FixedSize is the number of bytes of every encoding, or 0 if it varies.
	FixedSize() int
	// Append appends the encoding of v to dst.
	Append(dst []byte, v T) []byte
	// Decode reads exactly one value that takes up the whole of src. Truncated
	// or damaged input is an error that wraps ErrCorrupt.
	Decode(src []byte) (T, error)
}

// The codecs of the basic types.
var (
	// Uint64 is eight bytes, little-endian.
	Uint64 Codec[uint64] = uint64Codec{}
	// Int64 is eight bytes, little-endian, two's complement.
	Int64 Codec[int64] = int64Codec{}
	// Bytes is the bytes themselves. Decode returns src, not a copy.
	Bytes Codec[[]byte] = bytesCodec{}
	// String is the bytes of the string.
	String Codec[string] = stringCodec{}
)

type uint64Codec struct{}

func (uint64Codec) Name() string   { return "uint64/1" }
func (uint64Codec) FixedSize() int { return 8 }
func (uint64Codec) Append(dst []byte, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(dst, v)
}

func (uint64Codec) Decode(src []byte) (uint64, error) {
	if len(src) != 8 {
		return 0, sizeError("uint64/1", 8, len(src))
	}
	return binary.LittleEndian.Uint64(src), nil
}

type int64Codec struct{}

func (int64Codec) Name() string   { return "int64/1" }
func (int64Codec) FixedSize() int { return 8 }
func (int64Codec) Append(dst []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(v))
}

func (int64Codec) Decode(src []byte) (int64, error) {
	if len(src) != 8 {
		return 0, sizeError("int64/1", 8, len(src))
	}
	return int64(binary.LittleEndian.Uint64(src)), nil
}

type bytesCodec struct{}

func (bytesCodec) Name() string                       { return "bytes/1" }
func (bytesCodec) FixedSize() int                     { return 0 }
func (bytesCodec) Append(dst []byte, v []byte) []byte { return append(dst, v...) }
func (bytesCodec) Decode(src []byte) ([]byte, error)  { return src, nil }

type stringCodec struct{}

func (stringCodec) Name() string                       { return "string/1" }
func (stringCodec) FixedSize() int                     { return 0 }
func (stringCodec) Append(dst []byte, v string) []byte { return append(dst, v...) }
func (stringCodec) Decode(src []byte) (string, error)  { return string(src), nil }

func sizeError(codec string, want, got int) error {
	return fmt.Errorf("%w: %s: want %d bytes, got %d", ErrCorrupt, codec, want, got)
}

// StructCodec makes a Codec of two functions written by hand. Write reads the
// fields with a Reader; StructCodec checks that the whole source was read and
// that a fixed size is kept.
type StructCodec[T any] struct {
	ID    string // "name/version"
	Size  int    // bytes of every encoding, 0 if it varies
	Write func(dst []byte, v T) []byte
	Read  func(r *Reader) T
}

// Name returns ID.
func (c *StructCodec[T]) Name() string { return c.ID }

// FixedSize returns Size.
func (c *StructCodec[T]) FixedSize() int { return c.Size }

// Append appends the encoding of v.
func (c *StructCodec[T]) Append(dst []byte, v T) []byte { return c.Write(dst, v) }

// Decode reads one value.
func (c *StructCodec[T]) Decode(src []byte) (T, error) {
	var zero T
	if c.Size > 0 && len(src) != c.Size {
		return zero, sizeError(c.ID, c.Size, len(src))
	}
	r := Reader{src: src}
	v := c.Read(&r)
	if err := r.Done(); err != nil {
		return zero, fmt.Errorf("%s: %w", c.ID, err)
	}
	return v, nil
}
