package reachability

import (
	"encoding/binary"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// kind is what a source record is.
type kind uint64

const (
	aRoot  kind = iota // a is the root, b its node
	anEdge             // from node a to node b
	aQuery             // does root a reach node b?
)

const recordBytes = 32

// event is a source record.
type event struct {
	seq  uint64
	kind kind
	a, b uint64
}

// event returns the record of a sequence number.
func (s *settings) event(seq uint64) event {
	h := state.HashUint64(seq ^ uint64(s.seed)<<32)
	a, b := h>>8, state.HashUint64(h)
	nodes, roots := uint64(s.nodes), uint64(s.roots)
	switch {
	case seq < roots:
		return event{seq, aRoot, seq, b % nodes}
	case h%8 == 0:
		return event{seq, aQuery, a % roots, b % nodes}
	default:
		return event{seq, anEdge, a % nodes, b % nodes}
	}
}

func (e event) encode(dst []byte) {
	binary.LittleEndian.PutUint64(dst, e.seq)
	binary.LittleEndian.PutUint64(dst[8:], uint64(e.kind))
	binary.LittleEndian.PutUint64(dst[16:], e.a)
	binary.LittleEndian.PutUint64(dst[24:], e.b)
}

func decode(rec []byte) event {
	return event{
		binary.LittleEndian.Uint64(rec), kind(binary.LittleEndian.Uint64(rec[8:])),
		binary.LittleEndian.Uint64(rec[16:]), binary.LittleEndian.Uint64(rec[24:]),
	}
}

// partition is a split: it holds the records first, first+step, first+2*step, ...
type partition struct {
	settings    settings
	first, step uint64
	record      [recordBytes]byte
}

// Len returns the number of records.
func (p *partition) Len() id.Offset {
	n := uint64(p.settings.numEvents)
	if p.first >= n {
		return 0
	}
	return id.Offset((n - p.first + p.step - 1) / p.step)
}

// Read emits records.
func (p *partition) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	seq := p.first + uint64(from)*p.step
	for ; n > 0; n-- {
		p.settings.event(seq).encode(p.record[:])
		out.Emit(p.record[:])
		seq += p.step
	}
	return dataflow.NoWatermark
}
