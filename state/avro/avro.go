// Package avro makes codecs of Avro schemas whose state survives another schema: what
// was written by one is read by another as the Avro specification resolves the two (fields that
// are added have their default, fields that are gone are skipped, aliases are other names of a
// field, numbers are promoted). The schema of the writer stands in each snapshot, so a
// program reads what a newer one has written if the resolution says so, without having known it.
//
// It is apart from package state so that only programs that use it are linked with Avro.
package avro

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/avro"

	"weir/state"
)

// language is that of the schemas.
const language = "avro"

// Codec encodes values of T, a struct or what else package avro maps a schema to. It is safe
// for concurrent use.
type Codec[T any] struct {
	name   string
	schema *avro.Schema
	stored state.Schema
}

// New returns the codec called name of version of a job, counted from 1, that writes a
// schema in JSON. Give each schema that writes another encoding another version. A schema with maps is
// refused: they have no order of their own, and equal states must have equal bytes.
func New[T any](name string, version uint32, schema string) (*Codec[T], error) {
	text, err := normal(schema)
	var s *avro.Schema
	if err == nil {
		s, err = avro.Parse(schema)
	}
	if err == nil && (name == "" || version == 0) {
		err = errors.New("it needs a name, and a version of at least 1")
	}
	if err != nil {
		return nil, fmt.Errorf("avro codec %q, version %d: %w", name, version, err)
	}
	return &Codec[T]{name: fmt.Sprintf("%s/%d", name, version), schema: s, stored: state.Schema{Version: version, Language: language, Text: text}}, nil
}

// normal returns a schema without what changes no encoding, keys in order: two that say the
// same give the same. Logical types are part of what values mean, and stay.
func normal(schema string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(schema), &v); err != nil {
		return "", fmt.Errorf("schema: %w", err)
	}
	if err := strip(v); err != nil {
		return "", err
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func strip(v any) error {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "map" {
			return errors.New("schema: a map has no order, so that equal values would differ in their bytes: use an array of records")
		}
		for _, word := range []string{"doc", "aliases", "default", "order"} {
			delete(v, word)
		}
		for _, x := range v { //det:unordered the first error of several is as good as another
			if err := strip(x); err != nil {
				return err
			}
		}
	case []any:
		for _, x := range v {
			if err := strip(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// Name returns "name/version".
func (c *Codec[T]) Name() string { return c.name }

// FixedSize returns 0.
func (c *Codec[T]) FixedSize() int { return 0 }

// Schema returns the schema that is written, as it is stored.
func (c *Codec[T]) Schema() state.Schema { return c.stored }

// Append appends the encoding of v. A value that the schema cannot hold is a bug of the job, and panics.
func (c *Codec[T]) Append(dst []byte, v T) []byte {
	dst, err := c.schema.AppendEncode(dst, &v)
	if err != nil {
		panic(fmt.Sprintf("avro codec %s: %v", c.name, err))
	}
	return dst
}

// Decode reads what Append writes.
func (c *Codec[T]) Decode(src []byte) (T, error) { return decode[T](c.name, c.schema, src) }

func decode[T any](name string, s *avro.Schema, src []byte) (v T, err error) {
	rest, err := s.Decode(src, &v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes left over", len(rest))
	}
	if err != nil {
		return v, fmt.Errorf("%w: avro codec %s: %w", state.ErrCorrupt, name, err)
	}
	return v, nil
}

// Reader resolves the schema that values were written by with that of the codec.
func (c *Codec[T]) Reader(stored state.Schema) (func(src []byte) (T, error), error) {
	if stored.Language != language {
		return nil, fmt.Errorf("%w: version %d of codec %s is written by a codec of %q, and this is one of %q", state.ErrIncompatible, stored.Version, c.name, stored.Language, language)
	}
	writer, err := avro.Parse(stored.Text)
	if err != nil {
		return nil, fmt.Errorf("%w: schema of version %d: %w", state.ErrIncompatible, stored.Version, err)
	}
	resolved, err := avro.Resolve(writer, c.schema)
	var differ *avro.CompatibilityError
	if errors.As(err, &differ) {
		return nil, fmt.Errorf("%w: version %d of codec %s: field %q is stored as %s and read as %s: %s",
			state.ErrIncompatible, stored.Version, c.name, differ.Path, orNothing(differ.WriterType), orNothing(differ.ReaderType), differ.Detail)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: version %d of codec %s: %w", state.ErrIncompatible, stored.Version, c.name, err)
	}
	return func(src []byte) (T, error) { return decode[T](c.name, resolved, src) }, nil
}

func orNothing(kind string) string {
	if kind == "" {
		return "nothing"
	}
	return kind
}
