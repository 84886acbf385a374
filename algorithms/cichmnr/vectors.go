package cichmnr

import (
	"encoding/binary"

	"weir/id"
)

// vectors is what a task knows: its clock, and of every task how many snapshots
// that has taken (ckpt), whether one of them lies on a way from there to here
// (taken), and whether the clock here is known to be greater (greater). Entries
// beyond its length are those of a task of which nothing is known yet.
type vectors struct {
	lc uint64
	of []entry // by task
}

type entry struct {
	ckpt           uint64
	taken, greater bool
}

// unknown is the entry of a task that nothing was heard of.
var unknown = entry{taken: true, greater: true}

// begin is the state after the initial snapshot of a task.
func (v *vectors) begin(self id.TaskID) {
	v.lc = 0
	v.of = v.of[:0]
	v.grow(int(self) + 1)
	v.of[self] = entry{}
	v.snapshot(self)
}

// snapshot notes a snapshot of the task itself.
func (v *vectors) snapshot(self id.TaskID) {
	for k := range v.of {
		if id.TaskID(k) != self {
			v.of[k].taken, v.of[k].greater = true, true
		}
	}
	v.lc++
	v.of[self].ckpt++
}

// mustForce reports that a snapshot must be taken before message m is delivered;
// sent says to whom messages went since the last one.
func (v *vectors) mustForce(self id.TaskID, sent []bool, m *vectors) bool {
	return v.breaks(sent, m) || v.closes(self, m)
}

// breaks reports that m, delivered in this interval, would be the first part of a
// way from its sender over this task to one that a message went to already, and
// that is not known to have a clock as high.
func (v *vectors) breaks(sent []bool, m *vectors) bool {
	if m.lc <= v.lc {
		return false
	}
	for k, s := range sent {
		if s && (k >= len(m.of) || m.of[k].greater) {
			return true
		}
	}
	return false
}

// closes reports that m comes from this very interval, over a snapshot that was
// taken on its way.
func (v *vectors) closes(self id.TaskID, m *vectors) bool {
	if int(self) >= len(m.of) {
		return false // its sender has never heard of this task
	}
	return m.of[self].ckpt == v.of[self].ckpt && m.of[self].taken
}

// merge takes what a delivered message knows.
func (v *vectors) merge(self id.TaskID, m *vectors) {
	v.grow(len(m.of))
	m.grow(len(v.of))
	for k := range v.of {
		mine, its := &v.of[k], &m.of[k]
		if id.TaskID(k) == self {
			if m.lc > v.lc {
				mine.greater = false
			}
			continue
		}
		switch {
		case m.lc > v.lc:
			mine.greater = its.greater
		case m.lc == v.lc:
			mine.greater = mine.greater && its.greater
		}
		switch {
		case its.ckpt > mine.ckpt:
			mine.ckpt, mine.taken = its.ckpt, its.taken
		case its.ckpt == mine.ckpt:
			mine.taken = mine.taken || its.taken
		}
	}
	v.lc = max(v.lc, m.lc)
}

func (v *vectors) grow(n int) {
	for len(v.of) < n {
		v.of = append(v.of, unknown)
	}
}

// append encodes v.
func (v *vectors) append(b []byte) []byte {
	b = binary.AppendUvarint(b, v.lc)
	for _, e := range v.of {
		x := e.ckpt << 2
		if e.taken {
			x |= 2
		}
		if e.greater {
			x |= 1
		}
		b = binary.AppendUvarint(b, x)
	}
	return b
}

// decode is the inverse of append; all of b belongs to it.
func (v *vectors) decode(b []byte) {
	next := func() uint64 {
		x, n := binary.Uvarint(b)
		if n <= 0 {
			panic("cichmnr: vectors cut short") // both ends are this program, and storage has checksums
		}
		b = b[n:]
		return x
	}
	v.lc = next()
	v.of = v.of[:0]
	for len(b) > 0 {
		x := next()
		v.of = append(v.of, entry{x >> 2, x&2 != 0, x&1 != 0})
	}
}
