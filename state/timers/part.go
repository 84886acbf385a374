package timers

import (
	"bytes"
	"encoding/binary"
	"math"

	"weir/state"
)

// Part is what the manifest of a snapshot says of one set, and its files.
type Part struct {
	timers int
	inline []byte // the entries of a small set; no segments then
	list   []segment
}

// Append appends the encoding of p, without the names of its files:
//
//	number of timers, entries of a small set (bytes), number of segments; each:
//	entries, bytes of keys and times, what has fired: 0 nothing, 1 as of the
//	segment before, 2 and time (8 bytes) and key (bytes) of the last
func (p *Part) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(p.timers))
	dst = state.AppendBytes(dst, p.inline)
	dst = binary.AppendUvarint(dst, uint64(len(p.list)))
	for i := range p.list {
		s := &p.list[i]
		dst = binary.AppendUvarint(dst, uint64(s.entries))
		dst = binary.AppendUvarint(dst, uint64(s.bytes))
		switch {
		case !s.fired.some:
			dst = append(dst, firedNone)
		case i > 0 && p.list[i-1].fired.covers(s.fired.Timer) && s.fired.covers(p.list[i-1].fired.Timer):
			dst = append(dst, firedSame)
		default:
			dst = state.AppendTime(append(dst, firedNew), s.fired.At)
			dst = state.AppendBytes(dst, s.fired.Key)
		}
	}
	return dst
}

const (
	firedNone = iota
	firedSame
	firedNew
)

const leastSegmentBytes = 3

// Files returns the files of p; the slice is the caller's.
func (p *Part) Files() []state.FileRef {
	refs := make([]state.FileRef, len(p.list))
	for i := range p.list {
		refs[i] = p.list[i].ref
	}
	return refs
}

// DecodePart reads what Append has written; r has the error. The files of p are
// set by Place.
func DecodePart(r *state.Reader) *Part {
	p := &Part{timers: int(min(r.Uvarint(), math.MaxInt32)), inline: r.Bytes()}
	p.list = make([]segment, r.Count(leastSegmentBytes))
	for i := range p.list {
		s := &p.list[i]
		s.entries, s.bytes = int(r.Size()), r.Size()
		switch b := r.Byte(); {
		case b == firedNone:
		case b == firedSame && i > 0:
			s.fired = p.list[i-1].fired
		case b == firedNew:
			if at := r.Raw(TimeBytes); at != nil {
				s.fired = bound{true, Timer{At: state.TimeOf(at), Key: bytes.Clone(r.Bytes())}}
			}
		default:
			r.Fail("what has fired of segment %d: %d", i, b)
		}
	}
	if len(p.inline) > 0 && len(p.list) > 0 {
		r.Fail("timers both in the manifest and in %d segments", len(p.list))
	}
	return p
}

// Segments returns the number of files of p.
func (p *Part) Segments() int { return len(p.list) }

// Place tells p its files: as many as it has segments, in order.
func (p *Part) Place(files []state.FileRef) {
	for i := range p.list {
		p.list[i].ref = files[i]
	}
}
