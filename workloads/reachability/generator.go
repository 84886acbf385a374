package reachability

import (
	"encoding/binary"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

// kind is what a source record is.
type kind uint64

const (
	aRoot  kind = iota // a is the root, b its node
	anEdge             // from node a to node b, in versions since to until-1
	aQuery             // does root a reach node b in version since?
)

const recordBytes = 48

// event is a source record.
type event struct {
	seq          uint64
	kind         kind
	a, b         uint64
	since, until uint64
}

// path is how many nodes lie one behind the other, apart from the others, so that
// something goes round long after the input has ended: the edges between them come
// first, and the one that leads to them last.
const path = 12

// onPath returns the edge of the path that a record is; false: it is another record.
func (s *settings) onPath(seq uint64) (e event, ok bool) {
	first, last, nodes := uint64(s.roots), uint64(s.numEvents)-1, uint64(s.nodes)
	e = event{seq: seq, kind: anEdge, until: uint64(s.versions)}
	switch {
	case s.numEvents < 2*(s.roots+path):
		return e, false
	case seq >= first && seq < first+path-1:
		e.a, e.b = nodes+seq-first, nodes+seq-first+1
	case seq == last:
		e.a, e.b = s.event(0).b, nodes
	default:
		return e, false
	}
	return e, true
}

// event returns the record of a sequence number.
func (s *settings) event(seq uint64) event {
	if e, ok := s.onPath(seq); ok {
		return e
	}
	h := state.HashUint64(seq ^ uint64(s.seed)<<32)
	a, b := h>>8, state.HashUint64(h)
	x, y := state.HashUint64(b)%uint64(s.versions), state.HashUint64(b+1)%uint64(s.versions)
	nodes, roots := uint64(s.nodes), uint64(s.roots)
	switch {
	case seq < roots:
		return event{seq: seq, kind: aRoot, a: seq, b: b % nodes}
	case h%8 == 0:
		return event{seq: seq, kind: aQuery, a: a % roots, b: b % nodes, since: x}
	default:
		return event{seq, anEdge, a % nodes, b % nodes, min(x, y), max(x, y) + 1}
	}
}

func (e event) encode(dst []byte) {
	for i, n := range [...]uint64{e.seq, uint64(e.kind), e.a, e.b, e.since, e.until} {
		binary.LittleEndian.PutUint64(dst[8*i:], n)
	}
}

func decode(rec []byte) event {
	return event{number(rec, 0), kind(number(rec, 1)), number(rec, 2), number(rec, 3), number(rec, 4), number(rec, 5)}
}

// open returns a split.
func (s *settings) open(index, of int) (operators.Partition, error) {
	var rec [recordBytes]byte
	emit := func(seq uint64, out *dataflow.Output) {
		s.event(seq).encode(rec[:])
		out.Emit(rec[:])
	}
	return &operators.Numbered{Index: index, Of: of, Records: s.numEvents, Emit: emit, Promise: timeOf}, nil
}

// timeOf is the event time of a record, and what is promised in front of it.
func timeOf(seq uint64) int64 { return int64(seq) * step }

// step is the event time from record to record.
const step = 10
