package dataflow

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tidwall/btree"

	"weir/state"
)

// timers is the set of event-time timers of a task, ordered by (at, key).
type timers struct {
	tree *btree.BTreeG[timer]
}

type timer struct {
	at  int64
	key []byte
}

func timerLess(a, b timer) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	return bytes.Compare(a.key, b.key) < 0
}

func (s *timers) set(at int64, key []byte) {
	if s.tree == nil {
		s.tree = btree.NewBTreeGOptions(timerLess, btree.Options{NoLocks: true})
	}
	probe := timer{at, key}
	if _, ok := s.tree.Get(probe); !ok {
		probe.key = bytes.Clone(key)
		s.tree.Set(probe)
	}
}

func (s *timers) cancel(at int64, key []byte) {
	if s.tree != nil {
		s.tree.Delete(timer{at, key})
	}
}

// due removes and returns the first timer at or before wm.
func (s *timers) due(wm int64) (timer, bool) {
	if s.tree == nil {
		return timer{}, false
	}
	first, ok := s.tree.Min()
	if !ok || first.at > wm {
		return timer{}, false
	}
	s.tree.PopMin()
	return first, true
}

func (s *timers) len() int {
	if s.tree == nil {
		return 0
	}
	return s.tree.Len()
}

func (s *timers) encode(dst []byte) []byte {
	dst = appendUvarint(dst, uint64(s.len()))
	if s.tree != nil {
		s.tree.Scan(func(t timer) bool {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(t.at))
			dst = AppendRecord(dst, t.key)
			return true
		})
	}
	return dst
}

func (s *timers) decode(src []byte) error {
	r := state.NewReader(src)
	for range r.Count(9) {
		at, key := int64(r.Uint64()), r.Bytes()
		if r.Err() == nil {
			s.set(at, key)
		}
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("timers: %w", err)
	}
	return nil
}
