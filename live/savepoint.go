package live

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"weir/id"
	"weir/trace"
)

// Saver is a Coordinator that can take savepoints: Savepoint asks for one, and ends in
// trace.Saved, or in trace.Declined of the coordinator. With the last one it ends the job.
type Saver interface{ Savepoint(last bool) }

// ErrDeclined is wrapped by an error that says why no savepoint was taken, or why the job does not
// end with the one that was.
var ErrDeclined = errors.New("the job takes no savepoint")

// Savepoint asks the job for a savepoint and returns its number when it is complete. A job that
// recovers takes it when it runs again, and a coordinator that is replaced is asked again. Several who ask at
// a time may get the same one.
//
// last: the job ends with it. All output up to it is committed then, nothing behind it was
// processed, and the job has ended (Wait) when Savepoint returns.
//
// Errors wrap ErrDeclined, or ErrEnded: then the job has ended otherwise. When ctx ends first its
// cause is returned, and the savepoint may be taken, and the job end, all the same.
func (j *Job) Savepoint(ctx context.Context, last bool) (id.Epoch, error) {
	q := &saveRequest{last: last, done: make(chan struct{})}
	asked := func(c *control) error { c.save(q); return nil }
	j.control.post(report{kind: repLook, look: asked, answer: make(chan error, 1)})
	select {
	case <-q.done:
	case <-j.done:
		select {
		case <-q.done: // whoever was heard was answered before
		default:
			return 0, ErrEnded
		}
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	return q.epoch, q.err
}

// saveRequest is somebody who has asked for a savepoint.
type saveRequest struct {
	last  bool
	done  chan struct{} // closed when what follows is set
	epoch id.Epoch
	err   error
}

func (q *saveRequest) finish(e id.Epoch, err error) {
	q.epoch, q.err = e, err
	close(q.done)
}

// saves are those who wait for a savepoint.
type saves struct {
	waiting []*saveRequest
	// complete is the savepoint with which the job is about to end; 0: none is. A job that
	// fails before it has ended takes another one.
	complete id.Epoch
}

// save asks the coordinator that leads; if nobody does the next one is asked.
func (c *control) save(q *saveRequest) {
	if c.stopping {
		q.finish(0, fmt.Errorf("%w: it is being stopped", ErrDeclined))
		return
	}
	c.saves.waiting = append(c.saves.waiting, q)
	if !c.changes.under() {
		c.askToSave(q.last)
	}
}

// askToSaveAgain asks a coordinator that has replaced another one; one that is to stop the job for a
// change, or has not started the next graph yet, is asked behind it.
func (c *control) askToSaveAgain() {
	if len(c.saves.waiting) == 0 || c.changes.under() {
		return
	}
	last := false
	for _, q := range c.saves.waiting {
		last = last || q.last
	}
	c.askToSave(last)
}

func (c *control) askToSave(last bool) {
	s := c.seat
	s.hear(func() {
		if who, ok := s.coord.(Saver); ok {
			who.Savepoint(last)
			return
		}
		c.saves.refuse("its algorithm knows none")
	})
}

// noteSave takes what the coordinator says. Nobody has asked one that stops the job for a change.
func (c *control) noteSave(k trace.Kind, t id.TaskID, e id.Epoch, text string) {
	if !c.changes.under() {
		c.saves.note(k, t, e, text)
	}
}

// note takes what the coordinator says.
func (s *saves) note(k trace.Kind, t id.TaskID, e id.Epoch, text string) {
	switch {
	case k == trace.Saved:
		s.saved(e)
	case k == trace.Declined && t == trace.Coordinator:
		s.refuse(strings.TrimPrefix(text, "savepoint: "))
	case k == trace.PlanExecuted:
		s.complete = 0
	}
}

// saved answers those for whom that is all.
func (s *saves) saved(e id.Epoch) {
	var last []*saveRequest
	for _, q := range s.waiting {
		if q.last {
			s.complete = e
			last = append(last, q)
			continue
		}
		q.finish(e, nil)
	}
	s.waiting = last
}

func (s *saves) refuse(why string) {
	for _, q := range s.waiting {
		q.finish(0, fmt.Errorf("%w: %s", ErrDeclined, why))
	}
	s.waiting, s.complete = nil, 0
}

// settle answers those who still wait when the job has ended, with err. It returns the savepoint
// with which the job was stopped, 0 if it was not.
func (s *saves) settle(err error) id.Epoch {
	e := s.complete
	switch {
	case err != nil:
		e, err = 0, fmt.Errorf("%w: %w", ErrEnded, err)
	case e == 0:
		err = ErrEnded
	}
	for _, q := range s.waiting {
		q.finish(e, err)
	}
	s.waiting = nil
	return e
}
