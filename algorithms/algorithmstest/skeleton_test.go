package algorithmstest

import (
	"testing"

	"weir/algorithms/aligned"
	"weir/algorithms/atleastonce"
	"weir/algorithms/unaligned"
	"weir/algorithms/uncoordinated"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// The skeletons below say, for each row of RFC 0001 that has no implementation
// yet, which calls the family makes and in which order. They are not
// algorithms: they compile against the contract, and the hooks they declare are
// the hooks the kernel finds.

// cyclic is ABS on a graph with marked back-edges.
type cyclic struct {
	dataflow.BaseProtocol
	k       dataflow.Kernel
	missing int // regular inputs that have not brought the barrier
}

func (p *cyclic) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }

func (p *cyclic) Control(in int, b *dataflow.Buffer) {
	if p.k.Info().Inputs[in].Back {
		return // it ends a recording
	}
	p.k.Block(in)
	if p.missing--; p.missing == 0 {
		p.snapshot(b.Epoch)
	}
}

// snapshot is called when all regular inputs have brought e.
func (p *cyclic) snapshot(e id.Epoch) {
	p.k.Broadcast(0, e, dataflow.InBand, nil)
	d := p.k.Begin(e, 0)
	for i, c := range p.k.Info().Inputs {
		if c.Back {
			d.Record(i) // until e has come round
		}
	}
	d.Seal()
}

// markers is Chandy-Lamport: any initiator, nothing blocks.
type markers struct {
	dataflow.BaseProtocol
	k    dataflow.Kernel
	seen id.Epoch
}

func (p *markers) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }

func (p *markers) Control(in int, b *dataflow.Buffer) {
	if b.Epoch <= p.seen {
		return
	}
	p.seen = b.Epoch
	p.k.Broadcast(0, b.Epoch, dataflow.InBand, nil)
	d := p.k.Begin(b.Epoch, 0)
	for i := range p.k.Info().Inputs {
		if i != in {
			d.Record(i)
		}
	}
	d.Seal()
}

// colours is Lai-Yang and Mattern: channels may reorder, no markers.
type colours struct {
	dataflow.BaseProtocol
	k     dataflow.Kernel
	epoch id.Epoch
	draft *dataflow.Draft
	late  map[int]id.Seq
}

func (p *colours) Start(k dataflow.Kernel, _ dataflow.Start) { p.k, p.late = k, map[int]id.Seq{} }

func (p *colours) Stamp(int) []byte { return []byte{byte(p.epoch)} }

func (p *colours) Deliver(in int, b *dataflow.Buffer) {
	switch stamp := id.Epoch(b.Stamp[0]); {
	case stamp > p.epoch:
		p.epoch = stamp
		p.draft = p.k.Begin(stamp, 0) // before the delivery
	case stamp < p.epoch && p.draft != nil:
		p.draft.Add(in, b)
		p.late[in]++
		p.k.Tell([]byte{byte(in)}) // counts; the answer brings what to expect
	}
}

func (p *colours) Message([]byte) { p.draft.Seal() } // counts are equal

// world is stop-the-world: pause, drain, snapshot, resume.
type world struct {
	dataflow.BaseProtocol
	k dataflow.Kernel
}

func (p *world) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }

func (p *world) Message(m []byte) {
	switch string(m) {
	case "pause":
		p.k.Pause(true)
		p.k.Tell([]byte{byte(p.k.SealedUpTo(0)), byte(p.k.Delivered(0))})
	case "snapshot":
		p.k.Begin(1, 0).Seal()
	case "resume":
		p.k.Pause(false)
	}
}

// induced is communication-induced checkpointing: an index on every message
// forces a snapshot before a delivery.
type induced struct {
	dataflow.BaseProtocol
	k     dataflow.Kernel
	index byte
}

func (p *induced) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }
func (p *induced) Stamp(int) []byte                          { return []byte{p.index} }
func (p *induced) Sealed(int, *dataflow.Buffer)              {} // the log, as in uncoordinated
func (p *induced) After(int)                                 {}
func (p *induced) Deliver(_ int, b *dataflow.Buffer) {
	if m := b.Stamp[0]; m > p.index {
		p.index = m
		p.k.Begin(id.MakeEpoch(p.k.Attempt(), uint32(m)), 0).Seal()
	}
}

// causal logs every choice, piggybacks it downstream, and restarts one task.
type causal struct {
	dataflow.BaseProtocol
	k      dataflow.Kernel
	replay []int
	log    []byte
	sent   [][]*dataflow.Buffer
}

func (p *causal) Start(k dataflow.Kernel, s dataflow.Start) {
	p.k, p.sent = k, make([][]*dataflow.Buffer, len(k.Info().Outputs))
	for _, d := range s.Plan.Data {
		p.replay = append(p.replay, int(d))
	}
}

func (p *causal) Decide(c dataflow.Choice, n int) int {
	choice := p.choose(c, n)
	p.log = append(p.log, byte(choice))
	return choice
}

// choose returns the recorded choice; -1 in the record parks until the next arrival.
func (p *causal) choose(c dataflow.Choice, n int) int {
	if len(p.replay) == 0 {
		return p.k.Draw(c, n)
	}
	choice := p.replay[0]
	p.replay = p.replay[1:]
	return choice
}

func (p *causal) Stamp(int) []byte                   { return p.log }
func (p *causal) Deliver(int, *dataflow.Buffer)      {}
func (p *causal) Sealed(out int, b *dataflow.Buffer) { p.sent[out] = append(p.sent[out], b) }
func (p *causal) Connected(out int, _ id.Seq)        { p.k.Resend(out, p.sent[out]) }
func (p *causal) Dedups() bool                       { return true }
func (p *causal) Announce(int, *dataflow.Buffer)     {} // the timeout variants
func (p *causal) Stored(id.Epoch, dataflow.Stored)   { p.log = nil }
func (p *causal) Message([]byte)                     { p.k.Tell(p.log) }
func (p *causal) Control(in int, _ *dataflow.Buffer) { p.k.Block(in) }
func (p *causal) Drained()                           { p.k.Finish() }

// transactions is exactly-once over durable channels: a draft is a transaction
// of {output, state change, input positions}.
type transactions struct {
	dataflow.BaseProtocol
	k    dataflow.Kernel
	next id.Epoch
}

func (p *transactions) Start(k dataflow.Kernel, _ dataflow.Start) {
	p.k = k
	k.Store(state.Op{Kind: state.OpFence, Key: "log/", Attempt: k.Attempt()})
	k.After(1)
}
func (p *transactions) HoldsOutput() bool            { return true }
func (p *transactions) Dedups() bool                 { return true }
func (p *transactions) Sealed(int, *dataflow.Buffer) {}
func (p *transactions) Timer(id.Ticket) {
	p.next++
	d := p.k.Begin(p.next, p.next-1)
	d.Save([]byte("held output"))
	d.Seal()
}

func (p *transactions) Stored(e id.Epoch, s dataflow.Stored) {
	for out, upTo := range s.Header.Sealed {
		p.k.Release(out, upTo)
	}
	p.k.Commit(e)
	p.k.After(1)
}

// microBatch runs planned offset ranges.
type microBatch struct {
	dataflow.BaseProtocol
	k dataflow.Kernel
}

func (p *microBatch) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }
func (p *microBatch) Message([]byte) {
	if p.k.Limit(100) {
		p.AtLimit()
	}
}
func (p *microBatch) AtLimit() { p.k.Broadcast(0, 1, dataflow.InBand, nil) }

// productions is persist-before-send with acknowledgement and resend.
type productions struct {
	transactions
	unacked []*dataflow.Buffer
}

func (p *productions) After(int)                        { p.Timer(0) }
func (p *productions) Sealed(_ int, b *dataflow.Buffer) { p.unacked = append(p.unacked, b) }
func (p *productions) Stored(e id.Epoch, s dataflow.Stored) {
	p.transactions.Stored(e, s)
	for in := range s.Header.Delivered {
		p.k.Reply(in, []byte("acknowledged"))
	}
}
func (p *productions) Reply(int, []byte)              { p.unacked = nil }
func (p *productions) Connected(out int, seen id.Seq) { p.k.Resend(out, p.unacked) }

// hooks names the optional hooks that a protocol has.
func hooks(p dataflow.Protocol) (names []string) {
	for _, h := range []struct {
		name string
		has  bool
	}{
		{"announce", implements[dataflow.Announcer](p)}, {"deliver", implements[dataflow.Deliverer](p)},
		{"after", implements[dataflow.Afterer](p)}, {"stamp", implements[dataflow.Stamper](p)},
		{"sealed", implements[dataflow.Sealer](p)}, {"hold", implements[dataflow.Holder](p)},
		{"dedup", implements[dataflow.Deduper](p)}, {"decide", implements[dataflow.Decider](p)},
	} {
		if h.has {
			names = append(names, h.name)
		}
	}
	return names
}

func implements[H any](p dataflow.Protocol) bool { _, ok := p.(H); return ok }

// TestFamiliesFit checks that each family of RFC 0001 uses the hooks the RFC
// says, and that those without per-buffer hooks have none.
func TestFamiliesFit(t *testing.T) {
	info := &dataflow.TaskInfo{}
	config := dataflow.DefaultConfig()
	for _, c := range []struct {
		family string
		proto  dataflow.Protocol
		hooks  []string
	}{
		{"aligned", aligned.Spec().NewProtocol(info, &config), nil},
		{"at least once", atleastonce.Spec().NewProtocol(info, &config), nil},
		{"unaligned", unaligned.Spec().NewProtocol(info, &config), nil},
		{"cyclic", &cyclic{}, nil},
		{"Chandy-Lamport", &markers{}, nil},
		{"Lai-Yang, Mattern", &colours{}, []string{"deliver", "stamp"}},
		{"stop the world", &world{}, nil},
		{"uncoordinated", uncoordinated.Spec().NewProtocol(info, &config), []string{"after", "sealed"}},
		{"communication-induced", &induced{}, []string{"deliver", "after", "stamp", "sealed"}},
		{"causal", &causal{}, []string{"announce", "deliver", "stamp", "sealed", "dedup", "decide"}},
		{"transactions over durable channels", &transactions{}, []string{"sealed", "hold", "dedup"}},
		{"micro-batch", &microBatch{}, nil},
		{"strong productions", &productions{}, []string{"after", "sealed", "hold", "dedup"}},
	} {
		got := hooks(c.proto)
		if len(got) != len(c.hooks) {
			t.Errorf("%s: hooks %q, want %q", c.family, got, c.hooks)
			continue
		}
		for i := range got {
			if got[i] != c.hooks[i] {
				t.Errorf("%s: hooks %q, want %q", c.family, got, c.hooks)
				break
			}
		}
	}
}
