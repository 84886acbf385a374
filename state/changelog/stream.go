package changelog

import (
	"fmt"
	"slices"

	"weir/state"
)

// Stream is what a store writes between snapshots: segments of the log, or a materialisation.
type Stream struct {
	puts   []state.Op // left to be issued
	within state.Capture
	of     *materialisation
	out    state.Outstanding
	end    *ending
	err    error
}

// Stream returns what there is to be written now, off the processing path; nil: nothing. It is
// to be called between turns of the task, behind Begin, again until it returns nil. At most one
// stream of segments and one of a materialisation are under way.
func (s *Store) Stream() *Stream {
	if !s.logging || s.prefix == "" {
		return nil
	}
	if len(s.under) > 0 {
		s.settle()
	}
	if s.bytes >= int64(s.cfg.SegmentBytes) && !s.streaming() {
		s.seal(s.prefix, 0)
		return s.streamSegments()
	}
	if !s.due() {
		return nil
	}
	m, err := s.materialise(s.prefix, s.current)
	if err != nil {
		return nil // the next snapshot says so too
	}
	return s.stream(&Stream{within: m.capture, of: m, end: &ending{of: m}})
}

// streaming reports that segments are under way that no snapshot waits for.
func (s *Store) streaming() bool {
	return slices.ContainsFunc(s.under, func(e *ending) bool { return e.epoch == 0 && e.of == nil })
}

// streamSegments writes the segments that no transfer was begun for.
func (s *Store) streamSegments() *Stream {
	x := &Stream{end: &ending{}}
	for _, seg := range s.segments {
		if seg.data != nil && !seg.sent {
			seg.sent = true
			x.puts = append(x.puts, seg.put())
			x.end.segments = append(x.end.segments, seg)
		}
	}
	return s.stream(x)
}

func (s *Store) stream(x *Stream) *Stream {
	s.under = append(s.under, x.end)
	return x
}

// due reports that the next materialisation is to begin. The one before it must stand in a
// snapshot that is complete, so that each is listed.
func (s *Store) due() bool {
	return s.current != nil && len(s.begun) == 0 && s.current.first.complete(s.released) &&
		s.logged+s.bytes >= max(s.current.handle.Bytes, fewestSegments*int64(s.cfg.SegmentBytes))
}

// Next implements state.Transfer.
func (x *Stream) Next(results []state.Result) ([]state.Op, bool, error) {
	if x.err != nil || x.end.done {
		return nil, x.end.done, x.err
	}
	var ops []state.Op
	var done bool
	var err error
	if x.within != nil {
		if ops, done, err = x.within.Next(results); done {
			x.of.take(x.within.Handle())
		}
	} else {
		ops, err = step(&x.out, &x.puts, results)
		done = err == nil && len(ops) == 0
	}
	if err != nil {
		x.err = fmt.Errorf("changelog: %w", err)
		return nil, false, x.err
	}
	x.end.done = done
	return ops, done, nil
}

// Discard says that the transfer is over, done or not. Call it on the goroutine of the task, or
// before that hears of the end.
func (x *Stream) Discard() {
	if x.within != nil {
		x.within.Discard()
	}
	x.end.over.Store(true)
}
