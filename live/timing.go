package live

import (
	"sync/atomic"

	"weir/dataflow"
	"weir/id"
)

// timing measures one change of the graph. Tasks of both legs note what they do in it, as long
// as their leg refers to it.
type timing struct {
	before  *leg
	tasks   int // of the leg behind the change
	asked   int64
	stopped atomic.Int64
	started atomic.Int64

	lastProcessed, firstProcessed atomic.Int64
	lastOutput, firstOutput       atomic.Int64
	caughtUp                      atomic.Int64
	handed                        []id.Offset // by split, before the change; constant from then on
}

// stop notes that the tasks end now.
func (t *timing) stop(c *control) {
	t.stopped.Store(c.j.clock.now())
	t.handed = c.j.handedOutAll(splitsOf(c.leg.info))
}

// processed notes that a task has processed a buffer.
func (t *timing) processed(r *runner) {
	now := r.j.clock.now()
	sink := len(r.info.Outputs) == 0
	if r.leg == t.before {
		if r.stopped.Load() {
			return // what it still does has no effect
		}
		latest(&t.lastProcessed, now)
		if sink {
			latest(&t.lastOutput, now)
		}
		return
	}
	if t.firstProcessed.CompareAndSwap(0, now) {
		r.j.control.post(report{kind: repProven, leg: r.leg})
	}
	if sink {
		t.firstOutput.CompareAndSwap(0, now)
	}
	t.end(r.leg)
}

// handedOut notes that a source of the leg behind the change has handed out records of a split up to to.
func (t *timing) handedOut(r *runner, s id.SplitID, to id.Offset) {
	if r.leg == t.before || to <= t.handed[s] {
		return
	}
	t.caughtUp.CompareAndSwap(0, r.j.clock.now())
	t.end(r.leg)
}

// end ends the measurement when all of it is there.
func (t *timing) end(l *leg) {
	if t.firstProcessed.Load() != 0 && t.firstOutput.Load() != 0 && t.caughtUp.Load() != 0 {
		l.timing.CompareAndSwap(t, nil)
	}
}

// latest makes v at least now.
func latest(v *atomic.Int64, now int64) {
	for {
		was := v.Load()
		if now <= was || v.CompareAndSwap(was, now) {
			return
		}
	}
}

// change returns what is known.
func (t *timing) change() Change {
	first, caught := t.firstProcessed.Load(), t.caughtUp.Load()
	if first == 0 || caught == 0 {
		caught = 0
	} else {
		caught = max(first, caught)
	}
	return Change{
		Tasks: t.tasks, Asked: t.asked, Stopped: t.stopped.Load(), Started: t.started.Load(), CaughtUp: caught,
		Processing: Pause{t.lastProcessed.Load(), first}, Output: Pause{t.lastOutput.Load(), t.firstOutput.Load()},
	}
}

// timed notes what happens to a buffer that a task has processed, if it has records and somebody
// measures.
func (r *runner) timed(b *dataflow.Buffer) {
	if t := r.leg.timing.Load(); t != nil && b.Records > 0 {
		t.processed(r)
	}
}
