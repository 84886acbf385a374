package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Schema is what is stored of an encoding of values, once for each state of a task, so
// that a program of another version can tell whether it reads them, and how.
type Schema struct {
	// Version counts from 1. Each value begins with that of the schema it was written by.
	Version uint32
	// Language is what Text is written in: "fields" of codecs written by hand, "avro", "protobuf".
	Language string
	// Text describes the encoding, in a form in which two programs that write the same say the
	// same: values of two schemas of one text are read alike.
	Text string
}

// sameText tells that values of both have the same encoding.
func (s Schema) sameText(o Schema) bool { return s.Language == o.Language && s.Text == o.Text }

// differs says how what is stored and what is read, of two texts or languages, differ.
func (s Schema) differs(read Schema) string {
	switch {
	case s.Language != read.Language:
		return fmt.Sprintf("stored in the language %q, read in %q", s.Language, read.Language)
	case s.Language != byHand:
		return fmt.Sprintf("stored as %s; read as %s", s.Text, read.Text)
	}
	return differ(s.Text, read.Text)
}

// Schemas is a set of schemas, at most one of each version, in the form in which it is
// stored, so that it can be compared. Empty: values without versions.
type Schemas string

// encodeSchemas: number of schemas; each: version, language, text. Numbers are varints,
// texts have their length before them.
func encodeSchemas(all []Schema) Schemas {
	dst := binary.AppendUvarint(nil, uint64(len(all)))
	for _, s := range all {
		dst = AppendString(AppendString(binary.AppendUvarint(dst, uint64(s.Version)), s.Language), s.Text)
	}
	return Schemas(dst)
}

// readSchemas reads a set as it is stored. It has a schema at least.
func readSchemas(r *Reader) Schemas {
	stored := r.Bytes()
	in := NewReader(stored)
	last := uint32(0)
	n := in.Count(3)
	for range n {
		version := in.Uvarint()
		in.Bytes()
		in.Bytes()
		if version <= uint64(last) || version > math.MaxUint32 {
			in.Fail("version %d behind version %d", version, last)
			break
		}
		last = uint32(version)
	}
	if err := in.Done(); r.err == nil && (err != nil || n == 0) {
		r.Fail("schemas of a state: %d of them: %v", n, err)
		return ""
	}
	return Schemas(stored)
}

// All returns the schemas in order of version.
func (s Schemas) All() []Schema {
	if s == "" {
		return nil
	}
	r := NewReader([]byte(s))
	all := make([]Schema, r.Count(3))
	for i := range all {
		all[i] = Schema{Version: uint32(r.Uvarint()), Language: string(r.Bytes()), Text: string(r.Bytes())}
	}
	return all
}

// merge returns the schemas of both. One version that was written in two ways is an error that
// wraps ErrIncompatible.
func (s Schemas) merge(o Schemas) (Schemas, error) {
	if s == o || o == "" {
		return s, nil
	}
	all := s.All()
	for _, x := range o.All() {
		i, found := slices.BinarySearchFunc(all, x.Version, func(a Schema, v uint32) int {
			if a.Version < v {
				return -1
			}
			return int(min(a.Version-v, 1))
		})
		switch {
		case !found:
			all = slices.Insert(all, i, x)
		case !all[i].sameText(x):
			return s, fmt.Errorf("%w: version %d was written in two ways: %s", ErrIncompatible, x.Version, all[i].differs(x))
		}
	}
	return encodeSchemas(all), nil
}

// Verdict is how what is stored and what a program reads go together.
type Verdict uint8

// The verdicts, the best first.
const (
	Same           Verdict = iota + 1 // the program writes what is stored
	AfterMigration                    // it reads what is stored, and writes something else
	Incompatible                      // it does not
)

// String returns "same", "after migration" or "incompatible".
func (v Verdict) String() string {
	if v >= Same && v <= Incompatible {
		return [...]string{"same", "after migration", "incompatible"}[v-Same]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Evolution is how the values of one state of a task are read and written by a program
// whose codec has versions. It belongs to one goroutine.
type Evolution interface {
	// Writes returns the schema of what is written.
	Writes() Schema
	// Schemas returns the set of that alone.
	Schemas() Schemas
	// Judge says whether values of a schema are read, and has them read from then on. With
	// Incompatible goes an error that wraps ErrIncompatible and names the field that differs, and how.
	Judge(stored Schema) (Verdict, error)
	// Rewrite appends a stored value as it would be written, and says whether that is something else.
	Rewrite(dst, stored []byte) (rewritten []byte, changed bool)
}

// judge is the worst verdict on any of the schemas.
func judge(e Evolution, stored Schemas) (worst Verdict, err error) {
	worst = Same
	for _, s := range stored.All() {
		v, err := e.Judge(s)
		if err != nil {
			return Incompatible, err
		}
		worst = max(worst, v)
	}
	return worst, nil
}

// differ says in which field two texts first differ that list fields as "name type", with
// commas between them: by name, wherever they stand, and then by their order.
func differ(stored, read string) string {
	a, b := fieldsOf(stored), fieldsOf(read)
	for _, f := range a {
		i := slices.IndexFunc(b, func(o field) bool { return o.name == f.name })
		switch {
		case i < 0:
			return fmt.Sprintf("field %q, stored as %s, is not known", f.name, f.kind)
		case b[i].kind != f.kind:
			return fmt.Sprintf("field %q is stored as %s and read as %s", f.name, f.kind, b[i].kind)
		}
	}
	for i, f := range b {
		switch {
		case !slices.Contains(a, f):
			return fmt.Sprintf("field %q, read as %s, is not stored", f.name, f.kind)
		case i < len(a) && a[i] != f:
			return fmt.Sprintf("field %q is stored where field %q is read", a[i].name, f.name)
		}
	}
	return "the texts differ, and their fields do not"
}

// field is one of a text.
type field struct{ name, kind string }

func fieldsOf(text string) (all []field) {
	for part := range strings.SplitSeq(text, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(part), " ")
		all = append(all, field{name, kind})
	}
	return all
}
