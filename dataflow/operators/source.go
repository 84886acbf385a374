package operators

import (
	"errors"
	"fmt"

	"weir/dataflow"
	"weir/id"
)

// Partition is what one split of a source holds: a bounded, replayable log of
// records. It is random access: reading a range again gives the same records.
type Partition interface {
	// Len returns the number of records in the partition.
	Len() id.Offset
	// Read emits the records with offsets from, from+1, ..., from+n-1 to out, all
	// of which exist. It returns the event time that no later record of the
	// partition is older than, or dataflow.NoWatermark if it knows none. One call
	// per batch is the only indirection: the loop over records is the partition's.
	Read(from id.Offset, n int, out *dataflow.Output) (watermark int64)
}

// Source is the source operator over splits of a replayable log. It emits on
// output port 0.
type Source struct {
	open   func(index, of int) (Partition, error)
	ctx    *dataflow.Context
	out    *dataflow.Output
	splits []reading
	last   int // of splits: read last
}

// reading is a split that is being read.
type reading struct {
	index     int
	partition Partition
	next      id.Offset
}

// NewSource returns a source that opens what split index of so many holds: by the
// convention of all workloads, the records with sequence mod of = index.
func NewSource(open func(index, of int) (Partition, error)) *Source { return &Source{open: open} }

// Open finds the output.
func (s *Source) Open(c *dataflow.Context) error {
	s.ctx, s.out = c, c.Out(0)
	return nil
}

// Process fails: a source has no input.
func (s *Source) Process(int, *dataflow.Buffer) error {
	return errors.New("a source takes no input")
}

// Finish does nothing: everything was emitted.
func (s *Source) Finish() error { return nil }

// Seek opens a split at an offset. One behind the end of the split is an error:
// the input is not the one that the offset was taken from.
func (s *Source) Seek(split int, o id.Offset) error {
	of := s.ctx.Info().Splits
	x, err := s.open(split, of)
	if err != nil {
		return fmt.Errorf("source: split %d of %d: %w", split, of, err)
	}
	if end := x.Len(); o > end {
		return fmt.Errorf("source: split %d of %d: offset %d lies behind its end at %d: the input has changed since the snapshot", split, of, o, end)
	}
	s.splits = append(s.splits, reading{split, x, o})
	return nil
}

// Emit emits at most most records of a split.
func (s *Source) Emit(split, most int) (dataflow.Batch, error) {
	x := s.find(split)
	if x == nil {
		return dataflow.Batch{}, fmt.Errorf("source: split %d was never opened", split)
	}
	end := x.partition.Len()
	b := dataflow.Batch{Records: int(min(end-x.next, id.Offset(max(most, 0)))), Watermark: dataflow.NoWatermark}
	if b.Records > 0 {
		b.Watermark = x.partition.Read(x.next, b.Records, s.out)
		x.next += id.Offset(b.Records)
	}
	b.Done = x.next == end
	return b, nil
}

// find looks for a split from the one behind the last on: they are read in turn.
func (s *Source) find(split int) *reading {
	for range s.splits {
		if s.splits[s.last].index == split {
			return &s.splits[s.last]
		}
		s.last = (s.last + 1) % len(s.splits)
	}
	return nil
}
