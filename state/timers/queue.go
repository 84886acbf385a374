package timers

import (
	"fmt"

	"weir/state"
)

// Queue is a set of timers that can be stored. It belongs to one goroutine. A key
// of another task's group is a bug of the caller and panics.
type Queue struct {
	order
	groups state.GroupRange
	sizes  Sizes
	log    log
}

var _ state.Timers = (*Queue)(nil)

// Sizes are the bounds by which snapshots of a set are laid out.
type Sizes struct {
	// Inline: a set of at most as many bytes of keys and times is written as a
	// whole, into the manifest of each snapshot.
	Inline int64
	// Segment is the size in bytes at which a segment ends and the next begins.
	Segment int64
	// Segments is how many of less than half that size a snapshot refers to.
	Segments int
}

// Usual are the sizes of a job, Simulated those of a simulation, whose tasks have
// few timers: small, so that all that happens with many happens with few.
var (
	Usual     = Sizes{Inline: 4 << 10, Segment: 1 << 20, Segments: 512}
	Simulated = Sizes{Inline: 96, Segment: 16 << 10, Segments: 12}
)

// New returns an empty set for a range of key groups.
func New(groups state.GroupRange, sizes Sizes) *Queue {
	return &Queue{order: *newOrder(groups), groups: groups, sizes: sizes, log: newLog()}
}

// Set implements state.Timers.
func (s *Queue) Set(at int64, k state.Key) {
	if k.Group < s.groups.Lo || k.Group >= s.groups.Hi {
		panic(fmt.Sprintf("timers: key group %d outside the store's [%d, %d)", k.Group, s.groups.Lo, s.groups.Hi))
	}
	if t, added := s.add(k.Group, Timer{at, k.Bytes, s.log.now}); added {
		s.log.set(k.Group, t)
	}
}

// Cancel implements state.Timers.
func (s *Queue) Cancel(at int64, k state.Key) {
	if t, there := s.remove(k.Group, Timer{At: at, Key: k.Bytes}); there {
		s.log.cancelled(k.Group, t)
	}
}

// Pop implements state.Timers.
func (s *Queue) Pop(until int64) (at int64, group uint16, key []byte, ok bool) {
	t, in, ok := s.first()
	if !ok || t.At > until {
		return 0, 0, nil, false
	}
	s.pop()
	s.log.fired(in, t)
	return t.At, in, t.Key, true
}

// First implements state.Timers.
func (s *Queue) First() (at int64, ok bool) {
	t, _, ok := s.first()
	return t.At, ok
}

// Range implements state.Timers.
func (s *Queue) Range(f func(at int64, k state.Key) bool) {
	s.all(func(in uint16, t Timer) bool {
		return f(t.At, state.Key{Hash: state.HashBytes(t.Key), Group: in, Bytes: t.Key})
	})
}

// Len implements state.Timers.
func (s *Queue) Len() int { return s.n }

// Bytes returns the bytes of all keys and times.
func (s *Queue) Bytes() int64 { return s.bytes }

// Sum returns the part of Store.Sum of timers called name.
func (s *Queue) Sum(name string) uint64 {
	var sum uint64
	s.all(func(_ uint16, t Timer) bool {
		sum += state.SumTimer(name, t.At, t.Key)
		return true
	})
	return sum
}

// Changed counts bytes of keys and times: of timers set, and of those gone that
// an earlier snapshot may hold. One that is set and fires between two snapshots
// leaves no trace.
func (s *Queue) Changed() int64 { return s.log.changed }
