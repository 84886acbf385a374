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
	// since is the delta in which it was set: see log.
	since uint32
}

func (t Timer) bytes() int64 { return int64(TimeBytes + len(t.Key)) }

func before(a, b Timer) bool {
	if a.At != b.At {
		return a.At < b.At
	}
	return bytes.Compare(a.Key, b.Key) < 0
}

// tree is the timers of one key group in order.
type tree = btree.BTreeG[Timer]

// order is a set of timers. It belongs to one goroutine; copies of its trees may
// be read by others.
//
// Each key group has a tree of its own, so that a snapshot finds a group's
// timers together. The groups that have timers stand in a binary heap by the
// first of them.
type order struct {
	lo     uint16
	groups []group
	heap   []int // of groups, by head
	n      int
	bytes  int64
}

type group struct {
	tree *tree
	head Timer // the first of tree
	at   int   // place in the heap; -1: no timers
	hint btree.PathHint
}

// TimeBytes is what the time of a timer counts as.
const TimeBytes = 8

func newOrder(r state.GroupRange) *order {
	q := &order{lo: r.Lo, groups: make([]group, r.Hi-r.Lo)}
	for i := range q.groups {
		q.groups[i].at = -1
	}
	return q
}

// add adds a timer, of which it copies the key; false: it is there already.
func (q *order) add(in uint16, t Timer) (added Timer, ok bool) {
	i := int(in - q.lo)
	g := &q.groups[i]
	if g.tree == nil {
		g.tree = btree.NewBTreeGOptions(before, btree.Options{NoLocks: true})
	} else if _, there := g.tree.GetHint(t, &g.hint); there {
		return Timer{}, false
	}
	t.Key = bytes.Clone(t.Key)
	g.tree.SetHint(t, &g.hint)
	q.n++
	q.bytes += t.bytes()
	switch {
	case g.at < 0:
		g.head, g.at = t, len(q.heap)
		q.heap = append(q.heap, i)
		q.up(g.at)
	case before(t, g.head):
		g.head = t
		q.up(g.at)
	}
	return t, true
}

// remove removes a timer and returns it; false: it is not there.
func (q *order) remove(in uint16, t Timer) (removed Timer, ok bool) {
	i := int(in - q.lo)
	g := &q.groups[i]
	if g.tree == nil {
		return Timer{}, false
	}
	t, there := g.tree.Delete(t)
	if there {
		q.removed(i, t)
	}
	return t, there
}

// first returns the first timer of all with its key group.
func (q *order) first() (t Timer, in uint16, ok bool) {
	if len(q.heap) == 0 {
		return Timer{}, 0, false
	}
	i := q.heap[0]
	return q.groups[i].head, q.lo + uint16(i), true
}

// pop removes the first timer; there must be one.
func (q *order) pop() {
	i := q.heap[0]
	t, _ := q.groups[i].tree.PopMin()
	q.removed(i, t)
}

// removed finds the new head of a group that has lost a timer.
func (q *order) removed(i int, t Timer) {
	g := &q.groups[i]
	q.n--
	q.bytes -= t.bytes()
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

// each calls f for the tree of every key group that has timers, in order of
// group. f may copy the tree and must not change it.
func (q *order) each(f func(in uint16, t *tree)) {
	for i := range q.groups {
		if q.groups[i].at >= 0 {
			f(q.lo+uint16(i), q.groups[i].tree)
		}
	}
}

// all calls f for all timers in order of (group, time, key) until it returns false.
func (q *order) all(f func(in uint16, t Timer) bool) {
	going := true
	q.each(func(in uint16, t *tree) {
		if going {
			t.Scan(func(t Timer) bool {
				going = f(in, t)
				return going
			})
		}
	})
}

func (q *order) less(a, b int) bool {
	return before(q.groups[q.heap[a]].head, q.groups[q.heap[b]].head)
}

func (q *order) swap(a, b int) {
	q.heap[a], q.heap[b] = q.heap[b], q.heap[a]
	q.groups[q.heap[a]].at, q.groups[q.heap[b]].at = a, b
}

func (q *order) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			return
		}
		q.swap(i, parent)
		i = parent
	}
}

func (q *order) down(i int) {
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
