package sim

import (
	"math/bits"
	"slices"
)

// Event kinds of the simulator. The order is of no meaning.
const (
	kindTurn       uint8 = iota + 1 // ref task, gen incarnation
	kindArrive                      // ref channel, gen connection, arg wire slot
	kindCredit                      // ref channel, gen connection, arg credits
	kindReply                       // ref channel, gen connection, arg parcel
	kindConnect                     // ref channel, gen connection
	kindTimer                       // ref task, gen incarnation, arg ticket
	kindToTask                      // ref task, gen incarnation, arg parcel
	kindStart                       // ref task, gen incarnation
	kindTransfer                    // ref transfer, gen its use
	kindToCoord                     // ref task, gen incarnation, arg parcel
	kindReady                       // ref task, gen incarnation, arg attempt and coordinator incarnation
	kindLeft                        // ref task, gen incarnation, arg coordinator incarnation
	kindCoordTimer                  // gen coordinator incarnation, arg ticket
	kindCoordStart                  // gen coordinator incarnation
	kindCrashSeen                   // ref worker, gen its crash number
	kindFailSeen                    // ref task, gen incarnation
	kindWorkerUp                    // ref worker, gen its crash number
	kindStoreApply                  // ref storage operation
	kindStoreDone                   // ref storage operation
	kindExtApply                    // ref external operation
	kindExtDone                     // ref external operation
	kindFaultOver                   // ref fault target, gen number, arg time it was to end
	kindWake                        // a time that the injector waits for
	numKinds
)

// Classes order what happens at one instant.
const (
	classCoordinator uint64 = iota << classShift
	classStorage
	classWire
	classTask
	classTurn
)

// An event's order is class, sequence and kind, from high bits to low; the kind
// decides nothing, as sequences differ.
const (
	kindBits   = 8
	classShift = 60
)

// event is one entry of the queue: 32 bytes, no pointers.
type event struct {
	time  int64 // virtual nanoseconds
	order uint64
	arg   uint64
	ref   int32
	gen   uint32
}

func (e *event) kind() uint8 { return uint8(e.order) }

func (e *event) before(o *event) bool {
	return e.time < o.time || e.time == o.time && e.order < o.order
}

// precedes is 1 if e is before o, else 0, without a branch. Times are not negative.
func (e *event) precedes(o *event) int {
	_, less := bits.Sub64(e.order, o.order, 0)
	_, less = bits.Sub64(uint64(e.time), uint64(o.time), less)
	return int(less)
}

// queue holds events by (time, order). While they are few they are in a heap. When
// they are many, those from dawn on are in a calendar; those of the day that has
// begun are sorted in today, and what was pushed for it since is in the heap.
type queue struct {
	heap     heap
	n        int    // of events
	many     bool   // there is a calendar
	dawn     uint64 // the next day's first nanosecond
	today    []event
	done     int // of today's
	calendar *calendar
}

// A queue of more than manyEvents gets a calendar, which ends with a year of fewer than fewEvents.
const (
	manyEvents = 512
	fewEvents  = 128
)

func (q *queue) reset() {
	q.heap.reset()
	if q.many {
		q.calendar.reset()
	}
	q.n, q.many, q.today, q.done = 0, false, q.today[:0], 0
}

func (q *queue) len() int { return q.n }

// push adds an event, whose time is not negative.
func (q *queue) push(e event) {
	if q.n++; q.n > manyEvents && !q.many {
		q.crowd()
	}
	if q.many && uint64(e.time) >= q.dawn {
		q.calendar.add(&e)
	} else {
		q.heap.push(e)
	}
}

// min returns the first event, nil if there is none. It is valid until the next push or pop.
func (q *queue) min() *event {
	first := q.heap.min()
	if !q.many {
		return first
	}
	if q.done == len(q.today) {
		if first != nil {
			return first
		}
		return q.nextDay()
	}
	if e := &q.today[q.done]; first == nil || e.before(first) {
		return e
	}
	return first
}

// pop takes the first event, which must be there.
func (q *queue) pop() event {
	q.n--
	if !q.many {
		return q.heap.pop()
	}
	e := q.min()
	if q.done < len(q.today) && e == &q.today[q.done] {
		q.done++
		return *e
	}
	return q.heap.pop()
}

// crowd begins the calendar with all that is in the heap.
func (q *queue) crowd() {
	if q.calendar == nil {
		q.calendar = new(calendar)
	}
	c := q.calendar
	c.later = q.heap.moveTo(c.later)
	c.year()
	q.many, q.dawn = true, c.first // before it is only what the next push may bring
}

// nextDay sorts the next day that has events and returns the first of them, nil if
// none is left. Heap and today are used up.
func (q *queue) nextDay() *event {
	c := q.calendar
	d, ok := c.next()
	if !ok {
		if len(c.later) < fewEvents {
			return q.thin()
		}
		c.year()
		d, _ = c.next()
	}
	q.dawn = c.first + uint64(d+1)<<c.shift
	q.today, q.done = c.take(d, q.today[:0]), 0
	sortEvents(q.today)
	return &q.today[0]
}

// thin puts what the calendar still has into the heap and ends it.
func (q *queue) thin() *event {
	c := q.calendar
	for i := range c.later {
		q.heap.push(c.later[i])
	}
	c.later = c.later[:0]
	q.many, q.today, q.done = false, q.today[:0], 0
	return q.heap.min()
}

// sortEvents sorts a day: by insertion if it is short, as most are.
func sortEvents(list []event) {
	if len(list) > 24 {
		slices.SortFunc(list, func(a, b event) int {
			if a.before(&b) {
				return -1
			}
			return 1
		})
		return
	}
	for i := 1; i < len(list); i++ {
		if !list[i].before(&list[i-1]) {
			continue
		}
		e := list[i]
		k := i
		for ; k > 0 && e.before(&list[k-1]); k-- {
			list[k] = list[k-1]
		}
		list[k] = e
	}
}
