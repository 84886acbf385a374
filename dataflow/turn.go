package dataflow

import (
	"fmt"

	"weir/id"
	"weir/trace"
)

// turn processes exactly one buffer, one source batch, of at most most records if
// most > 0 and of split of-1 if of > 0, or one slice of timers.
func (t *Task) turn(most, of int) {
	if t.firing || t.clockFires() {
		t.slice()
		return
	}
	if t.source != nil {
		t.sourceTurn(most, of)
		return
	}
	i := t.pick()
	if i >= 0 {
		t.take(i)
	}
}

// take processes the first buffer of an input.
func (t *Task) take(i int) {
	in := &t.inputs[i]
	b := in.q.pop()
	if in.q.len() == 0 {
		t.servable.remove(i)
	}
	carried := b.carried() // a buffer whose credit has gone back may be in use again
	switch b.Item {
	case Data:
		t.deliver(i, b)
	case EndData:
		t.received(i, b)
		if in.loose != nil {
			in.loose.endAt = b.Seq
			t.settle(i, b)
		} else {
			t.inputEnds(i)
		}
	case Wave:
		t.deliverWave(i, b)
	case SentAgain:
		t.deliverSentAgain(i, b)
		if in.loose != nil {
			t.settle(i, b)
		}
	case EndStream:
		if in.loose != nil {
			in.loose.gone, in.loose.goneAt = true, b.Seq-1
			t.settle(i, b)
		} else {
			t.inputGone(i)
		}
	case Control:
		if b.numbered() {
			in.took(b)
		}
		t.observeChannel(trace.BarrierReceived, in.ID, b.Epoch, trace.InBand)
		t.proto.Control(i, b)
		if in.loose != nil {
			t.settle(i, b)
		}
	}
	if t.afterer != nil && t.phase == running && carried {
		t.afterer.After(i)
	}
}

// inputEnds puts the EndData of an input in force.
func (t *Task) inputEnds(i int) {
	t.inputs[i].ended = true
	t.inputWatermark(i, EndOfTime)
	if t.phase == failed {
		return
	}
	t.endTurn()
	t.proto.InputEnded(i, false)
	t.endOfInput()
}

// inputGone puts the EndStream of an input in force.
func (t *Task) inputGone(i int) {
	t.inputs[i].gone = true
	t.proto.InputEnded(i, true)
}

// settle puts in force what b, just delivered from a channel that reorders, was
// the last to be missing for: watermarks, the end of the data, of the stream.
func (t *Task) settle(i int, b *Buffer) {
	in := &t.inputs[i]
	l := in.loose
	if wm := l.hold(b); wm != NoWatermark {
		t.inputWatermark(i, wm)
		t.endTurn()
	}
	if t.phase == running && l.endAt != 0 && l.endAt <= in.delivered {
		l.endAt = 0
		t.inputEnds(i)
	}
	if t.phase == running && l.gone && l.goneAt <= in.delivered {
		l.gone = false
		t.inputGone(i)
	}
}

// received notes that b is delivered from input i: all of it counts as here, and the
// protocol has seen it.
func (t *Task) received(i int, b *Buffer) *input {
	in := &t.inputs[i]
	if t.deliverer != nil {
		t.deliverer.Deliver(i, b)
	}
	in.took(b)
	if t.mask.Has(trace.Delivered) {
		t.observeBuffer(trace.Delivered, in.ID, b)
	}
	return in
}

func (t *Task) deliver(i int, b *Buffer) {
	in := t.received(i, b)
	if b.Records > 0 {
		if in.Back && !t.cameRound() {
			return
		}
		t.tellTime(t.watermark)
		t.serving = in.Partitioning
		err := t.op.Process(in.Port, b)
		t.serving = 0
		if err != nil {
			t.fail(err)
			return
		}
	}
	if b.Watermark != NoWatermark && in.loose == nil {
		t.inputWatermark(i, b.Watermark)
	}
	if t.pastTimers(); t.phase == failed {
		return
	}
	if !b.Injected {
		if b.Shared || in.loose != nil { // settle still looks at it
			t.host.Credit(i, 1, nil)
		} else {
			t.host.Credit(i, 1, b)
		}
	}
	t.endTurn()
	if in.loose != nil {
		t.settle(i, b)
	}
}

// endTurn seals what the turn produced and hands sink operations out.
func (t *Task) endTurn() {
	if t.openBufs > 0 {
		if t.cfg.BatchTimeout == 0 || t.decider != nil {
			t.flush()
		} else if !t.flushing {
			t.flushing = true
			t.host.Timer(t.ticket(&effect{kind: effectFlushTimer}), t.cfg.BatchTimeout)
		}
	}
	if t.sink != nil {
		for _, op := range t.sink.Flush() {
			t.external(op)
		}
	}
}

// flush seals every open buffer.
func (t *Task) flush() {
	for i := range t.outputs {
		t.outputs[i].seal()
	}
}

// inputsEnded reports that every input has delivered its end.
func (t *Task) inputsEnded() bool {
	for i := range t.inputs {
		if !t.inputs[i].ended {
			return false
		}
	}
	return true
}

// endOfInput runs Finish once when no record can come any more, and ends the
// outputs; in a loop it asks round first. The task is drained when all its inputs
// have ended: the head of a loop still gets what its own end sends round.
func (t *Task) endOfInput() {
	if t.drained || t.firing || t.phase != running {
		return
	}
	all := t.inputsEnded()
	if !t.ended && (all || t.looped()) {
		t.finish()
	}
	if all && t.phase == running {
		t.drained = true
		t.observe(trace.TaskDrained, 0, "")
		if t.cfg.Mutant == MutantEndCommits {
			t.commit(^id.Epoch(0))
		}
		t.proto.Drained()
	}
}

func (t *Task) finish() {
	t.ended = true
	t.tellTime(t.watermark)
	if err := t.op.Finish(); err != nil {
		t.fail(err)
		return
	}
	if t.past { // in one go: Finish must not be called again
		t.firing = true
		if t.fire(-1); t.phase == failed {
			return
		}
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
}

// pick chooses the input to serve, or -1 to wait for the next arrival.
func (t *Task) pick() int {
	if v, ok := t.recall(PickInput); ok {
		return t.pickAgain(v)
	}
	i := t.pickFreely()
	if i >= 0 {
		t.lastIn = i
		t.chosen(PickInput, uint64(i))
	}
	return i
}

// pickAgain takes the recorded input once it has something to serve.
func (t *Task) pickAgain(v uint64) int {
	if v >= uint64(len(t.inputs)) {
		t.fail(fmt.Errorf("input %d was recorded as the one to serve; there are %d", v, len(t.inputs)))
		return -1
	}
	if in := &t.inputs[v]; in.blocked != 0 || in.q.len() == 0 {
		t.parked = true
		return -1
	}
	t.lastIn = int(v)
	t.chosen(PickInput, v)
	return t.lastIn
}

func (t *Task) pickFreely() int {
	n, c := t.servable.n, 0
	switch {
	case n == 0:
		return -1
	case n > 1:
		c = t.host.Draw(PickInput, n)
	}
	return t.servable.after(t.lastIn, c)
}

// recall returns the recorded answer to the next choice.
func (t *Task) recall(c Choice) (uint64, bool) {
	if t.decider == nil {
		return 0, false
	}
	return t.decider.Recall(c)
}

// chosen has a choice recorded.
func (t *Task) chosen(c Choice, v uint64) {
	if t.decider != nil {
		t.decider.Record(c, v)
	}
}

// now reads the clock, which stands still for an incarnation while the worker's clock,
// set back, has not caught up: a timer that was due stays so.
func (t *Task) now() int64 {
	again, ok := t.recall(ClockRead)
	v := int64(again)
	if !ok {
		v = max(t.host.Now(), t.latest)
	}
	t.latest = v
	t.chosen(ClockRead, uint64(v))
	if t.cfg.HashContents {
		t.mix(uint64(ClockRead), uint64(v))
	}
	return v
}

func (t *Task) random() uint64 {
	v, ok := t.recall(RandomDraw)
	if !ok {
		v = t.host.Random()
	}
	t.chosen(RandomDraw, v)
	if t.cfg.HashContents {
		t.mix(uint64(RandomDraw), v)
	}
	return v
}
