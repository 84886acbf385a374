package dataflow

import (
	"fmt"

	"weir/id"
	"weir/trace"
)

// arrive queues a buffer from the wire, or hands an overtaking item over at once.
func (t *Task) arrive(i int, b *Buffer) {
	in := &t.inputs[i]
	if t.phase != running {
		return // not connected any more, or not yet
	}
	if b.Item == EndStream && in.gone {
		return // of another connection with a sender that had left
	}
	if b.Over {
		t.record(in, b)
		t.observeChannel(trace.BarrierReceived, in.ID, b.Epoch, trace.Overtaking)
		t.proto.Control(i, b)
		return
	}
	if b.numbered() {
		if t.dedups {
			if t.duplicate(i, b) {
				return
			}
			if in.loose == nil {
				b = b.behind(in.arrived)
			}
		}
		if !in.follows(b) {
			t.failFor(trace.Gap, fmt.Errorf("input %s: item %d arrived behind %d: the channel lost or repeated something", in.ID, b.Seq, in.arrived))
			return
		}
		in.came(b)
	}
	t.enqueueInput(i, b)
	if b.Item == Control && t.announcer != nil {
		t.announcer.Announce(i, b)
	}
}

func (t *Task) enqueueInput(i int, b *Buffer) {
	in := &t.inputs[i]
	t.parked = false
	t.record(in, b)
	in.q.push(b)
	if in.q.len() == 1 && in.blocked == 0 {
		t.servable.add(i)
	}
}

// duplicate drops what a Deduper has already. A channel that reorders repeats
// buffers whole, if at all.
func (t *Task) duplicate(i int, b *Buffer) bool {
	in := &t.inputs[i]
	if in.knows(b) {
		if t.mask.Has(trace.Dropped) {
			t.observeBuffer(trace.Dropped, in.ID, b)
		}
		if !b.Injected && b.Item == Data {
			t.host.Credit(i, 1, nil)
		}
		return true
	}
	return false
}

// record makes an arriving item part of the drafts that record this input, and
// ends a recording at its barrier.
func (t *Task) record(in *input, b *Buffer) {
	if len(in.recorders) == 0 {
		return
	}
	kept := in.recorders[:0]
	ended := false
	for _, d := range in.recorders {
		switch {
		case b.carried():
			d.addIn(in, b)
			kept = append(kept, d)
		case b.Item == EndStream || b.Epoch >= d.head.Epoch || t.cfg.Mutant == MutantOlderBarrierEnds:
			d.recording--
			ended = true
		default:
			kept = append(kept, d)
		}
	}
	in.recorders = kept
	if ended {
		t.advanceDrafts()
	}
}

// cutInput empties the connection from this end. What was queued and not
// delivered is gone; the plan or the sender supplies it again.
func (t *Task) cutInput(i int) {
	in := &t.inputs[i]
	if in.q.len() > 0 && in.blocked == 0 {
		t.servable.remove(i)
	}
	in.q.clear()
	in.arrived = in.delivered
	if l := in.loose; l != nil {
		l.arrived, l.gone = l.delivered.clone(), false
	}
}

// Block stops delivery from an input.
func (k *kernel) Block(i int) {
	in := &k.inputs[i]
	if in.blocked&byProtocol != 0 {
		return
	}
	k.task().block(i, byProtocol)
	k.task().observeChannel(trace.ChannelBlocked, in.ID, 0, trace.NoWay)
}

// Unblock resumes delivery from an input.
func (k *kernel) Unblock(i int) {
	in := &k.inputs[i]
	if in.blocked&byProtocol == 0 {
		return
	}
	k.parked = false
	k.task().unblock(i, byProtocol)
	k.task().observeChannel(trace.ChannelUnblocked, in.ID, 0, trace.NoWay)
}

// Delivered is how many positions of an input were delivered.
func (k *kernel) Delivered(i int) id.Seq {
	if l := k.inputs[i].loose; l != nil {
		return l.delivered.count()
	}
	return k.inputs[i].delivered
}

// Ended reports that an input has delivered EndData, or EndStream when stream.
func (k *kernel) Ended(i int, stream bool) bool {
	if stream {
		return k.inputs[i].gone
	}
	return k.inputs[i].ended
}
