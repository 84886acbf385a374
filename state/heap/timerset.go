package heap

import (
	"encoding/binary"
	"fmt"

	"weir/state"
	"weir/state/timers"
)

// timerSet is a set of timers: a tree per key group, copied on write once a
// capture has taken a copy.
type timerSet struct {
	d      state.Descriptor
	groups state.GroupRange
	*timers.Queue
}

var _ state.Timers = (*timerSet)(nil)

func newTimerSet(d state.Descriptor, groups state.GroupRange) *timerSet {
	return &timerSet{d, groups, timers.New(groups)}
}

func (t *timerSet) Set(at int64, k state.Key) {
	if k.Group < t.groups.Lo || k.Group >= t.groups.Hi {
		panic(fmt.Sprintf("heap: key group %d outside the store's [%d, %d)", k.Group, t.groups.Lo, t.groups.Hi))
	}
	t.Add(k.Group, at, k.Bytes)
}

func (t *timerSet) Cancel(at int64, k state.Key) { t.Remove(k.Group, at, k.Bytes) }

func (t *timerSet) Pop(until int64) (at int64, key []byte, ok bool) {
	first, _, ok := t.Queue.First()
	if !ok || first.At > until {
		return 0, nil, false
	}
	t.Queue.Pop()
	return first.At, first.Key, true
}

func (t *timerSet) First() (at int64, ok bool) {
	first, _, ok := t.Queue.First()
	return first.At, ok
}

func (t *timerSet) Range(f func(at int64, k state.Key) bool) {
	t.Queue.Range(func(in uint16, x timers.Timer) bool {
		return f(x.At, state.Key{Hash: state.HashBytes(x.Key), Group: in, Bytes: x.Key})
	})
}

func (t *timerSet) descriptor() state.Descriptor { return t.d }
func (t *timerSet) logicalBytes() int64          { return t.Bytes() }
func (t *timerSet) sum() uint64                  { return t.Sum(t.d.Name) }

// addTimers notes the trees of all groups, or encodes so few timers at once.
func (c *capture) addTimers(i int, t *timerSet) {
	small := part{}
	few := t.Len() <= smallEntries
	t.Each(func(in uint16, tree *timers.Tree) {
		if !few {
			c.parts = append(c.parts, part{table: i, layout: layoutTimers, group: in, n: tree.Len(), timers: tree.Copy()})
			return
		}
		tree.Scan(func(x timers.Timer) bool {
			start := len(small.bytes)
			small.bytes = appendTimer(small.bytes, x)
			small.count(i, layoutTimers, in, len(small.bytes)-start)
			return true
		})
	})
	if few && t.Len() > 0 {
		c.parts = append(c.parts, small)
	}
}

func appendTimer(dst []byte, t timers.Timer) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(t.At))
	dst = binary.AppendUvarint(dst, uint64(len(t.Key)))
	return append(dst, t.Key...)
}

func (p *part) encodeTimers(dst []byte, limit int) []byte {
	if !p.began {
		due := p.timers.Iter()
		p.began, p.due = true, &due
		p.due.First()
	}
	for p.n > 0 && len(dst) < limit {
		dst = appendTimer(dst, p.due.Item())
		p.n--
		p.due.Next()
	}
	return dst
}

func (x *run) loadTimers(t *timerSet, src []byte) error {
	for range x.count {
		if len(src) < timers.TimeBytes {
			return errEnds
		}
		at := int64(binary.LittleEndian.Uint64(src))
		var size [1]int
		var ok bool
		if src, ok = lengths(src[timers.TimeBytes:], size[:]); !ok {
			return errEnds
		}
		if !t.Add(x.group, at, src[:size[0]]) {
			return errTwice
		}
		src = src[size[0]:]
	}
	if len(src) > 0 {
		return errEnds
	}
	return nil
}
