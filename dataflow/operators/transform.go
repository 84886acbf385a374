package operators

import (
	"fmt"

	"weir/dataflow"
	"weir/state"
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

// Map applies F to every record. It reads every input port and emits on port 0.
type Map[I, O any] struct {
	In  state.Codec[I]
	Out state.Codec[O]
	F   func(I) O

	out     *dataflow.Output
	scratch []byte
}

// Open prepares the operator.
func (m *Map[I, O]) Open(c *dataflow.Context) error {
	m.out = c.Out(0)
	return nil
}

// Process maps the records of b.
func (m *Map[I, O]) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		in, err := m.In.Decode(rec)
		if err != nil {
			return fmt.Errorf("map: record of %d bytes: %w", len(rec), err)
		}
		m.scratch = m.Out.Append(m.scratch[:0], m.F(in))
		m.out.Emit(m.scratch)
	}
	return nil
}

// Finish does nothing.
func (m *Map[I, O]) Finish() error { return nil }

// Filter passes on the records for which Keep is true, byte for byte. It reads
// every input port and emits on port 0.
type Filter[T any] struct {
	In   state.Codec[T]
	Keep func(T) bool

	out *dataflow.Output
}

// Open prepares the operator.
func (f *Filter[T]) Open(c *dataflow.Context) error {
	f.out = c.Out(0)
	return nil
}

// Process passes on records of b.
func (f *Filter[T]) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		v, err := f.In.Decode(rec)
		if err != nil {
			return fmt.Errorf("filter: record of %d bytes: %w", len(rec), err)
		}
		if f.Keep(v) {
			f.out.Emit(rec)
		}
	}
	return nil
}

// Finish does nothing.
func (f *Filter[T]) Finish() error { return nil }

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
