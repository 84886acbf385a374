package sim

import (
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// issueExt puts an operation on the external store on its way. Operations may
// overtake each other.
func (s *Sim) issueExt(op dataflow.ExtOp, by owner) {
	p := &s.exts
	s.result.ExtOps++
	s.observeExt(trace.ExtIssued, &op, trace.NoOutcome)
	key := int(by.task)
	o := operation[dataflow.ExtOp, dataflow.ExtStatus]{op: op, by: by, fate: p.drawFate(key, true), events: 1}
	there, back := s.trip(&p.model, p.slow, SinkDelay, key, len(op.Rows))
	o.back = back
	if len(p.armed) > 0 {
		if f, ok := p.strike(op.Kind, ""); ok {
			there += o.hit(f)
		}
	}
	if o.fate == fateTorn {
		o.fate = fateNotApplied // an external store is transactional
	}
	at := s.now + there
	switch o.fate {
	case fateNotApplied:
		s.push(at+back, classStorage, kindExtDone, p.put(o), 0, 0)
	case fateLate:
		o.events = 2
		k := p.put(o)
		s.push(at+back, classStorage, kindExtDone, k, 0, 0)
		s.push(at+back+p.lateness(key), classStorage, kindExtApply, k, 0, 0)
	default:
		s.push(at, classStorage, kindExtApply, p.put(o), 0, 0)
	}
}

// onExtApply is the moment when an operation takes effect.
func (s *Sim) onExtApply(e *event) {
	p := &s.exts
	o := &p.items[e.ref]
	if until := max(p.stalled, o.after); until > s.now {
		s.postpone(e, until)
		return
	}
	if !o.gone {
		s.applyExt(o)
	}
	o.events--
	switch {
	case o.fate == fateLate && o.events > 0:
	case o.fate == fateLate || o.gone:
		p.take(e.ref)
	default:
		o.events = 1
		s.push(s.now+o.back, classStorage, kindExtDone, e.ref, 0, 0)
	}
}

func (s *Sim) applyExt(o *operation[dataflow.ExtOp, dataflow.ExtStatus]) {
	if s.cfg.External == nil {
		s.stop(Failed, fmt.Errorf("t%d writes to an external store and the run has none; set Config.External", o.op.Task))
		return
	}
	if s.over {
		s.result.LandedLate++
	}
	s.committing = o.op.Attempt
	o.result = s.cfg.External.Do(o.op)
	s.exts.chain = mix(s.exts.chain, uint64(o.op.Kind-trace.ExtAppend+1)<<56^uint64(o.op.Task)<<40^uint64(o.op.Attempt)^uint64(o.op.Txn)<<8, o.op.Number^uint64(o.result)<<56^uint64(o.op.Count)<<32)
	s.observeExt(trace.ExtApplied, &o.op, trace.NoOutcome)
}

// onExtDone is the moment when the task hears of the outcome.
func (s *Sim) onExtDone(e *event) {
	p := &s.exts
	o := &p.items[e.ref]
	if until := s.callerStalled(&o.by); until > s.now {
		s.postpone(e, until)
		return
	}
	status := o.result
	if o.fate != fateOK {
		s.result.ExtRetried++
		status = dataflow.ExtFailed
	}
	op, by := o.op, o.by
	if o.events--; o.events == 0 {
		p.take(e.ref)
	}
	s.observeExt(trace.ExtDone, &op, status.Outcome())
	if t := &s.tasks[by.task]; t.task != nil && t.inc == by.inc {
		s.event = dataflow.Event{Kind: dataflow.EvExternal, Ticket: by.ticket, Ext: status}
		t.step(&s.event)
	}
}

// observeExt counts an event of the external store and shows it if somebody looks.
func (s *Sim) observeExt(k trace.Kind, op *dataflow.ExtOp, outcome trace.Outcome) {
	s.observers.counts[k]++
	if !s.observers.wants(k) {
		return
	}
	s.observers.send(trace.Event{Kind: k, Task: id.TaskID(op.Task), Channel: trace.NoChannel, Attempt: op.Attempt, Epoch: op.Txn, Op: op.Kind, Outcome: outcome})
}
