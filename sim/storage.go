package sim

import (
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// storagePlace is the place of checkpoint storage.
type storagePlace struct{ *Sim }

var _ place[state.Op, state.Result] = storagePlace{}

func (s storagePlace) key(by *owner) int {
	if by.kind == ofReader {
		return len(s.infos) + 1
	}
	return by.key()
}

func (s storagePlace) about(op *state.Op) (kind trace.Op, object string, writes bool, size int) {
	reads := op.Kind == state.OpGet || op.Kind == state.OpList || op.Kind == state.OpReadLog
	return trace.Op(op.Kind), op.Key, !reads, len(op.Data)
}

func (s storagePlace) tears(op *state.Op) bool { return op.Kind == state.OpPut }

func (s storagePlace) do(o *operation[state.Op, state.Result]) {
	switch o.fate {
	case fateForgotten:
		o.result = state.Result{Status: state.OK}
		s.destroyed(o.op.Key)
	case fateMisdirected:
		s.misdirect(o)
	default:
		o.result = s.cfg.Storage.Do(o.op)
	}
	if o.fate == fateStale {
		s.hideNewest(o)
	}
	if o.fate == fateTorn {
		if t, ok := s.cfg.Storage.(interface{ Truncate(key string, n int) bool }); ok {
			t.Truncate(o.op.Key, len(o.op.Data)/2)
			s.destroyed(o.op.Key)
		}
	}
	content := uint64(len(o.op.Data))
	if s.cfg.Job.Config.HashContents {
		content = sum(o.op.Data)
	}
	s.stores.chain = mix(s.stores.chain, xxhash.Sum64String(o.op.Key)^uint64(o.op.Kind)^uint64(o.fate)<<8, content^uint64(o.result.Status)<<56)
	if s.injector != nil && writes(o.op.Kind) && o.result.Status == state.OK && o.fate < fateForgotten {
		s.written = append(s.written, o.op.Key)
	}
	if s.injector != nil && o.op.Kind == state.OpTrim {
		s.relied.trim(o.op.Key)
	}
}

// writes reports whether an operation leaves bytes that can be damaged.
func writes(k state.OpKind) bool {
	return k == state.OpPut || k == state.OpCreate || k == state.OpAppend
}

// misdirect lets a put land where the object stands that was written before it, as
// a disk does that takes a wrong address; without one it is forgotten.
func (s storagePlace) misdirect(o *operation[state.Op, state.Result]) {
	o.result = state.Result{Status: state.OK}
	s.destroyed(o.op.Key)
	for i := len(s.written) - 1; i >= 0; i-- {
		if key := s.written[i]; key != o.op.Key && s.cfg.Storage.Do(state.Op{Kind: state.OpGet, Key: key}).Status == state.OK {
			wrong := o.op
			wrong.Key = key
			s.cfg.Storage.Do(wrong)
			s.destroyed(key)
			return
		}
	}
}

// hideNewest takes what was written last under the key out of an answer, as a store
// does whose listings and replicas lag.
func (s storagePlace) hideNewest(o *operation[state.Op, state.Result]) {
	if o.op.Kind == state.OpGet {
		o.result = state.Result{Status: state.NotFound}
		return
	}
	for i := len(s.written) - 1; i >= 0; i-- {
		at := slices.IndexFunc(o.result.List, func(e state.Entry) bool { return e.Key == s.written[i] })
		if at >= 0 {
			o.result.List = slices.Delete(o.result.List, at, at+1)
			return
		}
	}
}

func (s storagePlace) failed(op *state.Op, f fate) state.Result {
	if f == fateRefused {
		s.result.Destroyed = append(s.result.Destroyed, op.Key)
		return state.Result{Status: state.Refused, Err: fmt.Errorf("storage: %s %q: no room, by a fault", op.Kind, op.Key)}
	}
	s.result.StoreRetried++
	return state.Result{Status: state.Failed, Err: fmt.Errorf("storage: %s %q: the outcome is unknown", op.Kind, op.Key)}
}

func (s storagePlace) answer(o *operation[state.Op, state.Result], r state.Result) {
	if o.by.transfer != 0 {
		s.transferOpDone(o, r)
		return
	}
	if o.by.kind == ofCoordinator {
		if c := s.coordinator(o.by.inc); c != nil && c.still() {
			c.done(o.by.ticket, r)
		}
		return
	}
	if o.by.kind == ofCandidate {
		if p := s.processes[o.by.task]; p.gen == o.by.inc {
			p.candidate.Done(o.by.ticket, r)
		}
		return
	}
	if o.by.kind == ofReader {
		s.queries.outcome(o.by.inc, r)
		return
	}
	if t := s.host(o.by.task, o.by.inc); t != nil {
		s.event = dataflow.Event{Kind: dataflow.EvStored, Ticket: o.by.ticket, Result: r}
		t.step(&s.event)
	}
}

func (s storagePlace) lost(o *operation[state.Op, state.Result]) {
	if o.by.transfer != 0 {
		s.transferOpDone(o, state.Result{})
	}
}

func (s storagePlace) issued(o *operation[state.Op, state.Result]) {
	s.result.StoreOps++
	s.observe(trace.StoreIssued, o, trace.NoOutcome)
}

func (s storagePlace) applied(o *operation[state.Op, state.Result]) {
	s.observe(trace.StoreApplied, o, trace.NoOutcome)
}

func (s storagePlace) done(o *operation[state.Op, state.Result], r state.Result) {
	s.observe(trace.StoreDone, o, trace.Outcome(r.Status))
}

// observe counts a storage event and shows it if somebody looks.
func (s storagePlace) observe(k trace.Kind, o *operation[state.Op, state.Result], outcome trace.Outcome) {
	s.observers.counts[k]++
	if !s.observers.wants(k) {
		return
	}
	op, by, task, cause := &o.op, &o.by, trace.Coordinator, trace.NoCause
	attempt := op.Attempt
	if by.kind == ofCoordinator && by.inc != uint32(s.roster.Term()) || by.kind == ofReader { // what it lists tells the job nothing
		cause = trace.FencedOff
	}
	if by.kind == ofTask {
		task = id.TaskID(by.task)
		if attempt == 0 && !o.left {
			if t := s.tasks[by.task]; t.inc() == by.inc {
				attempt = t.attempt()
			}
		}
	}
	s.observers.send(trace.Event{Kind: k, Task: task, Channel: trace.NoChannel, Attempt: attempt, Cause: cause, From: uint64(op.To), To: uint64(len(op.Data)), Op: trace.Op(op.Kind), Key: op.Key, Outcome: outcome})
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
		issue(s, &s.stores, ops[i], owner{kind: ofTask, task: t.id, inc: t.inc(), ticket: x.ticket, transfer: e.ref + 1, index: i})
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
