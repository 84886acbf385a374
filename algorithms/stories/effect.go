package stories

import (
	"errors"
	"fmt"
	"strings"

	"weir/dataflow"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/state"
)

// effect is one operation under way: on checkpoint storage, on the external
// store, or a whole asynchronous transfer.
type effect struct {
	number   int
	task     *task // nil: of the coordinator
	inc      roster.Incarnation
	term     roster.Term // of the coordinator, if it asked
	attempt  id.Attempt
	ticket   id.Ticket
	op       state.Op
	ext      dataflow.ExtOp
	transfer state.Transfer
}

func (e *effect) String() string {
	what := ""
	switch {
	case e.transfer != nil:
		what = "transfer of state"
	case e.ext.Kind != 0:
		what = e.ext.Kind.String()
		if e.ext.Txn != 0 {
			what += " " + e.ext.Txn.String()
		}
		if e.ext.Count > 0 {
			what += fmt.Sprintf(" (%s)", contents(e.ext.Rows))
		}
		if e.ext.Kind == dataflow.ExtRecover {
			what += fmt.Sprintf(", keeping %v", e.ext.Keep)
		}
	default:
		what = e.op.Kind.String() + " " + e.op.Key
		switch e.op.Kind {
		case state.OpAppend, state.OpReadLog:
			what += fmt.Sprintf(" (%d, %d]", e.op.From, e.op.To)
		case state.OpTrim:
			what += fmt.Sprintf(" to %d", e.op.To)
		default: // the key says it all
		}
	}
	return fmt.Sprintf("%s of %s", what, e.owner())
}

func (e *effect) owner() string {
	if e.task == nil {
		return "the coordinator"
	}
	return fmt.Sprintf("%s (%s)", e.task.info.ID, e.attempt)
}

// orphan reports that whoever asked is gone.
func (s *Story) orphan(e *effect) bool {
	if e.task == nil {
		return e.term != s.roster.Term()
	}
	return !s.roster.Current(e.task.info.ID, e.inc)
}

func (s *Story) issue(e *effect) {
	s.numbers++
	e.number = s.numbers
	s.effects = append(s.effects, e)
}

type outcome uint8

const (
	well outcome = iota
	failed
	lying // takes effect and is reported as failed
	refused
)

var errRefused = errors.New("there is no space left")

// end lets an operation end and tells whoever asked, if it is still there.
func (s *Story) endEffect(e *effect, how outcome) {
	for i, x := range s.effects {
		if x == e {
			s.effects = append(s.effects[:i], s.effects[i+1:]...)
			break
		}
	}
	gone := s.orphan(e)
	switch {
	case e.transfer != nil:
		s.endTransfer(e, gone)
	case e.ext.Kind != 0:
		status := dataflow.ExtFailed
		if how != failed {
			status = s.outside.Do(e.ext)
		}
		s.reportEffect(e, extStatus[status], how, gone)
		if how == lying {
			status = dataflow.ExtFailed
		}
		if !gone {
			s.step(e.task, dataflow.Event{Kind: dataflow.EvExternal, Ticket: e.ticket, Ext: status})
		}
	default:
		r := state.Result{Status: state.Failed}
		switch how {
		case well, lying:
			r = s.disk.Do(e.op)
		case refused:
			r = state.Result{Status: state.Refused, Err: errRefused}
		case failed:
		}
		s.reportEffect(e, r.Status.String(), how, gone)
		if how == lying {
			r = state.Result{Status: state.Failed}
		}
		s.hand(e, r, gone)
	}
}

func (s *Story) hand(e *effect, r state.Result, gone bool) {
	switch {
	case gone:
	case e.task != nil:
		s.step(e.task, dataflow.Event{Kind: dataflow.EvStored, Ticket: e.ticket, Result: r})
	default:
		s.coord.half.Done(e.ticket, r)
		s.atOnce()
	}
}

var extStatus = [...]string{"", "ok", "failed", "fenced", "absent"}

func (s *Story) reportEffect(e *effect, status string, how outcome, gone bool) {
	switch {
	case gone && how != failed:
		s.tell("%s, which is gone: %s", e, status)
	case how == failed:
		s.tell("%s: failed", e)
	case how == lying:
		s.tell("%s: takes effect (%s), but is reported as failed", e, status)
	case status != "ok":
		s.tell("%s: %s", e, status)
	case e.ext.Kind != 0 || e.task == nil && (e.op.Kind == state.OpCreate || e.op.Kind == state.OpDelete || e.op.Kind == state.OpTrim):
		s.act("%s: ok", e)
	case e.op.Kind == state.OpList || e.op.Kind == state.OpGet && e.task == nil:
		// nothing comes of it by itself
	default:
		s.detail("%s: ok", e)
	}
}

// endTransfer carries the whole of a transfer out.
func (s *Story) endTransfer(e *effect, gone bool) {
	if gone {
		return // it worked on objects that died with their task
	}
	var results []state.Result
	for {
		ops, done, err := e.transfer.Next(results)
		if done || err != nil {
			s.step(e.task, dataflow.Event{Kind: dataflow.EvTransfer, Ticket: e.ticket, Err: err})
			return
		}
		results = results[:0]
		for _, op := range ops {
			results = append(results, s.disk.Do(op))
		}
	}
}

// all lets everything that is not held and not orphaned end well.
func (s *Story) all() (worked bool) {
	for {
		var next *effect
		for _, e := range s.effects {
			if !s.orphan(e) && !s.isHeld(e) {
				next = e
				break
			}
		}
		if next == nil {
			return worked
		}
		s.endEffect(next, well)
		worked = true
	}
}

func (s *Story) isHeld(e *effect) bool {
	for _, h := range s.held {
		if strings.Contains(e.String(), h) {
			return true
		}
	}
	return false
}
