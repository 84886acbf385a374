package dataflow

import (
	"slices"

	"weir/id"
	"weir/trace"
)

// A barrier that waits in a queue can be made to overtake what it waits behind.
// What it overtakes is taken here and not by the algorithm: as soon as the barrier
// is ahead of it, the snapshot may be written.

// LiftInput takes the barrier of snapshot e out of the queue of input i.
func (k *kernel) LiftInput(i int, e id.Epoch) bool {
	in := &k.inputs[i]
	at := in.q.control(e)
	if at < 0 || in.Forbidden {
		return false
	}
	k.task().draft(e).Queued(i)
	in.q.remove(at)
	if in.q.len() == 0 && in.blocked == 0 {
		k.servable.remove(i)
	}
	k.task().observeChannel(trace.BarrierReceived, in.ID, e, trace.Overtaking)
	return true
}

// LiftOutput has the barrier of snapshot e overtake in the queue of output out.
func (k *kernel) LiftOutput(out int, e id.Epoch) bool {
	o := &k.outputs[out]
	w := slices.IndexFunc(o.waiting, func(d *Draft) bool { return d.head.Epoch == e })
	if w < 0 {
		return false
	}
	at := o.q.control(e)
	if k.cfg.Mutant != MutantLiftTakesNothing {
		o.waiting[w].queuedOn(o, at)
	}
	b := *o.q.remove(at)
	b.Over = true
	k.task().observeChannel(trace.BarrierSent, o.ID, e, trace.Overtaking)
	o.overtake(&b)
	return true
}

// Hold keeps the draft from being written before its barrier, a Marker, has left
// the queues of all outputs where it may overtake: until then Kernel.LiftOutput can
// still add to it.
func (d *Draft) Hold() {
	for i := range d.t.outputs {
		if o := &d.t.outputs[i]; !o.Forbidden && o.q.control(d.head.Epoch) >= 0 {
			d.unsent++
			o.waiting = append(o.waiting, d)
		}
	}
}

// gone: the barrier of epoch e has left the queue.
func (o *output) gone(e id.Epoch) {
	for i, d := range o.waiting {
		if d.head.Epoch == e {
			o.waiting = slices.Delete(o.waiting, i, i+1)
			d.unsent--
			o.t.advanceDrafts()
			return
		}
	}
}

// draft returns the draft of epoch e, which has begun and is not stored.
func (t *Task) draft(e id.Epoch) *Draft {
	return t.drafts[slices.IndexFunc(t.drafts, func(d *Draft) bool { return d.head.Epoch == e })]
}
