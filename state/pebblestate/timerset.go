package pebblestate

import (
	"weir/state"
	"weir/state/timers"
)

// timerSet is a set of timers. It is in memory, and stored by package timers in
// segments of its own; the database knows nothing of it.
type timerSet struct {
	s   *Store
	d   state.Descriptor
	num uint8
	*timers.Queue
}

var _ state.Timers = (*timerSet)(nil)

func newTimerSet(s *Store, d state.Descriptor, num uint8) *timerSet {
	sizes := timers.Usual
	if s.backend.cfg.Deterministic {
		sizes = timers.Simulated
	}
	return &timerSet{s, d, num, timers.New(s.groups, sizes)}
}

func (t *timerSet) Set(at int64, k state.Key) {
	t.s.check(k)
	if !t.s.failed.Load() {
		t.Queue.Set(at, k)
	}
}

func (t *timerSet) Cancel(at int64, k state.Key) {
	t.s.check(k)
	if !t.s.failed.Load() {
		t.Queue.Cancel(at, k)
	}
}

func (t *timerSet) Pop(until int64) (at int64, group uint16, key []byte, ok bool) {
	if t.s.failed.Load() {
		return 0, 0, nil, false
	}
	return t.Queue.Pop(until)
}

func (t *timerSet) declared(state.Descriptor)    {}
func (t *timerSet) descriptor() state.Descriptor { return t.d }
func (t *timerSet) number() uint8                { return t.num }
func (t *timerSet) renumber(num uint8)           { t.num = num }
func (t *timerSet) sum() uint64                  { return t.Sum(t.d.Name) }

// timerSets returns the tables that are timers, in order of name.
func (s *Store) timerSets() []*timerSet {
	var sets []*timerSet
	for _, t := range s.tables {
		if t, ok := t.(*timerSet); ok {
			sets = append(sets, t)
		}
	}
	return sets
}
