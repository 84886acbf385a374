package sessions

import (
	"fmt"
	"math"

	"weir/state"
	"weir/workloads"
)

const (
	step   = 10 // of event time, from record to record
	jitter = 50 // how far a record that is not late may be behind that
)

type settings struct{ numEvents, keys, gap, lateness, latePercent, seed int64 }

func defaults() settings {
	return settings{numEvents: 1000, keys: 100, gap: 1000, lateness: 500, latePercent: 5}
}

func (s *settings) list() []workloads.Setting {
	const most = 1 << 40
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, most),
		workloads.Integer("keys", &s.keys, 1, 1<<28),
		workloads.Integer("gap", &s.gap, 1, most),
		workloads.Integer("lateness", &s.lateness, 0, most),
		workloads.Integer("latePercent", &s.latePercent, 0, 50),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
	}
}

func (s *settings) validate() error {
	if s.lateness == 0 && s.latePercent > 0 {
		return fmt.Errorf("sessions: latePercent=%d of the records are to be late by no more than is allowed, and lateness=0 allows nothing: raise lateness, or set latePercent=0", s.latePercent)
	}
	return nil
}

// draw returns a number below n that belongs to a record and a purpose.
func (s *settings) draw(seq, purpose, n uint64) uint64 {
	return state.HashUint64(state.HashUint64(seq^uint64(s.seed)<<32)+purpose) % n
}

// key returns the key of a record.
func (s *settings) key(seq uint64) uint64 { return s.draw(seq, 1, uint64(s.keys)) }

// promised is the watermark that the source of a record has promised before it.
func promised(seq uint64) int64 { return int64(seq)*step - jitter }

// time returns the event time of a record.
func (s *settings) time(seq uint64) int64 {
	kind, late := int64(s.draw(seq, 2, 100)), s.latePercent
	switch {
	case kind < late: // by more than is allowed
		return promised(seq) - s.lateness - 1 - int64(s.draw(seq, 3, uint64(2*s.gap)))
	case kind < 2*late:
		return promised(seq) - 1 - int64(s.draw(seq, 3, uint64(s.lateness)))
	}
	return promised(seq) + 1 + int64(s.draw(seq, 3, jitter))
}

// mayBeGivenUp reports that a record is later than is allowed, if the others are
// where its own split is.
func (s *settings) mayBeGivenUp(seq uint64) bool { return s.time(seq)+s.lateness < promised(seq) }
