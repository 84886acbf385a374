package dataflow

import (
	"errors"
	"fmt"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// kernel is a task as its protocol sees it: the Kernel. It is the same object
// under another name, so that a driver, who holds the Task, has none of these
// methods, and a protocol none of the driver's.
type kernel Task

var _ Kernel = (*kernel)(nil)

func (k *kernel) task() *Task { return (*Task)(k) }

func (t *Task) kernel() *kernel { return (*kernel)(t) }

// Info describes the task.
func (k *kernel) Info() *TaskInfo { return k.info }

// Attempt is the plan that started this incarnation.
func (k *kernel) Attempt() id.Attempt { return k.attempt }

// Config returns the settings of the job.
func (k *kernel) Config() *Config { return k.cfg }

// ErrLostOutput is the failure of a task whose sealed transaction the external
// store does not know any more: output that was promised is lost.
var ErrLostOutput = errors.New("the external store does not know a transaction that must be committed: output is lost")

// TransactionOf names a transaction of the external store in errors.
func TransactionOf(t id.TaskID, e id.Epoch) string { return fmt.Sprintf("transaction %s of %s", e, t) }

// RowsOf names rows in errors that a writer has handed to the external store and that are in no transaction.
func RowsOf(t id.TaskID) string { return fmt.Sprintf("rows of %s", t) }

// IsDrained reports that the task has processed its last record.
func (k *kernel) IsDrained() bool { return k.drained }

// Firing reports that due timers are left, those that are held apart.
func (k *kernel) Firing() bool { return k.firing || k.task().clockFires() }

// Pause stops turns; everything else still comes in.
func (k *kernel) Pause(on bool) { k.paused = on }

// HoldClock keeps processing-time timers from firing.
func (k *kernel) HoldClock(on bool) { k.clockHeld = on }

// Limit lets a source hand out o records and no more.
func (k *kernel) Limit(o id.Offset) bool {
	k.limit = o
	return k.source != nil && k.offset >= o
}

// Broadcast seals what is open and puts a control item on every output.
func (k *kernel) Broadcast(op uint8, e id.Epoch, p Place, data []byte) {
	k.task().flush()
	items := make([]Buffer, len(k.outputs))
	for i := range k.outputs {
		place := p
		if p == Overtake && k.outputs[i].Forbidden && k.cfg.Mutant != MutantOvertakesForbidden {
			place = InBand
		}
		k.outputs[i].control(&items[i], op, e, place, data)
	}
}

// Flush seals what is open.
func (k *kernel) Flush() { k.task().flush() }

// Demote queues an overtaking item in-band.
func (k *kernel) Demote(i int, b *Buffer) {
	c := *b
	c.Over = false
	k.task().enqueueInput(i, &c)
}

// Reply sends data to the sender of input in.
func (k *kernel) Reply(in int, data []byte) { k.host.Back(in, data) }

// SealedUpTo is the last position sealed on an output.
func (k *kernel) SealedUpTo(out int) id.Seq { return k.outputs[out].sealed }

// Release lets numbered items of an output up to upTo go.
func (k *kernel) Release(out int, upTo id.Seq) {
	o := &k.outputs[out]
	o.released = max(o.released, upTo)
	o.drain()
}

// Resend replaces the queue of an output.
func (k *kernel) Resend(out int, bs []*Buffer) {
	o := &k.outputs[out]
	o.q.clear()
	for _, b := range bs {
		o.q.push(b)
	}
}

// Tell sends a message to the coordinator.
func (k *kernel) Tell(data []byte) { k.host.Tell(data) }

// After asks for Protocol.Timer after d.
func (k *kernel) After(d Nanos) id.Ticket {
	n := k.task().ticket(&effect{kind: effectProtocolTimer})
	k.host.Timer(n, d)
	return n
}

// Store asks for a storage operation, repeated while its outcome is unknown.
func (k *kernel) Store(op state.Op) id.Ticket {
	n := k.task().ticket(&effect{kind: effectProtocolStore, op: op})
	k.host.Store(n, op)
	return n
}

// Draw is an arbitrary choice by the driver.
func (k *kernel) Draw(c Choice, n int) int { return k.host.Draw(c, n) }

// Observe reports a protocol event.
func (k *kernel) Observe(kind TraceKind, e id.Epoch, text string) { k.task().observe(kind, e, text) }

// Commit makes everything up to e visible and lets the store forget older bases.
func (k *kernel) Commit(e id.Epoch) { k.task().commit(e) }

// ReleaseBase lets the state store forget what it knows of snapshots before base, when it
// is not being read for a savepoint.
func (k *kernel) ReleaseBase(base id.Epoch) {
	if k.saving.reading() {
		k.saving.release = max(k.saving.release, base)
		return
	}
	k.store.Release(base)
}

// Finish leaves once all commits are through and all snapshots begun are
// stored or given up: what is queued on the outputs may stand in them only.
func (k *kernel) Finish() {
	k.finishing = true
	k.task().tryLeave()
}

func (t *Task) commit(e id.Epoch) {
	t.observe(trace.CommitAsked, e, "")
	if t.sink != nil {
		for _, op := range t.sink.Commit(e) {
			t.external(op)
		}
	}
}

func (t *Task) tryLeave() {
	if t.finishing && t.extCount == 0 && len(t.drafts) == 0 && t.log.under == 0 && t.phase == running {
		t.leave()
		t.host.Left()
	}
}

// sayLeft says once more that the task has left.
func (t *Task) sayLeft() {
	if t.finishing {
		t.proto.Left()
	}
	t.host.Left()
}

// leave ends the outputs and goes; queued output is still sent.
func (t *Task) leave() {
	t.phase = left
	t.observe(trace.TaskLeft, 0, "")
	if t.finishing {
		t.proto.Left()
	}
	for i := range t.outputs {
		t.outputs[i].end(EndStream)
	}
}

// external issues an operation on the external store and repeats it until it is answered.
func (t *Task) external(op ExtOp) {
	op.Task, op.Attempt = t.info.ID, t.attempt
	t.extCount++
	t.host.External(t.ticket(&effect{kind: effectExternal, ext: op}), op)
}

// lostOutput names the transaction that is lost: whoever judges the failure looks for what
// a fault has taken.
func lostOutput(task id.TaskID, txn id.Epoch) error {
	return fmt.Errorf("%w: %s", ErrLostOutput, TransactionOf(task, txn))
}

func (t *Task) externalDone(e *effect, s ExtStatus) {
	switch s {
	case ExtFailed:
		t.host.External(t.ticket(e), e.ext)
		return
	case ExtFenced:
		t.failFor(trace.FencedOff, errors.New("the external store has fenced this attempt: a newer one runs"))
		return
	case ExtAbsent:
		t.failFor(trace.OutputLost, lostOutput(t.info.ID, e.ext.Txn))
		return
	case ExtOK:
	}
	t.extCount--
	if e.ext.Txn != 0 {
		t.sink.Committed(e.ext.Txn)
	}
	t.tryLeave()
}
