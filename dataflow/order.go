package dataflow

// Order where a job goes on with another shape. Records of one key may have moved between
// senders: what one of them sends again must be handled before what another one sends new.
// So every sender puts a SentAgain behind what it has sent again, on all outputs, and a
// receiver takes nothing behind that of an input before all inputs of the edge have brought
// theirs. It is numbered and captured like data, and what an input has had of it stands in
// the snapshot. Where the shape changes once more while it is under way, what was in front of
// it and behind it is sent again alike: among senders that order is not kept.

// block is why nothing is delivered from an input.
type block uint8

const (
	byProtocol block = 1 << iota // Kernel.Block
	byOrder                      // until all inputs of the edge have had SentAgain
)

// block stops delivery from an input for one more reason.
func (t *Task) block(i int, why block) {
	in := &t.inputs[i]
	if in.blocked == 0 && in.q.len() > 0 {
		t.servable.remove(i)
	}
	in.blocked |= why
}

// unblock takes a reason away.
func (t *Task) unblock(i int, why block) {
	in := &t.inputs[i]
	if in.blocked == 0 {
		return
	}
	in.blocked &^= why
	if in.blocked == 0 && in.q.len() > 0 {
		t.servable.add(i)
	}
}

// sentAgain queues the end of what was sent again. Like an end it needs no credit.
func (o *output) sentAgain() {
	b := &Buffer{Item: SentAgain, Watermark: NoWatermark, Shared: true, N: 1}
	o.number(b)
	o.enqueue(b)
}

// deliverSentAgain takes the end of what was sent again on an input.
func (t *Task) deliverSentAgain(i int, b *Buffer) {
	in := t.received(i, b)
	in.awaits, in.waits = false, true
	t.orderEdge(in.Edge)
}

// orderEdge has the inputs of an edge that have had SentAgain wait for the others, or go on.
func (t *Task) orderEdge(edge int) {
	missing := false
	for i := range t.inputs {
		if in := &t.inputs[i]; in.Edge == edge && in.awaits {
			missing = true
		}
	}
	for i := range t.inputs {
		switch in := &t.inputs[i]; {
		case in.Edge != edge || !in.waits:
		case missing && t.cfg.Mutant != MutantOrderForgotten:
			t.block(i, byOrder)
		default:
			in.waits = false
			t.unblock(i, byOrder)
		}
	}
}
