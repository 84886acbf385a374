package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Versioned is a Codec whose encoding changes from version to version of a job. A state that
// is opened with one stores with each value by which version it was written, one byte for
// versions below 128, and in each snapshot the schemas of those versions, once. Values are
// converted when they are read; what is written is of the version that the codec writes.
// They have no fixed size.
//
// Decode of the Codec reads what Append writes. Neither knows the byte.
type Versioned[T any] interface {
	Codec[T] // of one version; Name is "name/version", and the name stays the same
	Schema() Schema
	// Reader returns how values of another schema are read. The error says what makes that
	// impossible: which field differs, and how. A program that can be gone back to
	// from a newer version knows how to read that.
	Reader(stored Schema) (read func(src []byte) (T, error), err error)
}

// Versions is a Versioned codec written by hand.
type Versions[T any] struct {
	ID     string // name, without a version
	Writes Version[T]
	Reads  []Version[T] // others, older and newer ones
}

// Version is one version of a codec written by hand.
type Version[T any] struct {
	Number uint32 // from 1
	// Fields says what the encoding is, for example "sum int64, number int32". Two programs with
	// the same fields write and read the same bytes.
	Fields string
	Codec  Codec[T] // of one that is only read Decode alone is called
}

const byHand = "fields"

func (v *Version[T]) schema() Schema {
	return Schema{Version: v.Number, Language: byHand, Text: v.Fields}
}

// Name returns ID and the version that is written.
func (c *Versions[T]) Name() string { return versionedName(c.ID, c.Writes.Number) }

func versionedName(name string, version uint32) string {
	return name + "/" + strconv.FormatUint(uint64(version), 10)
}

// FixedSize returns 0: another version has another size.
func (c *Versions[T]) FixedSize() int { return 0 }

// Append appends the encoding of v in the version that is written.
func (c *Versions[T]) Append(dst []byte, v T) []byte { return c.Writes.Codec.Append(dst, v) }

// Decode reads a value of the version that is written.
func (c *Versions[T]) Decode(src []byte) (T, error) { return c.Writes.Codec.Decode(src) }

// Schema returns that of the version that is written.
func (c *Versions[T]) Schema() Schema { return c.Writes.schema() }

// Reader returns how a version is read whose fields are known.
func (c *Versions[T]) Reader(stored Schema) (func(src []byte) (T, error), error) {
	var known []string
	newest := c.Writes.Number
	for i := range c.Reads {
		v := &c.Reads[i]
		known, newest = append(known, strconv.FormatUint(uint64(v.Number), 10)), max(newest, v.Number)
		switch {
		case v.Number != stored.Version:
		case v.schema().sameText(stored):
			return v.Codec.Decode, nil
		default:
			return nil, fmt.Errorf("%w: version %d of codec %s is known with other fields: %s", ErrIncompatible, v.Number, c.ID, stored.differs(v.schema()))
		}
	}
	known = append(known, strconv.FormatUint(uint64(c.Writes.Number), 10))
	than := "unknown"
	if stored.Version > newest {
		than = "newer than any that is known"
	}
	return nil, fmt.Errorf("%w: version %d of codec %s is %s (%s): %s", ErrIncompatible, stored.Version, c.ID, than, strings.Join(known, ", "), stored.differs(c.Schema()))
}

// evolving is a Versioned codec as one state of a task uses it: values with the version in front.
type evolving[T any] struct {
	codec   Versioned[T]
	writes  Schema
	schemas Schemas            // of writes, which writes to a state are compared with
	readers []versionReader[T] // of what the state may hold
}

type versionReader[T any] struct {
	version uint64
	read    func(src []byte) (T, error)
}

// Bind returns a codec as one state uses it, and how it reads other versions if it has any.
// What opens a state by its codec calls it.
func Bind[T any](c Codec[T]) (Codec[T], Evolution) {
	v, ok := c.(Versioned[T])
	if !ok {
		return c, nil
	}
	e := &evolving[T]{codec: v, writes: v.Schema()}
	e.schemas = encodeSchemas([]Schema{e.writes})
	e.learn(e.writes.Version, v.Decode)
	return e, e
}

func (e *evolving[T]) learn(version uint32, read func(src []byte) (T, error)) {
	for i := range e.readers {
		if r := &e.readers[i]; r.version == uint64(version) {
			r.read = read
			return
		}
	}
	e.readers = append(e.readers, versionReader[T]{uint64(version), read})
}

// Writes returns the schema of what Append appends.
func (e *evolving[T]) Writes() Schema { return e.writes }

// Schemas returns the set of that alone.
func (e *evolving[T]) Schemas() Schemas { return e.schemas }

// Judge has values of a schema read.
func (e *evolving[T]) Judge(stored Schema) (Verdict, error) {
	switch {
	case stored.sameText(e.writes):
		e.learn(stored.Version, e.codec.Decode)
		return Same, nil
	case stored.Version == e.writes.Version:
		return Incompatible, fmt.Errorf("%w: version %d of codec %s is written with other fields than it is stored with (%s): give what is written the next version",
			ErrIncompatible, stored.Version, e.codec.Name(), stored.differs(e.writes))
	}
	read, err := e.codec.Reader(stored)
	if err != nil {
		return Incompatible, err
	}
	e.learn(stored.Version, read)
	return AfterMigration, nil
}

func (e *evolving[T]) Name() string   { return e.codec.Name() }
func (e *evolving[T]) FixedSize() int { return 0 }

// Append appends the version and the value.
func (e *evolving[T]) Append(dst []byte, v T) []byte {
	return e.codec.Append(binary.AppendUvarint(dst, uint64(e.writes.Version)), v)
}

// Decode reads a value by the version in front of it.
func (e *evolving[T]) Decode(src []byte) (value T, err error) {
	version, rest, err := SplitVersion(src)
	if err != nil {
		return value, fmt.Errorf("%s: %w", e.codec.Name(), err)
	}
	for i := range e.readers {
		if r := &e.readers[i]; r.version == uint64(version) {
			return r.read(rest)
		}
	}
	return value, fmt.Errorf("%w: %s: a value of version %d, of which the state has no schema", ErrCorrupt, e.codec.Name(), version)
}

// Rewrite appends a value in the version that is written.
func (e *evolving[T]) Rewrite(dst, stored []byte) (rewritten []byte, changed bool) {
	if version, _, err := SplitVersion(stored); err == nil && version == e.writes.Version {
		return append(dst, stored...), false
	}
	return e.Append(dst, decode(Codec[T](e), stored)), true
}

// SplitVersion returns by which version a value of a state with schemas was written, and its
// encoding.
func SplitVersion(stored []byte) (version uint32, value []byte, err error) {
	v, n := binary.Uvarint(stored)
	if n <= 0 || v == 0 || v > math.MaxUint32 {
		return 0, nil, fmt.Errorf("%w: a value of %d bytes without a version in front", ErrCorrupt, len(stored))
	}
	return uint32(v), stored[n:], nil
}
