package algorithmstest

import (
	"encoding/binary"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// piece is the half of a task of algorithms that restart failed tasks alone. A
// task snapshots when it likes. A snapshot counts once the task's head log names
// it: that log fences, so that no incarnation that was given up on adds to it.
// A task keeps what it has sent until the receiver's head has it, and sends it
// again on a new connection.
type piece struct {
	dataflow.BaseProtocol
	k     dataflow.Kernel
	own   func() []byte        // the algorithm's section of a snapshot
	sent  [][]*dataflow.Buffer // by output: not known to be in a head of the receiver
	index uint32               // of the newest snapshot of this attempt
	at    id.Seq               // of the head in its log
	head  dataflow.Header      // newest snapshot that counts
	next  dataflow.Stored      // stored, on its way into the head log
	files []state.FileRef      // of the head
	entry id.Ticket            // of the append under way
	busy  bool                 // a snapshot is under way
	again bool                 // and another one is wanted
}

// headLog is the key of a task's head log.
func headLog(t id.TaskID) string { return "log/" + t.String() + "-head" }

// join begins an incarnation; section is what own said in its snapshot.
func (p *piece) join(k dataflow.Kernel, s dataflow.Start, own func() []byte) (section []byte) {
	p.k, p.own, p.sent = k, own, make([][]*dataflow.Buffer, len(k.Info().Outputs))
	if s.Epoch != 0 {
		r := state.NewReader(s.Saved)
		p.at, section = id.Seq(r.Uvarint()), r.Bytes()
		for out := range p.sent {
			for range r.Count(1) {
				seq, n, payload, more, err := state.NextEntry(r.Rest())
				if err != nil {
					panic(err) // we wrote it
				}
				b, err := dataflow.DecodeBuffer(seq, n, payload)
				if err != nil {
					panic(err)
				}
				p.sent[out] = append(p.sent[out], b)
				r = state.NewReader(more)
			}
		}
		p.head = dataflow.Header{Epoch: s.Epoch, Drained: k.IsDrained()}
		for i := range k.Info().Inputs {
			p.head.Delivered = append(p.head.Delivered, k.Delivered(i))
		}
		for o := range p.sent {
			k.Release(o, k.SealedUpTo(o))
		}
	}
	k.After(k.Config().Checkpoint.Interval)
	return section
}

// snapshot takes one now, or when the one under way is done with.
func (p *piece) snapshot() {
	if p.again = p.busy; p.busy {
		return
	}
	p.busy = true
	p.index++
	d := p.k.Begin(id.MakeEpoch(p.k.Attempt(), p.index), 0)
	b := state.AppendBytes(binary.AppendUvarint(nil, uint64(p.at+1)), p.own())
	for _, sent := range p.sent {
		b = binary.AppendUvarint(b, uint64(len(sent)))
		for _, x := range sent {
			b = state.AppendEntry(b, x.Seq, uint32(x.N), dataflow.EncodeBuffer(nil, x))
		}
	}
	d.Save(b)
	d.Seal()
}

func (p *piece) Sealed(out int, b *dataflow.Buffer) {
	b.Shared = true
	p.sent[out] = append(p.sent[out], b)
}

func (p *piece) Dedups() bool { return true }

// Stored makes the snapshot the head.
func (p *piece) Stored(e id.Epoch, s dataflow.Stored) {
	p.next = s
	data := state.AppendEntry(nil, p.at+1, 1, binary.LittleEndian.AppendUint64(nil, uint64(e)))
	p.entry = p.k.Store(state.Op{Kind: state.OpAppend, Key: headLog(p.k.Info().ID), Data: data, Attempt: p.k.Attempt(), From: p.at, To: p.at + 1})
}

// StoreFailed takes another one: the head stays where it is until then.
func (p *piece) StoreFailed(id.Epoch, error) {
	p.busy = false
	p.snapshot()
}

// Done: the head is durable, so this task never goes behind it.
func (p *piece) Done(t id.Ticket, r state.Result) {
	if t != p.entry || r.Status != state.OK {
		return // a delete; or fenced: somebody else is this task now
	}
	if p.head.Epoch != 0 {
		p.k.Store(state.Op{Kind: state.OpDelete, Key: string(dataflow.SnapshotKey(p.k.Info().ID, p.head.Epoch))})
		for _, f := range p.files { // snapshots are full: no other one needs them
			p.k.Store(state.Op{Kind: state.OpDelete, Key: f.Name})
		}
	}
	p.at++
	p.head, p.files, p.busy = p.next.Header, p.next.Files, false
	p.k.Observe(trace.LineAdvanced, p.head.Epoch, "")
	for o := range p.sent {
		p.k.Release(o, p.head.Sealed[o])
	}
	p.k.Commit(p.head.Epoch)
	p.acknowledge()
	if p.again {
		p.snapshot()
	}
	p.finish()
}

func (p *piece) acknowledge() {
	for i, at := range p.head.Delivered {
		p.k.Reply(i, binary.AppendUvarint(nil, uint64(at)))
	}
}

// Reply lets go of what the receiver has for good.
func (p *piece) Reply(out int, data []byte) {
	at, _ := binary.Uvarint(data)
	for len(p.sent[out]) > 0 && p.sent[out][0].Last() <= id.Seq(at) {
		p.sent[out] = p.sent[out][1:]
	}
	p.finish()
}

// Message: a receiver that has left has everything.
func (p *piece) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil || m.Kind != gone {
		return
	}
	for o, out := range p.k.Info().Outputs {
		if out.Peer.String() == m.Text {
			p.sent[o] = nil
		}
	}
	p.finish()
}

func (p *piece) Connected(out int, seen id.Seq) {
	sent := p.sent[out]
	for len(sent) > 0 && sent[0].Last() <= seen {
		sent = sent[1:]
	}
	p.k.Resend(out, sent)
}

// Timer says again what may have been lost with a connection.
func (p *piece) Timer(id.Ticket) {
	p.acknowledge()
	p.k.After(p.k.Config().Checkpoint.Interval)
}

func (p *piece) Drained() { p.snapshot() }

func (p *piece) InputEnded(_ int, stream bool) {
	if stream {
		p.finish()
	}
}

// finish leaves when nobody will ask this task for anything: its senders have
// left, and its receivers have all that it sent.
func (p *piece) finish() {
	if !p.head.Drained {
		return
	}
	for i := range p.k.Info().Inputs {
		if !p.k.Ended(i, true) {
			return
		}
	}
	for _, sent := range p.sent {
		if len(sent) > 0 {
			return
		}
	}
	p.k.Finish()
}
