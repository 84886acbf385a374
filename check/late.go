package check

import (
	"slices"

	"weir/trace"
)

// This is the event-time oracle as to records that come too late. Which those are
// the workload says, for the tasks that its sources feed: by a record and the
// watermark that the operator sees when it comes, or that the former owner of its key
// group had reached before the graph changed, whichever is later.

// reached is how far an instance had come in event time before the graph changed, for the
// key groups [lo, hi) that it owned.
type reached struct {
	lo, hi uint16
	at     int64
}

// knowsLate reports whether it can be said which records come too late: behind a change of the
// graph only by their key groups.
func (o *eventTime) knowsLate(c *clock) bool {
	return o.x.TooLate != nil && (len(c.former) == 0 || o.x.Group != nil)
}

// timeFor returns the event time reached for a record at a watermark.
func (o *eventTime) timeFor(c *clock, rec []byte, watermark int64) int64 {
	if len(c.former) == 0 {
		return watermark
	}
	g := o.x.Group(rec)
	for _, r := range c.former {
		if r.lo <= g && g < r.hi {
			watermark = max(watermark, r.at)
		}
	}
	return watermark
}

// expectLate notes which records of a buffer are to be given up.
func (o *eventTime) expectLate(e *trace.Event, c *clock) {
	if !o.knowsLate(c) || !o.channels[e.Channel].source || !c.exact {
		return
	}
	for data, ok := e.Data, true; ok && len(data) > 0; {
		var rec []byte
		if rec, data, ok = nextRecord(data); !ok {
			return
		}
		if at := o.timeFor(c, rec, c.before); o.x.TooLate(rec, at) {
			c.tooLate, c.lateAt = append(c.tooLate, hash(rec)), at
		}
	}
}

// givenUp takes a record that the operator calls too late.
func (o *eventTime) givenUp(e *trace.Event, c *clock) {
	if !o.knowsLate(c) || !o.tasks[e.Task].fed {
		return
	}
	if i := slices.Index(c.tooLate, hash(e.Data)); i >= 0 {
		c.tooLate = slices.Delete(c.tooLate, i, i+1)
	}
	if at := o.timeFor(c, e.Data, e.At); !o.x.TooLate(e.Data, at) {
		o.violate(e.Task, 0, "a record is given up as too late at watermark %s, at which it is not", moment(at))
	}
}

// noneTaken: when the next buffer comes, or a snapshot, the operator has given all
// of them up.
func (o *eventTime) noneTaken(e *trace.Event, c *clock) {
	if n := len(c.tooLate); n > 0 {
		o.violate(e.Task, 0, "%d records of a buffer came too late at watermark %s and were not given up", n, moment(c.lateAt))
		c.tooLate = c.tooLate[:0]
	}
}
