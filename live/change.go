package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// ErrUnchanged is wrapped by an error that says why the job goes on as it is.
var ErrUnchanged = errors.New("the job goes on as it is")

// Change is one change of the job's graph. Times are nanoseconds since Config.Epoch, 0: it has not
// come to that.
type Change struct {
	Tasks int // that the job has since then
	// Asked is when the coordinator was asked to stop the job, Stopped when the tasks were ended, behind
	// the checkpoint that the job goes on from, and Started when the next graph's were started.
	Asked, Stopped, Started int64
	// Processing says when the last task behind a source had processed a buffer with records before
	// the change, and when the first had behind it; Output the same of tasks that hand nothing on: sinks.
	Processing, Output Pause
	// CaughtUp is when a source handed out the first record that none had before the change, and no
	// sooner than the first was processed. Between
	// a checkpoint and the end of its tasks a job goes on: that is done again first.
	CaughtUp int64
}

// Pause is a time in which nothing was done.
type Pause struct{ Last, First int64 }

// Length returns how long it was, 0: it is not over, or nothing had been done before.
func (p Pause) Length() time.Duration {
	if p.Last == 0 || p.First == 0 {
		return 0
	}
	return time.Duration(p.First - p.Last)
}

// Change has the job go on as another graph: as another parallelism of its operators. The
// coordinator is asked to end the job with one more checkpoint; when it has, the tasks end, those
// of the next graph take their place, and a coordinator starts and goes on from that checkpoint.
// next is called with the job as it is then, and returns what it is to be: of the same name,
// algorithm, operators and splits. The job may not be recorded.
//
// Change returns when the first record was processed behind the change, or a checkpoint of the next
// graph is complete, whichever comes first. One that is asked for while another change or a
// savepoint is under way waits; a coordinator that is replaced is asked again.
//
// Errors wrap ErrUnchanged, or ErrEnded: then the job has ended. When ctx ends first its cause is
// returned, and the job may change all the same.
func (j *Job) Change(ctx context.Context, next func(now *dataflow.Job) (*dataflow.Job, error)) (Change, error) {
	q := &changeRequest{next: next, done: make(chan struct{})}
	j.control.post(report{kind: repLook, answer: make(chan error, 1), look: func(c *control) error {
		c.changes.waiting = append(c.changes.waiting, q)
		c.tryChange()
		return nil
	}})
	select {
	case <-q.done:
	case <-j.done:
		select {
		case <-q.done: // whoever was heard was answered before
		default:
			return Change{}, ErrEnded
		}
	case <-ctx.Done():
		return Change{}, context.Cause(ctx)
	}
	return q.change, q.err
}

// Changes returns the changes that the job has made so far, in order; the newest may not be
// over.
func (j *Job) Changes(ctx context.Context) (all []Change, err error) {
	err = j.look(ctx, func(c *control) error { all = c.changes.list(); return nil })
	return all, err
}

// changeRequest is somebody who wants the job to change.
type changeRequest struct {
	next   func(now *dataflow.Job) (*dataflow.Job, error)
	done   chan struct{} // closed when what follows is set
	change Change
	err    error
}

func (q *changeRequest) finish(c Change, err error) {
	q.change, q.err = c, err
	close(q.done)
}

// changes are those that were made, and who waits for one.
type changes struct {
	waiting []*changeRequest // the first is under way, unless the stage is unchanged
	stage   changeStage
	next    *leg
	made    []*timing
}

// changeStage is how far the change under way has come.
type changeStage uint8

const (
	unchanged changeStage = iota // none is
	stopping                     // the coordinator is to stop the job
	starting                     // the next leg has not executed a plan yet
	proving                      // nothing has been processed since
)

// tryChange begins with the first change that somebody waits for, when nobody waits for a
// savepoint.
func (c *control) tryChange() {
	x := &c.changes
	for x.stage == unchanged && len(x.waiting) > 0 && len(c.saves.waiting) == 0 && !c.ended {
		next, err := c.nextLeg(x.waiting[0])
		if err != nil {
			x.answer(Change{}, fmt.Errorf("%w: %w", ErrUnchanged, err))
			continue
		}
		x.stage, x.next = stopping, next
		c.leg.timing.Store(&timing{before: c.leg, tasks: len(next.info), asked: c.j.clock.now()})
		c.askToStop()
	}
}

// nextLeg returns what the job is to go on as.
func (c *control) nextLeg(q *changeRequest) (*leg, error) {
	switch {
	case c.stopping:
		return nil, errors.New("it is being stopped")
	case c.j.cfg.Recorder != nil:
		return nil, errors.New("it is recorded, and a recording is of one graph")
	}
	job, err := q.next(c.leg.job)
	if err == nil {
		err = job.Validate()
	}
	if err != nil {
		return nil, err
	}
	next, err := newLeg(job)
	if err != nil {
		return nil, err
	}
	return next, c.leg.becomes(next)
}

// stopped hears that the coordinator has ended the job: for a change that is under way, unless
// somebody has stopped the job for good meanwhile, or its input has ended.
func (c *control) stopped(s *seat) {
	if c.changes.stage != stopping || c.stopping || !s.stopped {
		c.end(nil)
		return
	}
	c.alarm.call(0, func() { // when the coordinator has returned
		if c.seat == s {
			c.change()
		}
	})
}

// begun: the next leg has.
func (x *changes) begun() {
	x.made = append(x.made, x.next.timing.Load())
	x.stage, x.next = starting, nil
}

// noteChange takes what the coordinator says. What comes of it waits until that has returned.
func (c *control) noteChange(k trace.Kind) {
	x := &c.changes
	switch {
	case k == trace.PlanExecuted && x.stage == starting:
		x.stage = proving
		x.made[len(x.made)-1].started.Store(c.j.clock.now())
		c.alarm.call(0, c.askToSaveAgain)
	case k == trace.Completed && x.stage == proving:
		l := c.leg
		c.alarm.call(0, func() { c.proven(l) })
	case (k == trace.Saved || k == trace.Declined) && len(x.waiting) > 0:
		c.alarm.call(0, c.tryChange)
	}
}

// proven ends the change with which a leg has begun: the job runs as what it is now.
func (c *control) proven(l *leg) {
	x := &c.changes
	if x.stage != proving || l != c.leg {
		return
	}
	x.stage = unchanged
	x.answer(x.made[len(x.made)-1].change(), nil)
	c.tryChange()
}

// answer answers the first who waits.
func (x *changes) answer(c Change, err error) {
	q := x.waiting[0]
	x.waiting = x.waiting[1:]
	q.finish(c, err)
}

// settle answers those who still wait when the job has ended, with err.
func (x *changes) settle(err error) {
	if err == nil {
		err = ErrEnded
	} else {
		err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	for len(x.waiting) > 0 {
		x.answer(Change{}, err)
	}
}

func (x *changes) list() (all []Change) {
	for _, t := range x.made {
		all = append(all, t.change())
	}
	return all
}

// rescaled is the event of a change.
func rescaled(l *leg) trace.Event {
	return trace.Event{Kind: trace.Rescaled, Task: trace.Coordinator, To: uint64(len(l.info)), Text: fmt.Sprintf("%d tasks", len(l.info))}
}

// under reports whether a change is on its way that the coordinator has part in: then it can take no
// savepoint.
func (x *changes) under() bool { return x.stage == stopping || x.stage == starting }

// handedOutAll returns how far each of n splits was handed out.
func (j *Job) handedOutAll(n int) []id.Offset {
	all := make([]id.Offset, n)
	j.sourceMu.Lock()
	defer j.sourceMu.Unlock()
	for s := range all {
		all[s], _ = j.cfg.SourceLog.Offset(id.SplitID(s)) // whoever starts a source hears of errors
	}
	return all
}
