// Package timers holds the timers of one task in memory: in order of (time, key)
// for whoever fires them, and divided into key groups for whoever stores them.
package timers

import (
	"bytes"

	"github.com/tidwall/btree"

	"weir/state"
)

// Timer is one (time, key). Its key is never written to.
type Timer struct {
	At  int64
	Key []byte
}

func before(a, b Timer) bool {
	if a.At != b.At {
		return a.At < b.At
	}
	return bytes.Compare(a.Key, b.Key) < 0
}

// Tree is the timers of one key group in order.
type Tree = btree.BTreeG[Timer]

// Queue is a set of timers. It belongs to one goroutine; copies of its trees may
// be read by others.
//
// Each key group has a tree of its own, so that a snapshot finds a group's
// timers together. The groups that have timers stand in a binary heap by the
// first of them.
type Queue struct {
	lo     uint16
	groups []group
	heap   []int // of groups, by head
	n      int
	bytes  int64
}

type group struct {
	tree *Tree
	head Timer // the first of tree
	at   int   // place in the heap; -1: no timers
	hint btree.PathHint
}

// TimeBytes is what the time of a timer takes in a database key and counts as.
const TimeBytes = 8

// New returns an empty queue for a range of key groups.
func New(r state.GroupRange) *Queue {
	q := &Queue{lo: r.Lo, groups: make([]group, r.Hi-r.Lo)}
	for i := range q.groups {
		q.groups[i].at = -1
	}
	return q
}

// Len returns the number of timers.
func (q *Queue) Len() int { return q.n }

// Bytes returns the bytes of all keys and times.
func (q *Queue) Bytes() int64 { return q.bytes }

// Add adds a timer, of which it copies the key; false: it is there already.
func (q *Queue) Add(in uint16, at int64, key []byte) bool {
	i := int(in - q.lo)
	g := &q.groups[i]
	t := Timer{at, key}
	if g.tree == nil {
		g.tree = btree.NewBTreeGOptions(before, btree.Options{NoLocks: true})
	} else if _, there := g.tree.GetHint(t, &g.hint); there {
		return false
	}
	t.Key = bytes.Clone(key)
	g.tree.SetHint(t, &g.hint)
	q.n++
	q.bytes += int64(TimeBytes + len(key))
	switch {
	case g.at < 0:
		g.head, g.at = t, len(q.heap)
		q.heap = append(q.heap, i)
		q.up(g.at)
	case before(t, g.head):
		g.head = t
		q.up(g.at)
	}
	return true
}

// Remove removes a timer; false: it is not there.
func (q *Queue) Remove(in uint16, at int64, key []byte) bool {
	i := int(in - q.lo)
	g := &q.groups[i]
	if g.tree == nil {
		return false
	}
	t, there := g.tree.Delete(Timer{at, key})
	if there {
		q.removed(i, t)
	}
	return there
}

// First returns the first timer of all with its key group.
func (q *Queue) First() (t Timer, in uint16, ok bool) {
	if len(q.heap) == 0 {
		return Timer{}, 0, false
	}
	i := q.heap[0]
	return q.groups[i].head, q.lo + uint16(i), true
}

// Pop removes the first timer; there must be one.
func (q *Queue) Pop() {
	i := q.heap[0]
	t, _ := q.groups[i].tree.PopMin()
	q.removed(i, t)
}

// removed finds the new head of a group that has lost a timer.
func (q *Queue) removed(i int, t Timer) {
	g := &q.groups[i]
	q.n--
	q.bytes -= int64(TimeBytes + len(t.Key))
	if before(g.head, t) {
		return
	}
	if head, ok := g.tree.Min(); ok {
		g.head = head
		q.down(g.at)
		return
	}
	last := len(q.heap) - 1
	hole := g.at
	q.swap(hole, last)
	q.heap = q.heap[:last]
	g.head, g.at = Timer{}, -1
	if hole < last {
		q.down(hole)
		q.up(hole)
	}
}

// Each calls f for the tree of every key group that has timers, in order of
// group. f may copy the tree and must not change it.
func (q *Queue) Each(f func(in uint16, tree *Tree)) {
	for i := range q.groups {
		if q.groups[i].at >= 0 {
			f(q.lo+uint16(i), q.groups[i].tree)
		}
	}
}

// Range calls f for all timers in order of (group, time, key) until it returns false.
func (q *Queue) Range(f func(in uint16, t Timer) bool) {
	going := true
	q.Each(func(in uint16, tree *Tree) {
		if going {
			tree.Scan(func(t Timer) bool {
				going = f(in, t)
				return going
			})
		}
	})
}

// Sum returns the part of Store.Sum of timers called name.
func (q *Queue) Sum(name string) uint64 {
	var sum uint64
	q.Range(func(_ uint16, t Timer) bool {
		sum += state.SumTimer(name, t.At, t.Key)
		return true
	})
	return sum
}

func (q *Queue) less(a, b int) bool {
	return before(q.groups[q.heap[a]].head, q.groups[q.heap[b]].head)
}

func (q *Queue) swap(a, b int) {
	q.heap[a], q.heap[b] = q.heap[b], q.heap[a]
	q.groups[q.heap[a]].at, q.groups[q.heap[b]].at = a, b
}

func (q *Queue) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			return
		}
		q.swap(i, parent)
		i = parent
	}
}

func (q *Queue) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(q.heap); c++ {
			if q.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		q.swap(i, least)
		i = least
	}
}
