package dataflow

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/trace"
)

// output is the sending end of a channel: the open buffer and the queue of
// sealed ones. The driver owns only the wire behind it.
type output struct {
	Channel
	t         *Task
	index     int
	open      *Buffer
	q         queue
	sealed    id.Seq
	released  id.Seq
	credit    int
	connected bool
	isFull    bool
	watermark int64    // to be put behind the open records; NoWatermark: none
	dirty     bool     // counted in Task.openBufs
	waiting   []*Draft // held back until their barrier has gone from the queue
}

func sum64(b []byte) uint64 { return xxhash.Sum64(b) }

// append adds a record to the open buffer and seals it when it is full.
func (o *output) append(rec []byte) {
	b := o.open
	if b == nil {
		b = o.begin()
	} else if len(b.Data)+len(rec)+5 > o.t.cfg.BatchBytes && b.Records > 0 {
		o.seal()
		b = o.begin()
	}
	b.add(rec)
	b.Records++
	if int(b.Records) >= o.t.cfg.BatchRecords {
		o.seal()
	}
}

func (o *output) begin() *Buffer {
	b := o.t.host.NewBuffer()
	b.Item, b.Watermark = Data, NoWatermark
	o.open = b
	o.markDirty()
	return b
}

func (o *output) markDirty() {
	if !o.dirty {
		o.dirty = true
		o.t.openBufs++
	}
}

func (o *output) setWatermark(wm int64) {
	o.watermark = wm
	o.markDirty()
}

// seal closes the open buffer, gives it its position and stamp, and queues it.
func (o *output) seal() {
	if !o.dirty {
		return
	}
	o.dirty = false
	o.t.openBufs--
	b := o.open
	o.open = nil
	if b == nil {
		b = o.t.host.NewBuffer()
		b.Item = Data
	}
	b.Watermark = o.watermark
	o.watermark = NoWatermark
	b.N = b.Records
	if b.Watermark != NoWatermark {
		b.N++
	}
	o.number(b)
	o.enqueue(b)
}

// number gives a numbered item its position, stamp and content hash, and shows it to the Sealer.
func (o *output) number(b *Buffer) {
	b.Seq = o.sealed + 1
	o.sealed += id.Seq(b.N)
	if o.t.stamper != nil {
		b.Stamp = bytes.Clone(o.t.stamper.Stamp(o.index))
	}
	if o.t.cfg.HashContents {
		b.Sum = sum64(b.Data) ^ uint64(b.Watermark)*0x9e3779b97f4a7c15 ^ uint64(b.Item)<<56
		if len(b.Stamp) > 0 {
			b.Sum ^= sum64(b.Stamp) * 0xff51afd7ed558ccd
		}
		o.t.mix(b.Sum, uint64(o.index)<<48|uint64(b.Seq)<<8|uint64(b.Item))
	}
	if o.t.mask.Has(trace.Sealed) && b.Item != Control {
		o.t.observeBuffer(trace.Sealed, o.ID, b)
	}
	if o.t.sealer != nil {
		o.t.sealer.Sealed(o.index, b)
	}
}

// end queues EndData or EndStream.
func (o *output) end(item Item) {
	b := o.t.streamEnd
	switch {
	case item == EndData:
		b = &Buffer{Item: item, Watermark: NoWatermark, Shared: true, N: 1}
		o.number(b)
	case o.Reorders:
		// It holds when everything before it has been delivered.
		b = &Buffer{Item: item, Watermark: NoWatermark, Shared: true, Seq: o.sealed + 1}
	case b == nil: // all outputs send the same one
		b = &Buffer{Item: item, Watermark: NoWatermark, Shared: true}
		o.t.streamEnd = b
	}
	o.enqueue(b)
}

// control queues b, which becomes a control item; an overtaking one goes ahead of
// everything but other overtaking ones.
func (o *output) control(b *Buffer, op uint8, e id.Epoch, p Place, data []byte) {
	*b = Buffer{Item: Control, Op: op, Epoch: e, Over: p == Overtake, Watermark: NoWatermark, Shared: true, Data: data}
	switch {
	case p == InBand:
		b.N = 1
		o.number(b)
	case o.t.stamper != nil:
		b.Stamp = bytes.Clone(o.t.stamper.Stamp(o.index))
	}
	way := trace.InBand
	if b.Over {
		way = trace.Overtaking
		o.overtake(b)
	} else {
		o.enqueue(b)
	}
	o.t.observeChannel(trace.BarrierSent, o.ID, e, way)
}

// overtake queues b ahead of everything but other overtaking items.
func (o *output) overtake(b *Buffer) {
	i := 0
	for i < o.q.len() && o.q.at(i).Over {
		i++
	}
	o.q.insert(i, b)
	o.drain()
}

func (o *output) enqueue(b *Buffer) {
	if o.q.len() == 0 && o.maySend(b) {
		o.t.host.Send(o.index, b)
		return
	}
	o.q.push(b)
	o.drain()
}

// maySend takes a credit when b needs one and reports whether it may go now.
func (o *output) maySend(b *Buffer) bool {
	if !o.connected || o.t.holds && b.numbered() && b.Last() > o.released {
		return false
	}
	if b.Item != Data {
		return true // controls and ends use no credit: a barrier must not wait behind back-pressure
	}
	if o.credit == 0 {
		return false
	}
	o.credit--
	return true
}

// drain sends what may go and keeps Task.full up to date. The queue of a
// back-edge has no limit: a task that stopped for it would keep the loop from
// emptying the very queue it waits for.
func (o *output) drain() {
	for o.q.len() > 0 && o.maySend(o.q.at(0)) {
		b := o.q.pop()
		barrier, e := b.Item == Control, b.Epoch // what is sent is looked at no more
		o.t.host.Send(o.index, b)
		if barrier && len(o.waiting) > 0 {
			o.gone(e)
		}
	}
	if isFull := !o.Back && o.q.len() >= o.t.cfg.QueueBuffers; isFull != o.isFull {
		o.isFull = isFull
		if isFull {
			o.t.full++
		} else {
			o.t.full--
		}
	}
}

func (o *output) credited(n int) {
	if o.connected {
		o.credit += n
		o.drain()
	}
}

// cut empties the connection from this end. A draft that waits for its barrier to
// go waits for ever: what went with the barrier is in no snapshot.
func (o *output) cut() {
	o.connected = false
	o.credit = 0
	o.q.clear()
	o.waiting = nil
	o.drain()
}

// connected begins a new, empty connection; what the receiver is missing comes
// from the protocol.
func (t *Task) connected(out int, seen id.Seq) {
	o := &t.outputs[out]
	o.connected = true
	o.credit = t.cfg.Credits
	for o.q.len() > 0 && o.q.at(0).numbered() && o.q.at(0).Last() <= seen {
		o.q.pop()
	}
	if o.q.len() > 0 && o.q.at(0).numbered() {
		o.q.set(0, o.q.at(0).behind(seen))
	}
	switch t.phase {
	case running:
		t.proto.Connected(out, seen)
	case left:
		if o.q.len() == 0 || o.q.at(o.q.len()-1).Item != EndStream {
			o.end(EndStream)
		}
	default: // nobody is told: not started yet, or failed
	}
	o.drain()
}
