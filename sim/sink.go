package sim

import (
	"fmt"

	"weir/dataflow"
	"weir/trace"
)

type (
	extOperation = operation[dataflow.ExtOp, dataflow.ExtStatus]
	// sinkPlace is the place of the external store.
	sinkPlace struct{ *Sim }
)

var _ place[dataflow.ExtOp, dataflow.ExtStatus] = sinkPlace{}

func (s sinkPlace) key(by *owner) int { return int(by.task) }

func (s sinkPlace) about(op *dataflow.ExtOp) (kind trace.Op, object string, writes bool, size int) {
	return op.Kind, "", true, len(op.Rows)
}

// tears: an external store is transactional.
func (s sinkPlace) tears(*dataflow.ExtOp) bool { return false }

func (s sinkPlace) do(o *extOperation) {
	if s.cfg.External == nil {
		s.stop(Failed, fmt.Errorf("t%d writes to an external store and the run has none; set Config.External", o.op.Task))
		return
	}
	s.committing = o.op.Attempt
	o.result = s.cfg.External.Do(o.op)
	s.exts.chain = mix(s.exts.chain, uint64(o.op.Kind-trace.ExtAppend+1)<<56^uint64(o.op.Task)<<40^uint64(o.op.Attempt)^uint64(o.op.Txn)<<8, o.op.Number^uint64(o.result)<<56^uint64(o.op.Count)<<32)
}

// failed: no fault makes the external store refuse for good.
func (s sinkPlace) failed(*dataflow.ExtOp, fate) dataflow.ExtStatus {
	s.result.ExtRetried++
	return dataflow.ExtFailed
}

func (s sinkPlace) answer(o *extOperation, status dataflow.ExtStatus) {
	if t := s.host(o.by.task, o.by.inc); t != nil {
		s.event = dataflow.Event{Kind: dataflow.EvExternal, Ticket: o.by.ticket, Ext: status}
		t.step(&s.event)
	}
}

func (s sinkPlace) lost(*extOperation) {}

func (s sinkPlace) issued(o *extOperation) {
	s.result.ExtOps++
	s.observe(trace.ExtIssued, o, trace.NoOutcome)
}

func (s sinkPlace) applied(o *extOperation) { s.observe(trace.ExtApplied, o, trace.NoOutcome) }

func (s sinkPlace) done(o *extOperation, status dataflow.ExtStatus) {
	s.observe(trace.ExtDone, o, status.Outcome())
}

// observe counts an event of the external store and shows it if somebody looks.
func (s sinkPlace) observe(k trace.Kind, o *extOperation, outcome trace.Outcome) {
	s.observers.counts[k]++
	if !s.observers.wants(k) {
		return
	}
	op := &o.op
	s.observers.send(trace.Event{Kind: k, Task: op.Task, Channel: trace.NoChannel, Attempt: op.Attempt, Epoch: op.Txn, From: op.Number, To: uint64(op.Count), Op: op.Kind, Outcome: outcome})
}
