package live

import (
	"sync"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
	"weir/trace/cost"
)

// CostObserver is an Observer that takes also what no event carries: parts of the
// cost of a task's share of a snapshot. They come before its SnapshotStored, in
// any order and one measurement at a time; they are to be added up.
type CostObserver interface {
	trace.Observer
	ObserveCost(t id.TaskID, e id.Epoch, c *cost.Vector[int64])
}

// observers hands events to those who asked for their kind, one at a time.
type observers struct {
	mu    sync.Mutex
	all   []trace.Observer
	masks []trace.Mask
	takes []CostObserver
	wants trace.Mask // of anybody; constant
}

func newObservers(cfg *Config) *observers {
	o := &observers{}
	if cfg.Observer != nil {
		o.add(cfg.Observer)
	}
	if cfg.Checkpoints != nil {
		o.add(cfg.Checkpoints)
	}
	return o
}

func (o *observers) add(x trace.Observer) {
	m := x.Wants()
	o.all, o.masks, o.wants = append(o.all, x), append(o.masks, m), o.wants|m
	if p, ok := x.(CostObserver); ok {
		o.takes = append(o.takes, p)
	}
}

func (o *observers) observe(e *trace.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.send(e)
}

func (o *observers) send(e *trace.Event) {
	for i, x := range o.all {
		if o.masks[i].Has(e.Kind) {
			x.Observe(e)
		}
	}
}

// observeOf is observe for an incarnation: nothing of it is seen once it is
// halted, although the step it is in may go on for a moment.
func (o *observers) observeOf(r *runner, e *trace.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.stopped.Load() {
		return
	}
	o.send(e)
}

func (o *observers) cost(t id.TaskID, e id.Epoch, c *cost.Vector[int64]) {
	if len(o.takes) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range o.takes {
		x.ObserveCost(t, e, c)
	}
}

// operation reports one end of a storage operation.
func (o *observers) operation(now int64, k trace.Kind, t id.TaskID, a id.Attempt, op state.Op, s state.Status) {
	if !o.wants.Has(k) {
		return
	}
	e := trace.Event{Time: now, Kind: k, Task: t, Attempt: a, Channel: trace.NoChannel, From: uint64(op.To), To: uint64(len(op.Data)), Op: trace.Op(op.Kind), Key: op.Key}
	if k == trace.StoreDone {
		e.Outcome = trace.Outcome(s)
	}
	o.observe(&e)
}

// external reports a moment of an operation on the external store; s is its outcome, 0 before.
func (o *observers) external(now int64, k trace.Kind, op *dataflow.ExtOp, s dataflow.ExtStatus) {
	if !o.wants.Has(k) {
		return
	}
	o.observe(&trace.Event{Time: now, Kind: k, Task: op.Task, Attempt: op.Attempt, Channel: trace.NoChannel, Epoch: op.Txn, From: op.Number, To: uint64(op.Count), Op: op.Kind, Outcome: s.Outcome()})
}
