package pebblestate

import (
	"bytes"
	"fmt"

	"weir/state"
	"weir/state/timers"
)

// timerSet is a set of timers: in a queue in memory, and as keys of the database
// that only a restore reads.
type timerSet struct {
	s   *Store
	d   state.Descriptor
	num uint8
	q   *timers.Queue
}

var _ state.Timers = (*timerSet)(nil)

func newTimerSet(s *Store, d state.Descriptor, num uint8) *timerSet {
	return &timerSet{s, d, num, timers.New(s.groups)}
}

func (t *timerSet) dbKey(in uint16, at int64, key []byte) []byte {
	s := t.s
	s.dbKey = append(state.AppendTime(appendKeyHeader(s.dbKey[:0], t.num, in), at), key...)
	return s.dbKey
}

func (t *timerSet) Set(at int64, k state.Key) {
	t.s.check(k)
	if !t.s.failed.Load() && t.q.Add(k.Group, at, k.Bytes) {
		t.s.makeRoom()
		t.s.tree.add(t.dbKey(k.Group, at, k.Bytes))
	}
}

func (t *timerSet) Cancel(at int64, k state.Key) {
	t.s.check(k)
	if !t.s.failed.Load() && t.q.Remove(k.Group, at, k.Bytes) {
		t.forget(k.Group, at, k.Bytes)
	}
}

func (t *timerSet) forget(in uint16, at int64, key []byte) {
	t.s.makeRoom()
	t.s.tree.drop(t.dbKey(in, at, key))
}

func (t *timerSet) Pop(until int64) (at int64, key []byte, ok bool) {
	first, in, ok := t.q.First()
	if !ok || first.At > until || t.s.failed.Load() {
		return 0, nil, false
	}
	t.q.Pop()
	t.forget(in, first.At, first.Key)
	return first.At, first.Key, true
}

func (t *timerSet) First() (at int64, ok bool) {
	first, _, ok := t.q.First()
	return first.At, ok
}

func (t *timerSet) Range(f func(at int64, k state.Key) bool) {
	t.q.Range(func(in uint16, x timers.Timer) bool {
		return f(x.At, state.Key{Hash: state.HashBytes(x.Key), Group: in, Bytes: x.Key})
	})
}

func (t *timerSet) Len() int { return t.q.Len() }

func (t *timerSet) descriptor() state.Descriptor { return t.d }
func (t *timerSet) number() uint8                { return t.num }
func (t *timerSet) renumber(num uint8)           { t.num = num }
func (t *timerSet) sum() uint64                  { return t.q.Sum(t.d.Name) }

// loading is how a restored store reads its timers into memory: it goes through
// the tables and, in each, through the database.
type loading struct {
	table int    // the next one
	from  []byte // database key to go on from in it; empty: from its beginning
}

// step reads about as many timers.
func (l *loading) step(s *Store, most int) (done bool, err error) {
	for l.table < len(s.tables) {
		t, ok := s.tables[l.table].(*timerSet)
		if ok {
			if ended, err := l.read(t, most); err != nil || !ended {
				return false, err
			}
		}
		l.table, l.from = l.table+1, nil
	}
	return true, nil
}

func (l *loading) read(t *timerSet, most int) (ended bool, err error) {
	lower, upper := tableBounds(t.num)
	if len(l.from) > 0 {
		lower = l.from
	}
	n, damaged := 0, false
	err = t.s.scanDatabase(lower, upper, func(key, _ []byte) bool {
		const least = keyHeader + timers.TimeBytes
		if damaged = len(key) < least || groupOf(key) < t.s.groups.Lo || groupOf(key) >= t.s.groups.Hi; damaged {
			return false
		}
		if n++; n > most {
			l.from = bytes.Clone(key)
			return false
		}
		t.q.Add(groupOf(key), state.TimeOf(key[keyHeader:]), key[least:])
		return true
	})
	if damaged {
		err = fmt.Errorf("%w: a database key of timers %q is none", state.ErrCorrupt, t.d.Name)
	}
	return err == nil && n <= most, err
}
