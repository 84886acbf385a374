package changelog

import (
	"fmt"
	"slices"
	"sync/atomic"

	"weir/id"
	"weir/state"
)

// DefaultSegmentBytes is how much is noted before a segment is made between snapshots.
const DefaultSegmentBytes = 1 << 20

// Config is how the log of one task is written.
type Config struct {
	// Groups are the key groups of the store.
	Groups state.GroupRange
	// SegmentBytes: with as many noted a segment is made. 0: DefaultSegmentBytes.
	SegmentBytes int
	// Deliberate mistakes. Gap: the log is cut at the materialisation that was begun last, not at
	// the one that the snapshot refers to. Late: the entry noted last is left for the segment behind a
	// snapshot. Forgets: segments that are overtaken are listed by no snapshot any more. Group: the removal of a timer that fires is in the key group of the one before.
	Gap, Late, Forgets, Group bool
}

// fewestSegments is how many segments' bytes the log has at least before the next materialisation.
const fewestSegments = 4

// Store is a store whose changes are logged. It is used as the store within it is; its captures,
// and what Stream returns, may be carried out on other goroutines.
type Store struct {
	state.Replayer
	cfg Config

	// logging: there is, or will be, a materialisation over which the log is replayed.
	logging bool
	notes   []*notes // in the order in which states were opened
	noted   int      // entries in them
	bytes   int64    // about what a segment of them would have

	next      uint64     // number of the next segment
	segments  []*segment // of the log since the current materialisation
	logged    int64      // bytes of segments
	number    id.Epoch   // of the newest materialisation begun
	current   *materialisation
	begun     []*materialisation // that are not current, in order
	overtaken []*segment
	under     []*ending // captures and streams that have not been settled

	err      error    // of a restore
	prefix   string   // see Begin; "": names of segments begin as those of the snapshot that they are made for
	taken    []taken  // snapshots that may be bases, in order
	released id.Epoch // newest base released
}

var _ state.Store = (*Store)(nil)

// listing is since which snapshot a file is listed by all. 0: not yet.
type listing id.Epoch

// taken is a snapshot, and the materialisation that it refers to or is.
type taken struct {
	epoch id.Epoch
	of    *materialisation
}

// materialisation is a snapshot of the store within.
type materialisation struct {
	number  id.Epoch        // as which that store knows it
	cut     uint64          // the first segment that it does not cover
	base    []state.FileRef // the files of the one that it was begun on
	capture state.Capture
	handle  state.Handle // without operator state; valid when it has ended
	first   listing
	own     bool // it is a snapshot itself: its files are of that one's round
	past    bool // its log was given up
}

// ending is what has to be noted, by the goroutine of the task, when a transfer is over.
type ending struct {
	over     atomic.Bool // written last
	done     bool
	epoch    id.Epoch // of the snapshot, 0: none
	segments []*segment
	of       *materialisation // that it carries out; nil: none
}

// Wrap returns the store s, which has not been used, with a log of its changes. It fails if
// no log can be replayed into it.
func Wrap(s state.Store, c Config) (*Store, error) {
	within, ok := s.(state.Replayer)
	if !ok {
		return nil, fmt.Errorf("changelog: no log can be replayed into a %T", s)
	}
	if c.SegmentBytes == 0 {
		c.SegmentBytes = DefaultSegmentBytes
	}
	return &Store{Replayer: within, cfg: c, next: 1}, nil
}

// Release says that no snapshot before base is asked for as a base again, and that base is complete.
func (s *Store) Release(base id.Epoch) {
	s.settle()
	s.released = max(s.released, base)
	s.taken = slices.DeleteFunc(s.taken, func(t taken) bool { return t.epoch < base })
	s.overtaken = slices.DeleteFunc(s.overtaken, func(f *segment) bool { return f.first.complete(s.released) })
}

// complete reports that a file is listed by a snapshot that is complete.
func (l listing) complete(released id.Epoch) bool { return l != 0 && id.Epoch(l) <= released }

// Begin says how names of what is written between snapshots begin: another way in each attempt, of
// which they must be known to be. A task that goes on in a newer one, whose coordinator lets go of
// what of the older it has no record of, begins a new log.
func (s *Store) Begin(prefix string) {
	again := s.prefix != ""
	s.prefix = prefix
	if again {
		s.renew()
	}
}

func (s *Store) renew() {
	s.settle()
	s.current, s.taken, s.overtaken = nil, nil, nil
	s.segments, s.logged, s.noted, s.bytes, s.logging = nil, 0, 0, 0, false
	for _, m := range s.begun {
		m.past = true
	}
	for _, n := range s.notes {
		n.take(0)
		n.set = nil
	}
}

// Close discards what is under way.
func (s *Store) Close() error {
	for _, m := range s.begun {
		m.capture.Discard()
	}
	s.begun = nil
	return s.Replayer.Close()
}

// settle notes what transfers have come to since the last call.
func (s *Store) settle() {
	left := s.under[:0]
	for _, e := range s.under {
		if !e.over.Load() {
			left = append(left, e)
			continue
		}
		for _, x := range e.segments {
			if e.done {
				x.data = nil
			}
		}
		if i := slices.Index(s.begun, e.of); i >= 0 {
			s.begun = slices.Delete(s.begun, i, i+1)
		}
		switch {
		case !e.done || e.of == nil || e.of.past: // what it has stored goes with the round, or the attempt
		case e.epoch == 0:
			s.adopt(e.of)
		case e.epoch >= s.released:
			s.taken = append(s.taken, taken{e.epoch, e.of})
		}
	}
	clear(s.under[len(left):])
	s.under = left
}

// adopt takes over a materialisation that has ended, if it is newer than the current one, and cuts
// the log there.
func (s *Store) adopt(m *materialisation) {
	switch {
	case s.current == m:
		return
	case s.current != nil && s.current.number > m.number:
		s.overtake(m, m.base) // those are let go by themselves
		return
	case s.current != nil:
		s.overtake(s.current, nil)
	}
	s.current = m
	for len(s.segments) > 0 && s.segments[0].number < m.cut {
		s.logged -= s.segments[0].ref.Size
		if x := s.segments[0]; !s.cfg.Forgets {
			s.overtaken = append(s.overtaken, x)
		}
		s.segments = s.segments[1:]
	}
}

// overtake keeps the files of a materialisation for listing, but for some. Those of one that is a
// snapshot itself are let go with that.
func (s *Store) overtake(m *materialisation, but []state.FileRef) {
	if m.own {
		return
	}
	for _, ref := range m.handle.Files {
		if !slices.Contains(but, ref) {
			s.overtaken = append(s.overtaken, &segment{ref: ref, first: m.first})
		}
	}
}

// Err returns the first error of a restore, or of the store within.
func (s *Store) Err() error {
	if s.err != nil {
		return s.err
	}
	return s.Replayer.Err()
}
