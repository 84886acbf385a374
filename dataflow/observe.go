package dataflow

import (
	"math/bits"

	"weir/id"
	"weir/trace"
)

func (t *Task) mix(a, b uint64) {
	hi, lo := bits.Mul64(t.chain^a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	t.chain = hi ^ lo ^ bits.RotateLeft64(t.chain, 23)
}

func (t *Task) mixEvent(ev *Event) {
	t.mix(uint64(ev.Kind)<<32|uint64(uint32(ev.Port)), uint64(ev.N)^uint64(ev.Seq)^uint64(ev.Attempt)<<40^uint64(ev.Ext)<<56^uint64(ev.Result.Status)<<60)
	if b := ev.Buffer; b != nil && ev.Kind == EvArrive {
		t.mix(b.Sum, uint64(b.Seq)<<16^uint64(b.N)^uint64(b.Epoch)<<8^uint64(b.Item)<<60)
	}
	if len(ev.Data) > 0 {
		t.mix(sum64(ev.Data), 1)
	}
	if len(ev.Result.Data) > 0 {
		t.mix(sum64(ev.Result.Data), 2)
	}
}

func (t *Task) send() {
	t.event.Task, t.event.Attempt = t.info.ID, t.attempt
	t.observer.Observe(&t.event)
}

func (t *Task) observe(k trace.Kind, e id.Epoch, text string) {
	if t.mask.Has(k) {
		t.event = trace.Event{Kind: k, Channel: trace.NoChannel, Epoch: e, Text: text}
		t.send()
	}
}

// observeKey reports an event about a stored object.
func (t *Task) observeKey(k trace.Kind, e id.Epoch, key string, size int64) {
	if t.mask.Has(k) {
		t.event = trace.Event{Kind: k, Channel: trace.NoChannel, Epoch: e, To: uint64(size), Key: key}
		t.send()
	}
}

// observeFailure reports that the task or its snapshot e has failed.
func (t *Task) observeFailure(k trace.Kind, e id.Epoch, c trace.Cause, reason string) {
	if t.mask.Has(k) {
		t.event = trace.Event{Kind: k, Channel: trace.NoChannel, Epoch: e, Cause: c, Text: reason}
		t.send()
	}
}

func (t *Task) observeChannel(k trace.Kind, c id.ChannelID, e id.Epoch, w trace.Way) {
	if t.mask.Has(k) {
		t.event = trace.Event{Kind: k, Channel: c, Epoch: e, Way: w}
		t.send()
	}
}

func (t *Task) observeBuffer(k trace.Kind, c id.ChannelID, b *Buffer) {
	t.event = trace.Event{Kind: k, Channel: c, Epoch: b.Epoch, From: uint64(b.Seq) - 1, To: uint64(b.Last()), Sum: b.Sum, At: b.Watermark, Data: b.Data}
	if b.Item == EndData || b.Item == Wave {
		t.event.At = trace.EndOfTime // behind the end, and behind a wave, event time has come to its end
	}
	if b.Injected {
		t.event.Way = trace.Reinjected
	}
	t.send()
}

// observeTime reports an event of event time.
func (t *Task) observeTime(k trace.Kind, at int64, data []byte) {
	if t.mask.Has(k) {
		t.event = trace.Event{Kind: k, Channel: trace.NoChannel, At: at, Data: data}
		t.send()
	}
}

// observeClock reports an event of a timer of processing time.
func (t *Task) observeClock(k trace.Kind, at int64, key []byte) {
	if t.mask.Has(k) {
		t.event = trace.Event{Kind: k, Channel: trace.NoChannel, At: at, Data: key, Way: trace.ByClock}
		t.send()
	}
}

// show reports the watermark that the operator sees, the first time it does.
func (t *Task) show() {
	if t.shown == t.watermark {
		return
	}
	t.shown = t.watermark
	t.observeTime(trace.WatermarkSeen, t.watermark, nil)
}
