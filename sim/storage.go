package sim

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/state"
	"weir/trace"
)

func writes(k state.OpKind) bool {
	return k != state.OpGet && k != state.OpList && k != state.OpReadLog
}

// issueStore puts a storage operation on its way.
func (s *Sim) issueStore(op state.Op, by owner, attempt id.Attempt) {
	p := &s.stores
	s.result.StoreOps++
	s.observeStore(trace.StoreIssued, &op, &by, attempt, trace.NoOutcome)
	key := by.key()
	o := operation[state.Op, state.Result]{op: op, by: by, fate: p.drawFate(key, writes(op.Kind)), events: 1}
	there, back := s.trip(&p.model, p.slow, StorageDelay, key, len(op.Data))
	o.back = back
	if len(p.armed) > 0 {
		if f, ok := p.strike(trace.Op(op.Kind), op.Key); ok {
			there += o.hit(f)
		}
	}
	if o.fate == fateTorn && op.Kind != state.OpPut {
		o.fate = fateNotApplied
	}
	switch o.fate {
	case fateNotApplied:
		s.push(s.now+there+back, classStorage, kindStoreDone, p.put(o), 0, 0)
	case fateLate:
		o.events = 2
		k := p.put(o)
		s.push(s.now+there+back, classStorage, kindStoreDone, k, 0, 0)
		s.push(s.now+there+back+p.lateness(key), classStorage, kindStoreApply, k, 0, 0)
	default:
		s.push(s.now+there, classStorage, kindStoreApply, p.put(o), 0, 0)
	}
}

// hit lets a fault of the plan decide about an operation; it returns by how
// much its effect is delayed.
func (o *operation[O, R]) hit(f faults.Fault) Nanos {
	if f.Kind == faults.Delay {
		return f.Duration
	}
	switch f.Outcome {
	case faults.NotApplied:
		o.fate = fateNotApplied
	case faults.Applied:
		o.fate = fateApplied
	case faults.Torn:
		o.fate = fateTorn
	}
	return 0
}

// onStoreApply is the moment when an operation takes effect.
func (s *Sim) onStoreApply(e *event) {
	p := &s.stores
	o := &p.items[e.ref]
	if until := max(p.stalled, o.after); until > s.now {
		s.postpone(e, until)
		return
	}
	if !o.gone {
		s.applyStore(o)
	}
	o.events--
	switch {
	case o.fate == fateLate:
		if o.events == 0 {
			p.take(e.ref)
		}
	case o.gone:
		if done := p.take(e.ref); done.by.transfer != 0 {
			s.transferOpDone(&done, state.Result{})
		}
	default:
		o.events = 1
		s.push(s.now+o.back, classStorage, kindStoreDone, e.ref, 0, 0)
	}
}

func (s *Sim) applyStore(o *operation[state.Op, state.Result]) {
	p := &s.stores
	if s.over {
		s.result.LandedLate++
	}
	o.result = s.cfg.Storage.Do(o.op)
	if o.fate == fateTorn {
		if t, ok := s.cfg.Storage.(interface{ Truncate(key string, n int) bool }); ok {
			t.Truncate(o.op.Key, len(o.op.Data)/2)
		}
	}
	content := uint64(len(o.op.Data))
	if s.cfg.Job.Config.HashContents {
		content = sum(o.op.Data)
	}
	p.chain = mix(p.chain, xxhash.Sum64String(o.op.Key)^uint64(o.op.Kind)^uint64(o.fate)<<8, content^uint64(o.result.Status)<<56)
	if s.injector != nil && (o.op.Kind == state.OpPut || o.op.Kind == state.OpCreate) && o.result.Status == state.OK {
		s.written = append(s.written, o.op.Key)
	}
	s.observeStore(trace.StoreApplied, &o.op, &o.by, o.op.Attempt, trace.NoOutcome)
}

// onStoreDone is the moment when the caller hears of the outcome.
func (s *Sim) onStoreDone(e *event) {
	p := &s.stores
	o := &p.items[e.ref]
	if until := s.callerStalled(&o.by); until > s.now {
		s.postpone(e, until)
		return
	}
	r := o.result
	if o.fate != fateOK {
		s.result.StoreRetried++
		r = state.Result{Status: state.Failed, Err: fmt.Errorf("storage: %s %q: the outcome is unknown", o.op.Kind, o.op.Key)}
	}
	done := *o
	if o.events--; o.events == 0 {
		p.take(e.ref)
	}
	s.observeStore(trace.StoreDone, &done.op, &done.by, done.op.Attempt, trace.Outcome(r.Status))
	s.deliverStored(&done, r)
}

func (s *Sim) callerStalled(by *owner) Nanos {
	if by.kind == ofCoordinator {
		return s.coord.stalled
	}
	return s.tasks[by.task].stalled
}

func (s *Sim) deliverStored(o *operation[state.Op, state.Result], r state.Result) {
	if o.by.transfer != 0 {
		s.transferOpDone(o, r)
		return
	}
	if o.by.kind == ofCoordinator {
		if s.coord.coord != nil && s.coord.term() == o.by.inc {
			s.coord.done(o.by.ticket, r)
		}
		return
	}
	if s.isCurrent(o.by.task, o.by.inc) {
		s.event = dataflow.Event{Kind: dataflow.EvStored, Ticket: o.by.ticket, Result: r}
		s.tasks[o.by.task].step(&s.event)
	}
}

// observeStore counts a storage event and shows it if somebody looks.
func (s *Sim) observeStore(k trace.Kind, op *state.Op, by *owner, attempt id.Attempt, outcome trace.Outcome) {
	s.observers.counts[k]++
	if !s.observers.wants(k) {
		return
	}
	task := trace.Coordinator
	if by.kind == ofTask {
		task = id.TaskID(by.task)
		if t := &s.tasks[by.task]; attempt == 0 && t.inc() == by.inc {
			attempt = t.attempt()
		}
	}
	s.observers.send(trace.Event{Kind: k, Task: task, Channel: trace.NoChannel, Attempt: attempt, To: uint64(len(op.Data)), Op: trace.Op(op.Kind), Key: op.Key, Outcome: outcome})
}

// --- asynchronous work ---

// transfer is asynchronous work of a task under way.
type transfer struct {
	tr      state.Transfer
	task    *taskHost // nil: the incarnation is gone
	inc     uint32
	ticket  id.Ticket
	results []state.Result
	left    int // operations without outcome
}

func (s *Sim) beginTransfer(t *taskHost, k id.Ticket, tr state.Transfer) {
	i := s.transfers.put(transfer{tr: tr, task: t, inc: t.inc(), ticket: k})
	s.push(s.now+s.cfg.Model.TransferSlice, classTask, kindTransfer, i, 0, 0)
}

// onTransfer runs one slice.
func (s *Sim) onTransfer(e *event) {
	x := &s.transfers.items[e.ref]
	t := x.task
	if t == nil {
		s.transfers.take(e.ref)
		return
	}
	if t.stalled > s.now {
		s.postpone(e, t.stalled)
		return
	}
	ops, done, err := x.tr.Next(x.results)
	if done || err != nil {
		ticket := x.ticket
		s.transfers.take(e.ref)
		s.event = dataflow.Event{Kind: dataflow.EvTransfer, Ticket: ticket, Err: err}
		t.step(&s.event)
		return
	}
	x.results = nil
	if len(ops) == 0 {
		s.push(s.now+s.cfg.Model.TransferSlice, classTask, kindTransfer, e.ref, 0, 0)
		return
	}
	x.results, x.left = make([]state.Result, len(ops)), len(ops)
	for i := range ops {
		s.issueStore(ops[i], owner{kind: ofTask, task: t.id, inc: t.inc(), ticket: x.ticket, transfer: e.ref + 1, index: i}, t.attempt())
	}
}

// transferOpDone collects outcomes; the last one makes the next slice due.
func (s *Sim) transferOpDone(o *operation[state.Op, state.Result], r state.Result) {
	k := o.by.transfer - 1
	x := &s.transfers.items[k]
	x.results[o.by.index] = r
	if x.left--; x.left == 0 {
		s.push(s.now+s.cfg.Model.TransferSlice, classTask, kindTransfer, k, 0, 0)
	}
}
