package recording

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cespare/xxhash/v2"

	"weir/dataflow"
	"weir/id"
)

// matcher compares what arrived on every connection with what was sent there.
type matcher struct {
	info  []dataflow.TaskInfo
	wires map[uint64]*wire
}

// wire is one connection: a channel between two incarnations.
type wire struct {
	channel  id.ChannelID
	sender   *Incarnation // nil: nobody has begun it
	open     bool         // the sender's record ends in the middle of a step
	sent     []parcel
	arrivals []arrival
}

// parcel is a buffer as it is compared: everything but flags of the sender's own.
type parcel struct {
	item       dataflow.Item
	op         uint8
	over       bool
	epoch      id.Epoch
	seq        id.Seq
	n, records int32
	watermark  int64
	sum, stamp uint64
}

type arrival struct {
	parcel
	at *Incarnation
	// step is the event's index in the receiving incarnation, port its input.
	step, port int
}

func newMatcher(info []dataflow.TaskInfo) *matcher {
	return &matcher{info: info, wires: map[uint64]*wire{}}
}

func (m *matcher) wire(n uint64) *wire {
	w := m.wires[n]
	if w == nil {
		w = &wire{channel: -1}
		m.wires[n] = w
	}
	return w
}

func wrap(b *dataflow.Buffer) parcel {
	return parcel{
		item: b.Item, op: b.Op, over: b.Over, epoch: b.Epoch, seq: b.Seq, n: b.N, records: b.Records, watermark: b.Watermark,
		sum: xxhash.Sum64(b.Data), stamp: xxhash.Sum64(b.Stamp),
	}
}

func (m *matcher) connected(n uint64, c id.ChannelID, x *Incarnation) {
	w := m.wire(n)
	w.channel, w.sender = c, x
}

func (m *matcher) sent(n uint64, b *dataflow.Buffer) {
	w := m.wire(n)
	w.sent = append(w.sent, wrap(b))
}

// cutShort says that the record of x ends in the middle of a step: what that
// step sent is not known.
func (m *matcher) cutShort(x *Incarnation) {
	for _, w := range m.wires { //det:unordered each wire is marked for itself
		w.open = w.open || w.sender == x
	}
}

func (m *matcher) arrived(p *player, n uint64, port int, b *dataflow.Buffer) {
	w := m.wire(n)
	w.arrivals = append(w.arrivals, arrival{parcel: wrap(b), at: p.x, step: p.step, port: port})
}

// check fails at the first arrival that was not sent there.
func (m *matcher) check() error {
	for _, n := range slices.Sorted(maps.Keys(m.wires)) {
		w := m.wires[n]
		for i := range w.arrivals {
			if err := m.checkArrival(n, w, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *matcher) checkArrival(n uint64, w *wire, i int) error {
	a := &w.arrivals[i]
	var what string
	switch {
	case w.sender == nil:
		what = "nobody has begun this connection"
	case m.info[a.at.Task].Inputs[a.port].ID != w.channel:
		what = fmt.Sprintf("the connection is one of channel %s", w.channel)
	case i >= len(w.sent) && w.open:
		return nil
	case i >= len(w.sent):
		what = fmt.Sprintf("%s sent only %d items on it", w.sender.name(m.info), len(w.sent))
	case w.sent[i] != a.parcel:
		what = fmt.Sprintf("what %s sent there differs: %+v was sent, %+v arrived", w.sender.name(m.info), w.sent[i], a.parcel)
	default:
		return nil
	}
	return &DivergedError{
		Task: a.at.Task, Attempt: a.at.Attempt, Step: a.step,
		What: fmt.Sprintf("%s: event %d: arrival %d on connection %d (position %d): %s", a.at.name(m.info), a.step, i, n, a.seq, what),
	}
}

var eventNames = [...]string{
	"", "turn", "arrival", "credit", "start", "keep", "cut of input", "cut of output", "connection of output",
	"timer", "storage result", "end of transfer", "external result", "message", "reply",
}

// describe says in a few words what an event is.
func describe(ev *dataflow.Event, connection uint64) string {
	name := fmt.Sprintf("kind %d", ev.Kind)
	if int(ev.Kind) < len(eventNames) {
		name = eventNames[ev.Kind]
	}
	switch ev.Kind {
	case dataflow.EvArrive:
		if ev.Buffer == nil {
			return name + " without a buffer"
		}
		return fmt.Sprintf("%s on input %d of position %d, connection %d", name, ev.Port, ev.Buffer.Seq, connection)
	case dataflow.EvCredit, dataflow.EvCutInput, dataflow.EvCutOutput, dataflow.EvConnected, dataflow.EvReply:
		return fmt.Sprintf("%s %d", name, ev.Port)
	case dataflow.EvStart, dataflow.EvKeep:
		if ev.Plan == nil {
			return name + " without a plan"
		}
		return fmt.Sprintf("%s from %q", name, ev.Plan.Ref)
	case dataflow.EvTimer, dataflow.EvStored, dataflow.EvTransfer, dataflow.EvExternal:
		return fmt.Sprintf("%s of ticket %d", name, ev.Ticket)
	default:
		return name
	}
}
