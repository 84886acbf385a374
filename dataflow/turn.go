package dataflow

import (
	"weir/id"
	"weir/trace"
)

// turn processes exactly one buffer or one source batch, of at most most
// records if most > 0.
func (t *Task) turn(most int) {
	if t.source != nil {
		t.sourceTurn(most)
		return
	}
	i := t.pick()
	if i < 0 {
		return
	}
	in := &t.inputs[i]
	b := in.q.pop()
	if in.q.len() == 0 {
		t.servable.remove(i)
	}
	switch b.Item {
	case Data:
		t.deliver(i, b)
	case EndData:
		if t.deliverer != nil {
			t.deliverer.Deliver(i, b)
		}
		in.delivered = b.Last()
		in.ended = true
		if t.mask.Has(trace.Delivered) {
			t.observeBuffer(trace.Delivered, in.ID, b)
		}
		t.inputWatermark(i, EndOfTime)
		if t.phase == failed {
			return
		}
		t.endTurn(i)
		t.proto.InputEnded(i, false)
		t.endOfInput()
	case EndStream:
		in.gone = true
		t.proto.InputEnded(i, true)
	case Control:
		if b.numbered() {
			in.delivered = b.Last()
		}
		t.observeChannel(trace.BarrierReceived, in.ID, b.Epoch, "in-band")
		t.proto.Control(i, b)
	}
}

func (t *Task) deliver(i int, b *Buffer) {
	in := &t.inputs[i]
	if t.deliverer != nil {
		t.deliverer.Deliver(i, b)
	}
	in.delivered = b.Last()
	if t.mask.Has(trace.Delivered) {
		t.observeBuffer(trace.Delivered, in.ID, b)
	}
	if b.Records > 0 {
		if err := t.op.Process(in.Port, b); err != nil {
			t.fail(err)
			return
		}
	}
	if b.Watermark != NoWatermark {
		t.inputWatermark(i, b.Watermark)
		if t.phase == failed {
			return
		}
	}
	if !b.Injected {
		if b.Shared {
			t.host.Credit(i, 1, nil)
		} else {
			t.host.Credit(i, 1, b)
		}
	}
	t.endTurn(i)
}

func (t *Task) sourceTurn(most int) {
	from := t.source.Offset()
	n := t.cfg.SourceBatch
	if most > 0 {
		n = min(n, most)
	}
	if room := t.limit - from; room < id.Offset(n) {
		n = int(room)
	}
	done, err := t.source.Emit(n)
	if err != nil {
		t.fail(err)
		return
	}
	to := t.source.Offset()
	if to != from {
		t.host.HandedOut(to)
		if t.mask.Has(trace.Emitted) {
			t.event = trace.Event{Kind: trace.Emitted, Channel: trace.NoChannel, From: uint64(from), To: uint64(to)}
			t.send()
		}
	}
	if done {
		t.advanceWatermark(EndOfTime)
	}
	if t.phase == failed { // a timer or watermark handler gave up
		return
	}
	t.endTurn(-1)
	if done {
		t.endOfInput()
	}
	if t.phase == running && !t.ended && to >= t.limit {
		t.proto.AtLimit()
	}
}

// endTurn seals what the turn produced and hands sink operations out.
func (t *Task) endTurn(in int) {
	if t.openBufs > 0 {
		if t.cfg.BatchTimeout == 0 {
			t.flush()
		} else if !t.flushing {
			t.flushing = true
			t.host.Timer(t.ticket(effect{kind: effectFlushTimer}), t.cfg.BatchTimeout)
		}
	}
	if t.sink != nil {
		for _, op := range t.sink.Flush() {
			t.external(op)
		}
	}
	if t.afterer != nil {
		t.afterer.After(in)
	}
}

// flush seals every open buffer.
func (t *Task) flush() {
	for i := range t.outputs {
		t.outputs[i].seal()
	}
}

// endOfInput runs Finish once when nothing more can come, and ends the outputs.
func (t *Task) endOfInput() {
	if t.ended || t.phase != running {
		return
	}
	for i := range t.inputs {
		if !t.inputs[i].ended {
			return
		}
	}
	t.ended = true
	if err := t.op.Finish(); err != nil {
		t.fail(err)
		return
	}
	t.flush()
	for i := range t.outputs {
		t.outputs[i].end(EndData)
	}
	if t.sink != nil {
		for _, op := range t.sink.Flush() {
			t.external(op)
		}
	}
	t.drained = true
	t.observe(trace.TaskDrained, 0, "")
	t.proto.Drained()
}

// pick chooses the input to serve, or -1 to park.
func (t *Task) pick() int {
	n := t.servable.n
	if n == 0 {
		return -1
	}
	c := 0
	if n > 1 || t.decider != nil {
		if c = t.choose(PickInput, n); c < 0 {
			t.parked = true
			return -1
		}
	}
	t.lastIn = t.servable.after(t.lastIn, c)
	return t.lastIn
}

func (t *Task) choose(c Choice, n int) int {
	if t.decider != nil {
		return t.decider.Decide(c, n)
	}
	return t.host.Draw(c, n)
}

func (t *Task) now() int64 {
	v := t.host.Now()
	if t.cfg.HashContents {
		t.mix(uint64(ClockRead), uint64(v))
	}
	return v
}

func (t *Task) random() uint64 {
	v := t.host.Random()
	if t.cfg.HashContents {
		t.mix(uint64(RandomDraw), v)
	}
	return v
}
