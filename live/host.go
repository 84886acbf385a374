package live

import (
	"bytes"
	"errors"
	"slices"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
	"weir/trace/cost"
)

// host is the runner as its task sees it. Its methods are called inside Step.
type host runner

func (h *host) runner() *runner { return (*runner)(h) }

// Send implements dataflow.Host.
func (h *host) Send(out int, b *dataflow.Buffer) {
	l := h.outs[out]
	if l == nil {
		return
	}
	h.local.BuffersOut++
	if b.Item == dataflow.Control {
		var scratch [64]byte // a barrier fits
		h.local.ControlBytes += uint64(len(dataflow.EncodeBuffer(scratch[:0], b)))
	} else {
		h.local.RecordsOut += uint64(b.Records)
		h.local.BytesOut += uint64(len(b.Data))
		h.local.StampBytes += uint64(len(b.Stamp))
	}
	l.receiver.inbox.post(message{kind: msgArrive, link: l, buf: b})
}

// Credit implements dataflow.Host: credits go back in batches of half a
// connection's worth, and all of them when the task has nothing to do.
func (h *host) Credit(in, n int, b *dataflow.Buffer) {
	o := &h.credits[in]
	o.n += int32(n)
	if b != nil {
		h.runner().timed(b)
		o.bufs = append(o.bufs, b)
	}
	h.owing = true
	if int(o.n) >= h.j.creditBatch {
		h.runner().pay(in)
	}
}

// Back implements dataflow.Host.
func (h *host) Back(in int, data []byte) {
	if l := h.ins[in]; l != nil {
		h.local.ControlBytes += uint64(len(data))
		ev := &dataflow.Event{Kind: dataflow.EvReply, Port: l.out, Data: bytes.Clone(data)}
		l.sender.inbox.post(message{kind: msgReply, link: l, event: ev})
	}
}

// Tell implements dataflow.Host.
func (h *host) Tell(data []byte) {
	h.local.ControlBytes += uint64(len(data))
	h.j.control.post(report{kind: repTell, runner: h.runner(), data: bytes.Clone(data)})
}

// Timer implements dataflow.Host.
func (h *host) Timer(t id.Ticket, d dataflow.Nanos) { h.alarm.after(d, t, nil) }

// Store implements dataflow.Host.
func (h *host) Store(t id.Ticket, op state.Op) {
	h.outstanding++
	r := h.runner()
	r.j.storage.submit(func() {
		if r.stopped.Load() {
			return // it died before the operation left it
		}
		res := r.j.do(op, r.info.ID, r.attempt)
		r.inbox.post(message{kind: msgOutcome, event: &dataflow.Event{Kind: dataflow.EvStored, Ticket: t, Result: res}})
	})
}

// External implements dataflow.Host.
func (h *host) External(t id.Ticket, op dataflow.ExtOp) {
	if h.j.cfg.External == nil {
		h.failure = errors.New("the sink writes to an external store, but none was given (live.Config.External)")
		return
	}
	h.outstanding++
	h.j.external.post(extCall{runner: h.runner(), ticket: t, op: op})
}

// Transfer implements dataflow.Host.
func (h *host) Transfer(t id.Ticket, tr state.Transfer) {
	r := h.runner()
	x := &transfer{r: r, ticket: t, tr: tr}
	if _, ok := tr.(state.Capture); ok { // what is written between snapshots is of none
		x.epoch = r.sync.epoch
	}
	r.running.Add(1)
	go x.run()
}

// Draw implements dataflow.Host: 0, the fair rotation of the kernel.
func (h *host) Draw(c dataflow.Choice, n int) int {
	if h.track != nil {
		h.track.Draw(c, n, 0)
	}
	return 0
}

// Now implements dataflow.Host.
func (h *host) Now() int64 {
	v := h.j.clock.now()
	if h.track != nil {
		h.track.Now(v)
	}
	return v
}

// Random implements dataflow.Host.
func (h *host) Random() uint64 {
	v := h.rng.Uint64()
	if h.track != nil {
		h.track.Random(v)
	}
	return v
}

// HandedOut implements dataflow.Host.
func (h *host) HandedOut(s id.SplitID, from, to id.Offset) {
	h.local.RecordsIn += uint64(to - from)
	if t := h.leg.timing.Load(); t != nil {
		t.handedOut(h.runner(), s, to)
	}
	if err := h.j.handOut(s, to); err != nil {
		h.failure = err
	}
}

// Ready implements dataflow.Host.
func (h *host) Ready(delivered []id.Seq) {
	h.j.control.post(report{kind: repReady, runner: h.runner(), attempt: h.plan, delivered: slices.Clone(delivered)})
}

// Left implements dataflow.Host.
func (h *host) Left() { h.j.control.post(report{kind: repLeft, runner: h.runner()}) }

// Fail implements dataflow.Host.
func (h *host) Fail(err error) {
	if h.track != nil {
		h.track.Fail(err)
	}
	h.failure = err
}

// NewBuffer implements dataflow.Host.
func (h *host) NewBuffer() *dataflow.Buffer {
	if n := len(h.free) - 1; n >= 0 {
		b := h.free[n]
		h.free[n] = nil
		h.free = h.free[:n]
		*b = dataflow.Buffer{Data: b.Data[:0]}
		return b
	}
	return &dataflow.Buffer{Data: make([]byte, 0, h.j.cfg.Job.Config.BatchBytes)}
}

// taskObserver is the observer of one incarnation: it takes what the driver
// itself wants to know and passes on what others asked for.
type taskObserver struct{ r *runner }

// Wants implements trace.Observer.
func (o *taskObserver) Wants() trace.Mask {
	return o.r.j.observers.wants.With(trace.ChannelBlocked, trace.ChannelUnblocked, trace.SnapshotBegun, trace.CapturedIn, trace.CapturedOut, trace.RecordLate)
}

// Observe implements trace.Observer.
func (o *taskObserver) Observe(e *trace.Event) {
	r := o.r
	e.Time = r.j.clock.now()
	switch e.Kind {
	case trace.ChannelBlocked:
		if r.sync.blocked++; r.sync.blocked == 1 {
			r.sync.blockedAt = e.Time
		}
	case trace.ChannelUnblocked:
		if r.sync.blocked--; r.sync.blocked == 0 {
			r.local.AlignmentNanos += uint64(e.Time - r.sync.blockedAt)
		}
	case trace.SnapshotBegun:
		r.sync.epoch, r.sync.begun = e.Epoch, e.Time
	case trace.CapturedIn, trace.CapturedOut:
		r.local.CapturedBytes += uint64(len(e.Data))
	case trace.RecordLate:
		r.local.LateRecords++
	default: // nothing this task counts
	}
	if r.j.observers.wants.Has(e.Kind) {
		r.j.observers.observeOf(r, e)
	}
}

// syncPart is what a task knows of the snapshot it is taking.
type syncPart struct {
	epoch     id.Epoch // begun in the step under way, 0: none
	begun     int64
	blocked   int // inputs
	blockedAt int64
}

// endSync closes the synchronous part: the rest of the step that began a snapshot.
func (r *runner) endSync() {
	d := r.j.clock.now() - r.sync.begun
	r.local.SyncNanos += uint64(d)
	r.local.Snapshots++
	r.j.observers.cost(r.info.ID, r.sync.epoch, new(cost.Vector[int64]).Set(cost.Sync, d))
	r.sync.epoch = 0
}
