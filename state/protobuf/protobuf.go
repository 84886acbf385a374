// Package protobuf makes codecs of Protobuf messages whose state survives another message
// type: what was written by one is read by another as Protobuf reads it, by the numbers of fields. A
// field may be added, renamed or removed, and have another type if both look alike on the wire; what the
// reader does not know it keeps, and writes again.
//
// What Protobuf would read as something else without a word is refused by the schema of the writer, which
// stands in each snapshot: a number that is used again for another type, and a oneof of fields that
// may have been set together, of which only the last would be read.
//
// Two things are Protobuf's own and stay so. A number that does not fit the type it is read as is
// cut (an int64 read as an int32 to its lower 32 bits, as a bool to whether it is 0): types may be
// widened and the version before gone back to, and who narrows one answers for the numbers that
// are stored. And of fields that a version in between did not know, and kept, its schema says nothing.
//
// It is apart from package state so that only programs that use it are linked with Protobuf.
package protobuf

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"weir/state"
)

// language is that of the schemas.
const language = "protobuf"

// Codec encodes messages of type M, of generated code or of dynamicpb. It is safe for concurrent use.
type Codec[M proto.Message] struct {
	name   string
	make   func() M
	stored state.Schema
}

// New returns the codec called name of version of a job, counted from 1, that writes the messages
// that empty makes. Give each type that writes another encoding another version.
func New[M proto.Message](name string, version uint32, empty func() M) (*Codec[M], error) {
	if name == "" || version == 0 {
		return nil, errors.New("protobuf codec: it needs a name, and a version of at least 1")
	}
	return &Codec[M]{
		name:   fmt.Sprintf("%s/%d", name, version),
		make:   empty,
		stored: state.Schema{Version: version, Language: language, Text: describe(empty().ProtoReflect().Descriptor())},
	}, nil
}

// Name returns "name/version".
func (c *Codec[M]) Name() string { return c.name }

// FixedSize returns 0.
func (c *Codec[M]) FixedSize() int { return 0 }

// Schema returns the schema that is written, as it is stored.
func (c *Codec[M]) Schema() state.Schema { return c.stored }

// Append appends the encoding of m, entries of maps in order. A message without a required field is a bug
// of the job, and panics.
func (c *Codec[M]) Append(dst []byte, m M) []byte {
	dst, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, m)
	if err != nil {
		panic(fmt.Sprintf("protobuf codec %s: %v", c.name, err))
	}
	return dst
}

// Decode reads a message, also one that another version has written.
func (c *Codec[M]) Decode(src []byte) (M, error) {
	m := c.make()
	if err := proto.Unmarshal(src, m); err != nil {
		return m, fmt.Errorf("%w: protobuf codec %s: %w", state.ErrCorrupt, c.name, err)
	}
	return m, nil
}

// Reader compares the messages that were written with those of the codec.
func (c *Codec[M]) Reader(stored state.Schema) (func(src []byte) (M, error), error) {
	if stored.Language != language {
		return nil, fmt.Errorf("%w: version %d of codec %s is written by a codec of %q, and this is one of %q", state.ErrIncompatible, stored.Version, c.name, stored.Language, language)
	}
	writer, err := parse(stored.Text)
	if err != nil {
		return nil, fmt.Errorf("%w: schema of version %d: %w", state.ErrIncompatible, stored.Version, err)
	}
	reader, err := parse(c.stored.Text)
	if err != nil {
		return nil, fmt.Errorf("protobuf codec %s: %w", c.name, err)
	}
	if err := reader.reads(writer); err != nil {
		return nil, fmt.Errorf("%w: version %d of codec %s: %w", state.ErrIncompatible, stored.Version, c.name, err)
	}
	return c.Decode, nil
}
