package live

import (
	"math"
	"time"

	"weir/dataflow"
	"weir/id"
)

// never is the deadline of one who waits for messages only.
const never = math.MaxInt64

// clock is the wall clock of a job: nanoseconds since its epoch, monotonic.
type clock struct {
	start time.Time // with a monotonic reading
	base  int64     // nanoseconds from the epoch to start
}

func newClock(epoch time.Time) clock {
	now := time.Now()
	if epoch.IsZero() {
		return clock{start: now}
	}
	return clock{start: now, base: int64(now.Sub(epoch))}
}

func (c *clock) now() int64 { return c.base + int64(time.Since(c.start)) }

// bell rings once some time after it is set; see newBell for how precisely.
type bell interface {
	set(d time.Duration)
	ring() <-chan struct{}
	close()
}

// alarm is the timers of one goroutine: a heap of what is due when, and the
// bell that ends its sleep. Only its goroutine uses it.
type alarm struct {
	clock *clock
	bell  bell
	heap  []due
	seq   uint64
	armed int64 // what the bell is set to; never: it has rung
}

// due is one timer: a ticket, an event held back until then, or what is to be called.
type due struct {
	at     int64
	seq    uint64
	ticket id.Ticket
	event  *dataflow.Event
	call   func()
}

func (d *due) before(o *due) bool { return d.at < o.at || d.at == o.at && d.seq < o.seq }

func newAlarm(c *clock) *alarm { return &alarm{clock: c, bell: newBell(), armed: never} }

// after adds a timer that is due d from now.
func (a *alarm) after(d dataflow.Nanos, t id.Ticket, ev *dataflow.Event) {
	a.add(d, due{ticket: t, event: ev})
}

// call adds a timer that calls f.
func (a *alarm) call(d dataflow.Nanos, f func()) { a.add(d, due{call: f}) }

func (a *alarm) add(d dataflow.Nanos, x due) {
	a.seq++
	x.at, x.seq = a.clock.now()+int64(d), a.seq
	a.heap = append(a.heap, x)
	for i := len(a.heap) - 1; i > 0; {
		p := (i - 1) / 2
		if !a.heap[i].before(&a.heap[p]) {
			break
		}
		a.heap[i], a.heap[p] = a.heap[p], a.heap[i]
		i = p
	}
}

// next returns when the first timer is due.
func (a *alarm) next() int64 {
	if len(a.heap) == 0 {
		return never
	}
	return a.heap[0].at
}

// pop removes and returns the first timer that is due at now.
func (a *alarm) pop(now int64) (due, bool) {
	if len(a.heap) == 0 || a.heap[0].at > now {
		return due{}, false
	}
	first := a.heap[0]
	last := len(a.heap) - 1
	a.heap[0] = a.heap[last]
	a.heap[last] = due{}
	a.heap = a.heap[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && a.heap[c+1].before(&a.heap[c]) {
			c++
		}
		if !a.heap[c].before(&a.heap[i]) {
			break
		}
		a.heap[i], a.heap[c] = a.heap[c], a.heap[i]
		i = c
	}
	return first, true
}

// arm sees to it that the bell rings at until, or before; false: that has
// passed. Setting a bell is a system call, so one that is set to ring earlier
// is left alone: the sleeper looks around and sets it again.
func (a *alarm) arm(until int64) bool {
	if a.armed <= until {
		return true
	}
	d := until - a.clock.now()
	if d <= 0 {
		return false
	}
	a.armed = until
	a.bell.set(time.Duration(d))
	return true
}

// rang says that the bell was heard.
func (a *alarm) rang() { a.armed = never }

// coarseBell rings with the precision of the runtime's timers: on an otherwise
// idle machine up to a millisecond late.
type coarseBell struct {
	timer *time.Timer
	c     chan struct{}
}

func newCoarseBell() bell {
	b := &coarseBell{c: make(chan struct{}, 1)}
	b.timer = time.AfterFunc(time.Hour, func() {
		select {
		case b.c <- struct{}{}:
		default:
		}
	})
	return b
}

func (b *coarseBell) set(d time.Duration)   { b.timer.Reset(d) }
func (b *coarseBell) ring() <-chan struct{} { return b.c }
func (b *coarseBell) close()                { b.timer.Stop() }
