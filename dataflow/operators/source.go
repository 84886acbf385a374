package operators

import (
	"errors"
	"fmt"

	"weir/dataflow"
	"weir/id"
)

// Partition is one partition of a bounded, replayable log of records. It is
// random access: reading a range again gives the same records.
type Partition interface {
	// Len returns the number of records in the partition.
	Len() id.Offset
	// Read emits the records with offsets from, from+1, ..., from+n-1 to out, all
	// of which exist. It returns the event time that no later record of the
	// partition is older than, or dataflow.NoWatermark if it knows none. One call
	// per batch is the only indirection: the loop over records is the partition's.
	Read(from id.Offset, n int, out *dataflow.Output) (watermark int64)
}

// Source is the source operator over one partition of a replayable log. It
// emits on output port 0.
type Source struct {
	open func(index, of int) (Partition, error)
	ctx  *dataflow.Context
	part Partition
	out  *dataflow.Output
	next id.Offset
}

// NewSource returns a source that opens partition index of so many: by the
// convention of all workloads, the records with sequence mod of = index.
func NewSource(open func(index, of int) (Partition, error)) *Source { return &Source{open: open} }

// Open opens the partition of this instance.
func (s *Source) Open(c *dataflow.Context) error {
	part, err := s.open(c.Info().Index, c.Info().Parallelism)
	if err != nil {
		return fmt.Errorf("source partition %d of %d: %w", c.Info().Index, c.Info().Parallelism, err)
	}
	s.ctx, s.part, s.out = c, part, c.Out(0)
	return nil
}

// Process fails: a source has no input.
func (s *Source) Process(int, *dataflow.Buffer) error {
	return errors.New("a source takes no input")
}

// Finish does nothing: everything was emitted.
func (s *Source) Finish() error { return nil }

// Emit emits at most most records and the watermark behind them.
func (s *Source) Emit(most int) (done bool, err error) {
	end := s.part.Len()
	n := int(min(end-s.next, id.Offset(max(most, 0))))
	if n > 0 {
		wm := s.part.Read(s.next, n, s.out)
		s.next += id.Offset(n)
		if wm != dataflow.NoWatermark {
			s.ctx.AdvanceWatermark(wm)
		}
	}
	return s.next == end, nil
}

// Offset returns the number of records handed out before the next one.
func (s *Source) Offset() id.Offset { return s.next }

// Seek sets the next record. An offset behind the end of the partition is an
// error: the input is not the one that the offset was taken from.
func (s *Source) Seek(o id.Offset) error {
	if end := s.part.Len(); o > end {
		return fmt.Errorf("source: offset %d lies behind the partition's end at %d: the input has changed since the snapshot", o, end)
	}
	s.next = o
	return nil
}
