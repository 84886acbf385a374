package live

import (
	"sync"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Part is a measurement of one task's share of a snapshot that no event carries.
type Part struct {
	SyncNanos     int64 // the step that began it, from the instant on
	TransferNanos int64 // its state transfer, waiting for a turn not included
	Uploaded      int64 // bytes that the transfer wrote
	StateBytes    int64 // state.Handle.Bytes
	ChangedBytes  int64 // see state.ChangeMeter
	ChangeKnown   bool
}

// PartObserver is an Observer that takes these measurements too. A task's
// parts come before its SnapshotStored, in any order and one field at a time;
// they are to be added up.
type PartObserver interface {
	trace.Observer
	ObservePart(t id.TaskID, e id.Epoch, p Part)
}

// observers hands events to those who asked for their kind, one at a time.
type observers struct {
	mu    sync.Mutex
	all   []trace.Observer
	masks []trace.Mask
	takes []PartObserver
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
	if p, ok := x.(PartObserver); ok {
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

func (o *observers) parts(t id.TaskID, e id.Epoch, p Part) {
	if len(o.takes) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range o.takes {
		x.ObservePart(t, e, p)
	}
}

// operation reports one end of a storage operation.
func (o *observers) operation(now int64, k trace.Kind, t id.TaskID, a id.Attempt, op state.Op, s state.Status) {
	if !o.wants.Has(k) {
		return
	}
	e := trace.Event{Time: now, Kind: k, Task: t, Attempt: a, Channel: trace.NoChannel, To: uint64(len(op.Data)), Op: trace.Op(op.Kind), Key: op.Key}
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
	o.observe(&trace.Event{Time: now, Kind: k, Task: op.Task, Attempt: op.Attempt, Channel: trace.NoChannel, Epoch: op.Txn, To: uint64(op.Count), Op: op.Kind.Op(), Outcome: s.Outcome()})
}
