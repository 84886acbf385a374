package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"weir/state"
)

// Text returns the value of an entry as people read it: decoded where the codec is one of
// package state's, else as hexadecimal digits. Where entries expire it says when.
func Text(d state.Descriptor, e *state.KeyedEntry) string {
	switch d.Kind {
	case state.KindTimers:
		return strconv.FormatInt(state.TimeOf(e.Field), 10)
	case state.KindMap:
		fields, values, _ := strings.Cut(d.Codec, "->")
		return decoded(fields, e.Field) + ": " + storedText(d, values, e.Value)
	case state.KindList:
		var all []string
		for rest := e.Value; len(rest) > 0; {
			elem, next, err := state.NextElement(rest)
			if err != nil {
				return fmt.Sprintf("[%s ... %v]", strings.Join(all, " "), err)
			}
			all, rest = append(all, storedText(d, d.Codec, elem)), next
		}
		return "[" + strings.Join(all, " ") + "]"
	default:
		return storedText(d, d.Codec, e.Value)
	}
}

// Versions calls f with the version of each value of an entry: of each element of a list. It
// does nothing for states whose values have no versions.
func Versions(d state.Descriptor, e *state.KeyedEntry, f func(version uint32)) {
	if d.Schemas == "" {
		return
	}
	one := func(b []byte) {
		if d.TTL.Clock != 0 && len(b) >= 8 {
			b = b[8:]
		}
		if v, _, err := state.SplitVersion(b); err == nil {
			f(v)
		}
	}
	if d.Kind != state.KindList {
		one(e.Value)
		return
	}
	for rest := e.Value; len(rest) > 0; {
		elem, next, err := state.NextElement(rest)
		if err != nil {
			return
		}
		one(elem)
		rest = next
	}
}

// versionedText returns a value behind the time at which it expires: that of a state with versions with its own.
func versionedText(d state.Descriptor, codec string, b []byte) string {
	if d.Schemas == "" {
		return decoded(codec, b)
	}
	v, value, err := state.SplitVersion(b)
	if err != nil {
		return decoded("", b)
	}
	return fmt.Sprintf("%s of version %d", decoded("", value), v)
}

// storedText returns a value as a state holds it.
func storedText(d state.Descriptor, codec string, b []byte) string {
	if d.TTL.Clock == 0 || len(b) < 8 {
		return versionedText(d, codec, b)
	}
	text := versionedText(d, codec, b[8:])
	switch at := int64(binary.LittleEndian.Uint64(b)); at {
	case math.MinInt64, math.MaxInt64: // written before any time was known; never
		return text
	default:
		return fmt.Sprintf("%s until %d", text, at)
	}
}

// decoded returns a value of a codec.
func decoded(codec string, b []byte) string {
	switch codec {
	case state.Uint64.Name():
		if v, err := state.Uint64.Decode(b); err == nil {
			return strconv.FormatUint(v, 10)
		}
	case state.Int64.Name():
		if v, err := state.Int64.Decode(b); err == nil {
			return strconv.FormatInt(v, 10)
		}
	case state.String.Name():
		return strconv.Quote(string(b))
	}
	return "0x" + hex.EncodeToString(b)
}

// KeyText returns a key as people read it, and as Keys takes it: one of eight bytes as a
// number unless it is text, others as text or hexadecimal digits.
func KeyText(key []byte) string {
	switch {
	case isText(key):
		return string(key)
	case len(key) == 8:
		return strconv.FormatUint(binary.LittleEndian.Uint64(key), 10)
	}
	return "0x" + hex.EncodeToString(key)
}

// isText tells keys that can be printed and are not read as something else.
func isText(key []byte) bool {
	if len(key) == 0 || !utf8.Valid(key) || bytes.HasPrefix(key, []byte("0x")) || bytes.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return false
	}
	_, err := strconv.ParseUint(string(key), 10, 64)
	return err != nil
}

// Keys returns the keys that a text may mean: 0x and hexadecimal digits are bytes; a
// number is eight bytes little-endian, or its digits; all else is text.
func Keys(text string) ([][]byte, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w; a key is text, a number, or 0x and an even number of hexadecimal digits", text, err)
		}
		return [][]byte{b}, nil
	}
	keys := [][]byte{[]byte(text)}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		keys = append(keys, binary.LittleEndian.AppendUint64(nil, n))
	}
	return keys, nil
}

// Lookup calls f for the entries of a state of an operator under a key.
func (o *Operator) Lookup(name string, keys [][]byte, f func(d state.Descriptor, e state.KeyedEntry)) (err error) {
	c, closed, err := o.Open()
	if err != nil {
		return err
	}
	d := find(c, name)
	if d == nil {
		var known []string
		for _, d := range c.States() {
			known = append(known, d.Name)
		}
		_ = closed()
		return fmt.Errorf("operator %q has no state %q; known: %s", o.Name, name, strings.Join(known, ", "))
	}
	c.Entries(name, func(e state.KeyedEntry) bool {
		for _, k := range keys {
			if bytes.Equal(k, e.Key) {
				f(*d, e)
			}
		}
		return true
	})
	if err := c.Err(); err != nil {
		_ = closed()
		return err
	}
	return closed()
}
