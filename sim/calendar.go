package sim

import (
	"math/bits"
	"slices"
)

// calendar holds what is not due yet of a crowded queue, unsorted, by days: equal
// stretches of time. Only one day at a time has to be put in order. What lies
// beyond the last day waits for the next year, for which the days get a new length:
// a calendar queue (Brown, CACM 31(10), 1988) whose days are as long as those of a
// ladder queue (Tang, Goh and Thng, TOMACS 15(3), 2005).
type calendar struct {
	first uint64            // time at which the year begins
	shift int               // a day is 1<<shift ns
	busy  [days / 64]uint64 // a bit for every day with events
	week  int               // of 64 days: those before are over
	days  [days]day
	notes []note
	free  int32 // the first note that is not used, 0 for none: notes[0] is nobody's
	later []event
	drawn []uint64 // times, to choose the length of a day
}

const (
	dayBits = 13
	days    = 1 << dayBits
)

// day is a list of notes, the newest first.
type day struct{ head, n int32 }

type note struct {
	event
	next int32
}

// reset forgets all events.
func (c *calendar) reset() {
	clear(c.busy[:])
	clear(c.days[:])
	c.notes, c.free, c.later = c.notes[:0], 0, c.later[:0]
}

// add takes an event that is not before the year.
func (c *calendar) add(e *event) {
	d := (uint64(e.time) - c.first) >> c.shift
	if d >= days {
		c.later = append(c.later, *e)
		return
	}
	i := c.free
	if i != 0 {
		c.free = c.notes[i].next
	} else {
		if len(c.notes) == 0 {
			c.notes = append(c.notes, note{})
		}
		i = int32(len(c.notes))
		c.notes = append(c.notes, note{})
	}
	day := &c.days[d]
	c.notes[i] = note{event: *e, next: day.head}
	if day.n++; day.n == 1 {
		c.busy[d/64] |= 1 << (d % 64)
	}
	day.head = i
}

// next returns the number of the first day with events.
func (c *calendar) next() (d int, ok bool) {
	for ; c.week < len(c.busy); c.week++ {
		if w := c.busy[c.week]; w != 0 {
			return 64*c.week + bits.TrailingZeros64(w), true
		}
	}
	return 0, false
}

// take moves the events of a day to the end of list, in the order in which they came.
func (c *calendar) take(d int, list []event) []event {
	day := &c.days[d]
	from := len(list)
	list = slices.Grow(list, int(day.n))[:from+int(day.n)]
	last := day.head
	for i, k := len(list)-1, day.head; i >= from; i-- {
		list[i] = c.notes[k].event
		last, k = k, c.notes[k].next
	}
	c.notes[last].next, c.free = c.free, day.head
	day.head, day.n = 0, 0
	c.busy[d/64] &^= 1 << (d % 64)
	return list
}

// year begins a year with the first of the events that wait for it. Most of them
// fall into it, with a few to a day.
func (c *calendar) year() {
	first := uint64(c.later[0].time)
	for i := range c.later {
		first = min(first, uint64(c.later[i].time))
	}
	c.drawn = c.drawn[:0]
	for i := 0; i < len(c.later); i += 1 + len(c.later)/64 {
		c.drawn = append(c.drawn, uint64(c.later[i].time)-first)
	}
	slices.Sort(c.drawn)
	most := bits.Len64(c.drawn[len(c.drawn)*3/4])
	c.week = 0
	c.first, c.shift = first, max(0, most-min(dayBits, bits.Len(uint(len(c.later)))))
	waiting := c.later
	c.later = c.later[:0]
	for i := range waiting {
		e := waiting[i] // add may write over it
		c.add(&e)
	}
}
