package check

import (
	"slices"

	"weir/trace"
)

// This is the event-time oracle as to records that come too late. Which those are
// the workload says, for the tasks that its sources feed: by a record and the
// watermark that the operator sees when it comes.

// expectLate notes which records of a buffer are to be given up.
func (o *eventTime) expectLate(e *trace.Event, c *clock) {
	if o.x.TooLate == nil || !o.channels[e.Channel].source || !c.exact {
		return
	}
	for data, ok := e.Data, true; ok && len(data) > 0; {
		var rec []byte
		if rec, data, ok = nextRecord(data); ok && o.x.TooLate(rec, c.before) {
			c.tooLate = append(c.tooLate, hash(rec))
		}
	}
}

// givenUp takes a record that the operator calls too late.
func (o *eventTime) givenUp(e *trace.Event, c *clock) {
	if o.x.TooLate == nil || !o.tasks[e.Task].fed {
		return
	}
	if i := slices.Index(c.tooLate, hash(e.Data)); i >= 0 {
		c.tooLate = slices.Delete(c.tooLate, i, i+1)
	}
	if !o.x.TooLate(e.Data, e.At) {
		o.violate(e.Task, 0, "a record is given up as too late at watermark %s, at which it is not", moment(e.At))
	}
}

// noneTaken: when the next buffer comes, or a snapshot, the operator has given all
// of them up.
func (o *eventTime) noneTaken(e *trace.Event, c *clock) {
	if n := len(c.tooLate); n > 0 {
		o.violate(e.Task, 0, "%d records of a buffer came too late at watermark %s and were not given up", n, moment(c.before))
		c.tooLate = c.tooLate[:0]
	}
}
