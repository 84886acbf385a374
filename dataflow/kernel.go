package dataflow

import (
	"errors"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// This file holds the rest of what a Protocol may ask of its Kernel.

// ErrLostOutput is the failure of a task whose sealed transaction the external
// store does not know any more: output that was promised is lost.
var ErrLostOutput = errors.New("the external store does not know a transaction that must be committed: output is lost")

// IsDrained reports that the task has processed its last record.
func (t *Task) IsDrained() bool { return t.drained }

// Pause stops turns; everything else still comes in.
func (t *Task) Pause(on bool) { t.paused = on }

// Limit lets a source go to o and no further.
func (t *Task) Limit(o id.Offset) bool {
	t.limit = o
	return t.source != nil && t.source.Offset() >= o
}

// Broadcast seals what is open and puts a control item on every output.
func (t *Task) Broadcast(op uint8, e id.Epoch, p Place, data []byte) {
	t.flush()
	for i := range t.outputs {
		place := p
		if t.outputs[i].Forbidden {
			place = InBand
		}
		t.outputs[i].control(op, e, place, data)
	}
}

// Flush seals what is open.
func (t *Task) Flush() { t.flush() }

// Demote queues an overtaking item in-band.
func (t *Task) Demote(i int, b *Buffer) {
	c := *b
	c.Over = false
	t.enqueueInput(i, &c)
}

// Reply sends data to the sender of input in.
func (t *Task) Reply(in int, data []byte) { t.host.Back(in, data) }

// SealedUpTo is the last position sealed on an output.
func (t *Task) SealedUpTo(out int) id.Seq { return t.outputs[out].sealed }

// Release lets numbered items of an output up to upTo go.
func (t *Task) Release(out int, upTo id.Seq) {
	o := &t.outputs[out]
	o.released = max(o.released, upTo)
	o.drain()
}

// Resend replaces the queue of an output.
func (t *Task) Resend(out int, bs []*Buffer) {
	o := &t.outputs[out]
	o.q.clear()
	for _, b := range bs {
		o.q.push(b)
	}
}

// Tell sends a message to the coordinator.
func (t *Task) Tell(data []byte) { t.host.Tell(data) }

// After asks for Protocol.Timer after d.
func (t *Task) After(d Nanos) id.Ticket {
	k := t.ticket(effect{kind: effectProtocolTimer})
	t.host.Timer(k, d)
	return k
}

// Store asks for a storage operation, repeated while its outcome is unknown.
func (t *Task) Store(op state.Op) id.Ticket {
	k := t.ticket(effect{kind: effectProtocolStore, op: op})
	t.host.Store(k, op)
	return k
}

// Draw is an arbitrary choice by the driver.
func (t *Task) Draw(c Choice, n int) int { return t.host.Draw(c, n) }

// Observe reports a protocol event.
func (t *Task) Observe(k TraceKind, e id.Epoch, text string) { t.observe(k, e, text) }

// Commit makes everything up to e visible and lets the store forget older bases.
func (t *Task) Commit(e id.Epoch) {
	t.observe(trace.CommitAsked, e, "")
	if t.sink != nil {
		for _, op := range t.sink.Commit(e) {
			t.external(op)
		}
	}
}

// ReleaseBase lets the state store forget what it knows of snapshots before base.
func (t *Task) ReleaseBase(base id.Epoch) { t.store.Release(base) }

// Finish leaves once all commits are through and all snapshots begun are
// stored or given up: what is queued on the outputs may stand in them only.
func (t *Task) Finish() {
	t.finishing = true
	t.tryLeave()
}

func (t *Task) tryLeave() {
	if t.finishing && t.extCount == 0 && len(t.drafts) == 0 && t.phase == running {
		t.leave()
		t.host.Left()
	}
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
	t.host.External(t.ticket(effect{kind: effectExternal, ext: op}), op)
}

func (t *Task) externalDone(e effect, s ExtStatus) {
	switch s {
	case ExtFailed:
		t.host.External(t.ticket(e), e.ext)
		return
	case ExtFenced:
		t.fail(errors.New("the external store has fenced this attempt: a newer one runs"))
		return
	case ExtAbsent:
		t.fail(ErrLostOutput)
		return
	case ExtOK:
	}
	t.extCount--
	if e.ext.Kind == ExtCommit {
		t.sink.Committed(e.ext.Txn)
	}
	t.tryLeave()
}
