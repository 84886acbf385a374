package operators

import (
	"fmt"

	"weir/dataflow"
)

// Transform maps encoded records one to at most one, without decoding more
// than F needs. It reads every input port and emits on port 0.
type Transform struct {
	// F appends the result for rec to dst and returns it; keep false drops the
	// record. rec is borrowed.
	F func(dst, rec []byte) (out []byte, keep bool)

	out     *dataflow.Output
	scratch []byte
}

// Open prepares the operator.
func (t *Transform) Open(c *dataflow.Context) error {
	t.out = c.Out(0)
	return nil
}

// Process transforms the records of b.
func (t *Transform) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		out, keep := t.F(t.scratch[:0], rec)
		if keep {
			t.out.Emit(out)
		}
		t.scratch = out
	}
	return nil
}

// Finish does nothing.
func (t *Transform) Finish() error { return nil }

// Split sends each record to the output port that Port names; a negative port
// drops it. Records pass byte for byte.
type Split struct {
	Ports int // number of output ports
	Port  func(rec []byte) int

	outs []*dataflow.Output
}

// Open prepares the operator.
func (s *Split) Open(c *dataflow.Context) error {
	for p := range s.Ports {
		s.outs = append(s.outs, c.Out(p))
	}
	return nil
}

// Process distributes the records of b.
func (s *Split) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		p := s.Port(rec)
		if p >= len(s.outs) {
			return fmt.Errorf("split: record of %d bytes for output port %d; there are %d", len(rec), p, len(s.outs))
		}
		if p >= 0 {
			s.outs[p].Emit(rec)
		}
	}
	return nil
}

// Finish does nothing.
func (s *Split) Finish() error { return nil }
