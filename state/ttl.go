package state

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Clock is a time by which entries of keyed state expire.
type Clock uint8

// The clocks. Neither is read here: the owner of a store tells it (Clocks.Advance).
const (
	EventTime      Clock = iota + 1 // the watermark of the task; while a timer fires, its time
	ProcessingTime                  // the clock of the worker, nanoseconds
)

// clocks is their number, and one: they count from 1.
const clocks = int(ProcessingTime) + 1

// String returns "event time" or "processing time".
func (c Clock) String() string {
	switch c {
	case EventTime:
		return "event time"
	case ProcessingTime:
		return "processing time"
	}
	return fmt.Sprintf("clock %d", uint8(c))
}

// TTL is the time to live of the entries of a state: a value, an element of a
// list, a field of a map. The zero TTL is that of entries which live until they are
// deleted.
//
// An entry expires when its clock is Duration ahead of where it stood when the entry
// was written. From then on no read returns it, no snapshot's new files have it, and
// it is in no Sum. What was written while the task knew no event time at all
// counts from the first one that it knew.
type TTL struct {
	Clock    Clock
	Duration int64 // in the unit of the clock, positive
	// OnRead: a read of an entry (Get, MapGet) begins its time anew, as a write does.
	OnRead bool
}

// Validate reports what is wrong with a TTL.
func (t TTL) Validate() error {
	switch {
	case t == TTL{}:
		return nil
	case t.Clock == 0 || t.Clock > ProcessingTime:
		return fmt.Errorf("a time to live by %s; there are %s and %s", t.Clock, EventTime, ProcessingTime)
	case t.Duration <= 0:
		return fmt.Errorf("a time to live of %d; it must be positive", t.Duration)
	}
	return nil
}

// A stored value with a TTL begins with the time at which it expires, eight bytes,
// little-endian, and each element of such a list does. undated is that of an entry
// written while no time was known, and never that of one whose clock cannot come so far.
const (
	deadlineBytes = 8
	undated       = math.MinInt64
	never         = math.MaxInt64
)

// StoredSize is the number of bytes that a value has in a store, 0 if it varies:
// its FixedSize, and the time at which it expires if it does.
func (d Descriptor) StoredSize() int {
	if d.FixedSize > 0 && d.TTL.Clock != 0 {
		return d.FixedSize + deadlineBytes
	}
	return d.FixedSize
}

func putDeadline(stored []byte, at int64) { binary.LittleEndian.PutUint64(stored, uint64(at)) }
func deadlineOf(stored []byte) int64      { return int64(binary.LittleEndian.Uint64(stored)) }

// Clocks is how far time has come for a store. It is part of the snapshot: what
// has expired stays so after a restore, whatever a backend's files still have.
type Clocks struct {
	read [clocks]reading
	uses [clocks]bool
}

// reading is one clock. Both are undated until it is told for the first time.
type reading struct {
	now   int64
	began int64 // what it was told first: from then on counts what was written before
}

func newClocks() Clocks {
	var c Clocks
	for i := range c.read {
		c.read[i] = reading{undated, undated}
	}
	return c
}

// Use says that a state of the store expires by a clock, or by none.
func (c *Clocks) Use(by Clock) {
	if by != 0 {
		c.uses[by] = true
	}
}

// Uses reports whether any state expires by a clock.
func (c *Clocks) Uses(by Clock) bool { return c.uses[by] }

// Advance tells the time of a clock. It never goes back.
func (c *Clocks) Advance(by Clock, to int64) {
	r := &c.read[by]
	if to <= r.now {
		return
	}
	if r.began == undated {
		r.began = to
	}
	r.now = to
}

// Expiry returns who has expired among the entries of d, at the time that it is now.
func (c *Clocks) Expiry(d Descriptor) Expiry {
	if d.TTL.Clock == 0 {
		return Expiry{}
	}
	return Expiry{reading: c.read[d.TTL.Clock], ttl: d.TTL, list: d.Kind == KindList}
}

// Expiry judges the stored entries of one state at one moment. It is a value:
// a capture that runs while time goes on has its own. The zero Expiry keeps everything.
type Expiry struct {
	reading
	ttl  TTL
	list bool
}

// Applies reports whether entries can have expired at all, and have deadlines.
func (e *Expiry) Applies() bool { return e.ttl.Clock != 0 }

// deadline is the time to write into an entry that is written or read now.
func (e *Expiry) deadline() int64 { return e.after(e.now) }

// after is the deadline of what was written at a time.
func (e *Expiry) after(at int64) int64 {
	switch {
	case at == undated:
		return undated
	case at > never-e.ttl.Duration:
		return never
	}
	return at + e.ttl.Duration
}

// resolved is the deadline of an entry, also of one that was written before any
// time was known, as soon as one is.
func (e *Expiry) resolved(at int64) int64 {
	if at == undated {
		return e.after(e.began)
	}
	return at
}

// expired reports that a deadline has passed.
func (e *Expiry) expired(at int64) bool {
	at = e.resolved(at)
	return at != undated && at != never && at <= e.now
}

// Live reports whether a stored entry is still to be seen: a value, a field's
// value, or the elements of a list, of which one is enough.
func (e *Expiry) Live(stored []byte) bool {
	switch {
	case !e.Applies():
		return true
	case !e.list:
		return len(stored) >= deadlineBytes && !e.expired(deadlineOf(stored))
	}
	for elem, rest := nextStored(stored); elem != nil; elem, rest = nextStored(rest) {
		if !e.expired(deadlineOf(elem)) {
			return true
		}
	}
	return false
}

// Unexpired returns what of a stored entry is still to be seen, and whether anything
// is: the elements of a list that have not expired, and a deadline in the place of none
// where it is known by now. Two stores of the same content return the same. It is
// stored itself if entries do not expire, and written over *scratch if they do.
func (e *Expiry) Unexpired(stored []byte, scratch *[]byte) (left []byte, live bool) {
	switch {
	case !e.Applies():
		return stored, true
	case !e.Live(stored):
		return nil, false
	}
	*scratch = e.appendLive((*scratch)[:0], stored)
	return *scratch, true
}

// appendLive appends what is left of a live entry that has deadlines.
func (e *Expiry) appendLive(dst, stored []byte) []byte {
	if !e.list {
		at := len(dst)
		dst = append(dst, stored...)
		putDeadline(dst[at:], e.resolved(deadlineOf(stored)))
		return dst
	}
	for elem, rest := nextStored(stored); elem != nil; elem, rest = nextStored(rest) {
		if by := e.resolved(deadlineOf(elem)); !e.expired(by) {
			dst = AppendElement(dst, elem)
			putDeadline(dst[len(dst)-len(elem):], by)
		}
	}
	return dst
}

// nextStored splits the first element off a stored list; nil: there is none. A list
// that does not decode is a bug: snapshots are checksummed.
func nextStored(list []byte) (elem, rest []byte) {
	if len(list) == 0 {
		return nil, nil
	}
	elem, rest, err := NextElement(list)
	if err != nil || len(elem) < deadlineBytes {
		panic(fmt.Sprintf("state: a list whose elements expire has one of %d bytes: %v", len(elem), err))
	}
	return elem, rest
}

// append appends the clocks in use: a byte with a bit for each, and what each says,
// 16 bytes.
func (c *Clocks) append(dst []byte) []byte {
	used := byte(0)
	for i := EventTime; i <= ProcessingTime; i++ {
		if c.uses[i] {
			used |= 1 << i
		}
	}
	dst = append(dst, used)
	for i := EventTime; i <= ProcessingTime; i++ {
		if c.uses[i] {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(c.read[i].now))
			dst = binary.LittleEndian.AppendUint64(dst, uint64(c.read[i].began))
		}
	}
	return dst
}

func readClocks(r *Reader) Clocks {
	c := newClocks()
	used := r.Byte()
	if used>>clocks != 0 || used&1 != 0 {
		r.Fail("clocks %#x", used)
		return c
	}
	for i := EventTime; i <= ProcessingTime; i++ {
		if used&(1<<i) != 0 {
			c.uses[i] = true
			c.read[i] = reading{now: int64(r.Uint64()), began: int64(r.Uint64())}
		}
	}
	return c
}

// restore takes over what old tasks knew of the time: the earliest, so that
// nothing expires that had not where it comes from.
func (c *Clocks) restore(old []Clocks) {
	for i := EventTime; i <= ProcessingTime; i++ {
		first := true
		for k := range old {
			if !old[k].uses[i] {
				continue
			}
			c.uses[i] = true
			if r := old[k].read[i]; first || r.now < c.read[i].now {
				c.read[i] = r
			}
			first = false
		}
	}
}

// ClocksOf returns the time of a snapshot. Damage is an error that wraps ErrCorrupt.
func ClocksOf(h Handle) (Clocks, error) {
	if len(h.Operator) == 0 {
		return newClocks(), nil
	}
	s, err := decodeOperatorState(h.Operator)
	return s.clocks, err
}
