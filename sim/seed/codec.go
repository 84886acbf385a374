package seed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// textHeader and binaryMagic begin the two encodings; the number is the version.
const (
	textHeader  = "weir-tape 1"
	binaryMagic = "weirtap1"
)

// String returns the text form.
func (t *Tape) String() string {
	text, _ := t.MarshalText()
	return string(text)
}

// MarshalText returns the tape as lines: a header, then one decision per line
// as STREAM VALUE/N, N being "*" for 2^64, for example
//
//	weir-tape 1
//	link.delay/0/3 2/5
//	crash 1/2
//
// A name with other characters than letters, digits and ". _ -" is quoted as a Go
// string. The error is always nil.
func (t *Tape) MarshalText() ([]byte, error) {
	labels := make([][]byte, len(t.streams))
	for i, s := range t.streams {
		labels[i] = appendStream(nil, s.name, s.keys)
	}
	b := append([]byte(textHeader), '\n')
	for _, d := range t.decisions {
		b = append(b, labels[d.Stream]...)
		b = append(b, ' ')
		b = strconv.AppendUint(b, d.Value, 10)
		b = append(b, '/')
		if d.N == 0 {
			b = append(b, '*')
		} else {
			b = strconv.AppendUint(b, d.N, 10)
		}
		b = append(b, '\n')
	}
	return b, nil
}

func appendStream(b []byte, name string, keys []uint64) []byte {
	if plainName(name) {
		b = append(b, name...)
	} else {
		b = strconv.AppendQuote(b, name)
	}
	for _, k := range keys {
		b = append(b, '/')
		b = strconv.AppendUint(b, k, 10)
	}
	return b
}

func plainName(name string) bool {
	for i := range len(name) {
		if !plainByte(name[i]) {
			return false
		}
	}
	return name != ""
}

func plainByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// ParseTape reads the text form. Empty lines and lines that begin with "#" are
// skipped. An error names the line and column, counted from 1.
func ParseTape(text string) (*Tape, error) {
	t := new(Tape)
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return nil, err
	}
	return t, nil
}

// UnmarshalText replaces the tape by the one in text; see [ParseTape]. After
// an error the tape is unchanged.
func (t *Tape) UnmarshalText(text []byte) error {
	b := newBuilder()
	header, n := false, 0
	for line := range strings.SplitSeq(string(text), "\n") {
		n++
		line = strings.TrimSuffix(line, "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		if !header {
			if line != textHeader {
				return fmt.Errorf("tape line %d, column 1: found %q, want the header %q", n, clip(line), textHeader)
			}
			header = true
			continue
		}
		if column, err := b.line(line); err != nil {
			return fmt.Errorf("tape line %d, column %d: %w", n, column+1, err)
		}
	}
	if !header {
		return fmt.Errorf("tape line 1, column 1: empty, want the header %q", textHeader)
	}
	*t = b.tape
	return nil
}

// builder assembles a tape from decisions whose streams are named each time.
type builder struct {
	tape  Tape
	known map[uint64]int32
}

func newBuilder() *builder { return &builder{known: make(map[uint64]int32)} }

// line adds the decision of one line. An error comes with the byte it is about.
func (b *builder) line(line string) (column int, err error) {
	name, keys, at, err := parseStream(line)
	if err != nil {
		return at, err
	}
	if at >= len(line) || line[at] != ' ' {
		return at, errors.New("want a space and VALUE/N after the stream")
	}
	at++
	v, n, past, err := parseDecision(line[at:])
	if err != nil {
		return at + past, err
	}
	b.tape.decisions = append(b.tape.decisions, Decision{Stream: b.stream(name, keys), N: n, Value: v})
	return 0, nil
}

// stream returns the number of a stream, which is new or was named before.
func (b *builder) stream(name string, keys []uint64) int32 {
	id := identity(name, keys)
	s, ok := b.known[id]
	if !ok {
		s = b.tape.addStream(id, name, keys)
		b.known[id] = s
	}
	return s
}

// parseDecision reads VALUE/N. An error comes with the byte it is about.
func parseDecision(text string) (v, n uint64, at int, err error) {
	value, bound, ok := strings.Cut(text, "/")
	if !ok {
		return 0, 0, 0, fmt.Errorf("decision %q: want VALUE/N, for example 2/5", clip(text))
	}
	v, err = strconv.ParseUint(value, 10, 64)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("value %q: want a number from 0 to 2^64-1", clip(value))
	}
	if bound == "*" {
		return v, 0, 0, nil
	}
	n, err = strconv.ParseUint(bound, 10, 64)
	if err != nil || n == 0 {
		return 0, 0, len(value) + 1, fmt.Errorf("bound %q: want a number from 1 to 2^64-1, or * for 2^64", clip(bound))
	}
	if v >= n {
		return 0, 0, 0, fmt.Errorf("value %d is not below its bound %d", v, n)
	}
	return v, n, 0, nil
}

// parseStream reads NAME/KEY/KEY... from the beginning of line and returns
// where it ends, or where it went wrong.
func parseStream(line string) (name string, keys []uint64, end int, err error) {
	if line[0] == '"' {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", nil, 0, errors.New("quoted stream name: want a Go string with its closing quote")
		}
		name, _ = strconv.Unquote(quoted)
		end = len(quoted)
	} else {
		for end < len(line) && plainByte(line[end]) {
			end++
		}
		if end == 0 {
			return "", nil, 0, fmt.Errorf("%q begins no stream name: quote it if it has other characters than letters, digits and . _ -", line[0])
		}
		name = line[:end]
	}
	for end < len(line) && line[end] == '/' {
		digits := end + 1
		for digits < len(line) && '0' <= line[digits] && line[digits] <= '9' {
			digits++
		}
		k, err := strconv.ParseUint(line[end+1:digits], 10, 64)
		if err != nil {
			return "", nil, end + 1, fmt.Errorf("key %q of stream %s: want a number from 0 to 2^64-1", clip(line[end+1:digits]), name)
		}
		keys = append(keys, k)
		end = digits
	}
	return name, keys, end, nil
}

// clip keeps error messages readable when the input is not a tape at all.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// MarshalBinary returns the compact form: a magic number, the streams, the
// decisions as variable-length integers, and a CRC-32 of all before it. The error
// is always nil.
func (t *Tape) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 64+4*len(t.decisions))
	b = binary.AppendUvarint(b, uint64(len(t.streams)))
	for _, s := range t.streams {
		b = binary.AppendUvarint(b, uint64(len(s.name)))
		b = append(b, s.name...)
		b = binary.AppendUvarint(b, uint64(len(s.keys)))
		for _, k := range s.keys {
			b = binary.AppendUvarint(b, k)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(t.decisions)))
	for _, d := range t.decisions {
		b = binary.AppendUvarint(b, uint64(d.Stream))
		b = binary.AppendUvarint(b, d.N)
		b = binary.AppendUvarint(b, d.Value)
	}
	return sealed(b), nil
}

// sealed puts the magic number before the body and the checksum behind it.
func sealed(body []byte) []byte {
	b := append(make([]byte, 0, len(binaryMagic)+len(body)+4), binaryMagic...)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// UnmarshalBinary replaces the tape by the one encoded in data, of which it
// keeps nothing. After an error, which says what is wrong with the data, the tape is
// unchanged.
func (t *Tape) UnmarshalBinary(data []byte) error {
	if len(data) < len(binaryMagic) || string(data[:len(binaryMagic)]) != binaryMagic {
		return fmt.Errorf("tape: does not begin with %q: not a binary tape, or one of another version", binaryMagic)
	}
	body := len(data) - 4
	if body < len(binaryMagic) || crc32.ChecksumIEEE(data[:body]) != binary.LittleEndian.Uint32(data[body:]) {
		return fmt.Errorf("tape: checksum of its %d bytes does not match: truncated or damaged", len(data))
	}
	d := &decoder{rest: data[len(binaryMagic):body]}
	b := newBuilder()
	for range d.count("streams", 2) {
		d.stream(b)
	}
	n := d.count("decisions", 3)
	b.tape.decisions = make([]Decision, 0, n)
	for range n {
		d.decision(b)
	}
	if d.err == nil && len(d.rest) > 0 {
		d.fail("%d bytes after the last decision", len(d.rest))
	}
	if d.err != nil {
		return d.err
	}
	*t = b.tape
	return nil
}

// decoder reads the binary form; after the first error it reads zeros.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("tape: "+format, args...)
	}
	d.rest = nil
}

func (d *decoder) uvarint(what string) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail("%s: not a variable-length integer", what)
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count reads a number of things that take at least size bytes each, so that
// damaged input cannot ask for more memory than it has itself.
func (d *decoder) count(what string, size int) int {
	n := d.uvarint("number of " + what)
	if n > uint64(len(d.rest)/size) {
		d.fail("%d %s in %d bytes", n, what, len(d.rest))
		return 0
	}
	return int(n)
}

func (d *decoder) stream(b *builder) {
	length := d.count("bytes of a stream name", 1)
	name := string(d.rest[:length])
	d.rest = d.rest[length:]
	keys := make([]uint64, d.count("keys", 1))
	for i := range keys {
		keys[i] = d.uvarint("key")
	}
	id := identity(name, keys)
	if _, dup := b.known[id]; dup {
		d.fail("stream %s is listed twice", appendStream(nil, name, keys))
		return
	}
	b.known[id] = b.tape.addStream(id, name, keys)
}

func (d *decoder) decision(b *builder) {
	s, n, v := d.uvarint("stream number"), d.uvarint("bound"), d.uvarint("value")
	switch {
	case d.err != nil:
	case s >= uint64(len(b.tape.streams)):
		d.fail("stream number %d of %d", s, len(b.tape.streams))
	case n != 0 && v >= n:
		d.fail("value %d is not below its bound %d", v, n)
	default:
		b.tape.decisions = append(b.tape.decisions, Decision{Stream: int32(s), N: n, Value: v})
	}
}
