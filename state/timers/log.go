package timers

import (
	"bytes"
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/tidwall/btree"

	"weir/id"
)

// log knows what has changed since every snapshot that may be a base. Deltas
// are numbered; a snapshot closes one and opens the next.
type log struct {
	now     uint32   // the open delta
	alive   []count  // timers by the delta they were set in, those that have any, in order
	deltas  []*delta // the open one and, before it, what some base needs; none without a base
	bases   []*base  // oldest first
	changed int64
}

func newLog() log { return log{now: 1} }

// count is how many timers of a delta are there.
type count struct {
	delta uint32
	n     int
}

// delta is what has changed between two snapshots.
type delta struct {
	number uint32
	set    *btree.BTreeG[entry] // in it, and still there
	gone   *btree.BTreeG[entry] // cancelled in it, and set before
	// last is the greatest timer that has fired in it and was set before it.
	last bound

	setBytes, goneBytes int64
}

// entry is a timer and its key group.
type entry struct {
	group uint16
	Timer
}

func entriesBefore(a, b entry) bool {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.At, b.At), bytes.Compare(a.Key, b.Key)) < 0
}

// bound says that timers up to one are gone.
type bound struct {
	some bool
	Timer
}

func (b bound) covers(t Timer) bool { return b.some && !before(b.Timer, t) }

// later returns the greater of two bounds.
func later(a, b bound) bound {
	if !b.some || a.covers(b.Timer) {
		return a
	}
	return b
}

// base is a snapshot that a later one may refer to. Its list is set by its
// capture, before complete.
type base struct {
	epoch    id.Epoch
	delta    uint32 // the last that it holds
	list     []segment
	complete atomic.Bool
	lost     atomic.Bool
}

func (l *log) openDelta() *delta {
	if len(l.deltas) == 0 {
		return nil
	}
	return l.deltas[len(l.deltas)-1]
}

// deltaOf returns a delta that a base may need, or nil.
func (l *log) deltaOf(number uint32) *delta {
	if len(l.deltas) == 0 || number < l.deltas[0].number {
		return nil
	}
	return l.deltas[number-l.deltas[0].number]
}

func (l *log) set(in uint16, t Timer) {
	l.changed += t.bytes()
	l.load()
	if d := l.openDelta(); d != nil {
		d.set.Set(entry{in, t})
		d.setBytes += t.bytes()
	}
}

func (l *log) cancelled(in uint16, t Timer) {
	l.gone(in, t)
	if d := l.openDelta(); d != nil && t.since < l.now {
		d.gone.Set(entry{in, t})
		d.goneBytes += t.bytes()
	}
}

func (l *log) fired(in uint16, t Timer) {
	l.gone(in, t)
	if d := l.openDelta(); d != nil && t.since < l.now {
		d.last = later(d.last, bound{true, t})
	}
}

func (l *log) gone(in uint16, t Timer) {
	if t.since == l.now {
		l.changed -= t.bytes()
	} else {
		l.changed += t.bytes()
	}
	l.unload(t)
	if d := l.deltaOf(t.since); d != nil {
		d.set.Delete(entry{in, t})
		d.setBytes -= t.bytes()
	}
}

// oldest returns the first delta that has timers.
func (l *log) oldest() uint32 {
	if len(l.alive) == 0 {
		return l.now + 1
	}
	return l.alive[0].delta
}

// base returns a complete snapshot, or nil.
func (l *log) base(e id.Epoch) *base {
	for _, b := range l.bases {
		if b.epoch == e && b.complete.Load() {
			return b
		}
	}
	return nil
}

// mostBases is how many snapshots may be bases: where none completes, nobody
// releases those before it.
const mostBases = 32

// turn closes the open delta. b, unless nil, is a base that ends with it.
func (l *log) turn(b *base) {
	if b != nil {
		l.bases = append(l.bases[max(0, len(l.bases)+1-mostBases):], b)
	}
	l.now++
	if len(l.bases) > 0 {
		less := btree.Options{NoLocks: true}
		l.deltas = append(l.deltas, &delta{number: l.now, set: btree.NewBTreeGOptions(entriesBefore, less), gone: btree.NewBTreeGOptions(entriesBefore, less)})
	}
	l.prune(0)
}

// prune forgets bases before an epoch and those that came to nothing, and the
// deltas that no base needs any more.
func (l *log) prune(before id.Epoch) {
	l.bases = slices.DeleteFunc(l.bases, func(b *base) bool { return b.epoch < before || b.lost.Load() })
	if len(l.bases) == 0 {
		l.deltas = nil
		return
	}
	first := l.bases[0].delta
	for _, b := range l.bases {
		first = min(first, b.delta)
	}
	l.deltas = slices.DeleteFunc(l.deltas, func(d *delta) bool { return d.number <= first })
}

// Release says that no snapshot before an epoch will be a base again.
func (s *Queue) Release(before id.Epoch) { s.log.prune(before) }

// load counts a timer of the open delta that a restore has put there, and unload
// one that it has taken away again: neither is a change.
func (l *log) load() {
	if n := len(l.alive); n > 0 && l.alive[n-1].delta == l.now {
		l.alive[n-1].n++
		return
	}
	l.alive = append(l.alive, count{l.now, 1})
}

func (l *log) unload(t Timer) {
	i, _ := slices.BinarySearchFunc(l.alive, t.since, func(c count, delta uint32) int { return cmp.Compare(c.delta, delta) })
	if l.alive[i].n--; l.alive[i].n == 0 {
		l.alive = slices.Delete(l.alive, i, i+1)
	}
}
