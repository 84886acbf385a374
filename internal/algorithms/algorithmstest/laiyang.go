package algorithmstest

import (
	"encoding/binary"
	"slices"

	"weir/algorithms"
	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// LaiYang is the snapshot for channels that reorder: Lai and Yang, "On
// Distributed Snapshots", IPL 25(3), 1987, with Mattern's counters in place of
// logs. There are no markers. Every buffer carries the round its sender was in;
// a task takes its snapshot before it delivers the first of a newer round; what
// an older round still brings is channel state. Counts go to the coordinator,
// which says when nothing is missing.
func LaiYang() *algorithms.Spec {
	return &algorithms.Spec{
		Name: "lai-yang", Short: "rounds on every buffer; late ones are channel state",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology, Channels: dataflow.AnyOrder,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Captures: dataflow.Captures{Inputs: true}, Rollback: dataflow.ScopeAll,
			NoneUseless: true,
		},
		Protocol: func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &colours{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator {
			return rounds.NewCoordinated(c, &counting{map[id.Epoch]*counts{}})
		},
	}
}

const (
	counted coordinator.MessageKind = "counted" // from a task: items of older rounds, received so far and sent
	whole   coordinator.MessageKind = "whole"   // to a task: the round's channel state has all come
)

// colours is the half of one task.
type colours struct {
	rounds.Participant
	open  []*colour
	taken []id.Epoch // rounds that this task has a snapshot of
}

// colour is a snapshot that may still get channel state.
type colour struct {
	draft    *dataflow.Draft
	old      []id.Seq // by input: items of older rounds delivered
	sealedAt []id.Seq
}

func (p *colours) Start(k dataflow.Kernel, s dataflow.Start) { p.Join(k, s, p) }

func (p *colours) Stamp(int) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(p.Newest)) }

func (p *colours) Deliver(in int, b *dataflow.Buffer) {
	sent := id.Epoch(binary.LittleEndian.Uint64(b.Stamp))
	p.Trigger(sent, 0)
	for _, c := range p.open {
		if sent < c.draft.Epoch() {
			c.draft.Add(in, b)
			c.old[in] += id.Seq(b.N)
			p.tell(c)
		}
	}
}

// Trigger takes the snapshot of round e, unless it was taken.
func (p *colours) Trigger(e, _ id.Epoch) {
	if p.Over(e) {
		return
	}
	p.K.Flush() // what is open belongs to the round before
	c := &colour{}
	for i := range p.K.Info().Inputs {
		c.old = append(c.old, p.K.Delivered(i))
	}
	c.draft = p.Take(e, 0)
	for o := range p.K.Info().Outputs {
		c.sealedAt = append(c.sealedAt, c.draft.SealedUpTo(o))
	}
	p.open, p.taken = append(p.open, c), append(p.taken, e)
	p.tell(c)
}

func (p *colours) tell(c *colour) {
	h := dataflow.Header{Delivered: c.old, Sealed: c.sealedAt}
	p.K.Tell((&coordinator.Message{Kind: counted, Epoch: c.draft.Epoch(), Stored: &dataflow.Stored{Header: h}}).Encode())
}

// Cancel forgets the rounds from the first to the last.
func (p *colours) Cancel(first, last id.Epoch) {
	p.open = slices.DeleteFunc(p.open, func(c *colour) bool { return c.draft.Epoch() >= first && c.draft.Epoch() <= last })
}

func (p *colours) take(e id.Epoch) *colour {
	for i, c := range p.open {
		if c.draft.Epoch() == e {
			p.open = append(p.open[:i], p.open[i+1:]...)
			return c
		}
	}
	return nil
}

func (p *colours) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err == nil && m.Kind == rounds.Trigger {
		p.Trigger(m.Epoch, 0) // also a task that nobody sends anything
		if m.Epoch < p.Newest && p.Newest != ^id.Epoch(0) && !slices.Contains(p.taken, m.Epoch) {
			// a newer round came first: this one can never be whole, and would hold up those behind it
			p.K.Tell((&coordinator.Message{Kind: coordinator.Decline, Epoch: m.Epoch, Text: "a newer round has begun here"}).Encode())
		}
	} else if err == nil && m.Kind == whole {
		if c := p.take(m.Epoch); c != nil {
			c.draft.Seal()
		}
	} else {
		p.Participant.Message(data)
	}
}

// counting leads a round: what was sent before it is compared with what was received of that.
type counting struct{ under map[id.Epoch]*counts }

type counts struct {
	sent, received [][]id.Seq // by task, then by output or input; nil: not known
	told           []bool
}

func (l *counting) Begin(r *rounds.Round) {
	n := len(r.Tasks())
	l.under[r.Epoch()] = &counts{make([][]id.Seq, n), make([][]id.Seq, n), make([]bool, n)}
	r.TellAll(rounds.Trigger)
	for i := range r.Tasks() {
		l.CarriedOver(r, id.TaskID(i))
	}
}

func (l *counting) CarriedOver(r *rounds.Round, task id.TaskID) {
	if p := r.Part(task); p != nil {
		l.under[r.Epoch()].sent[task] = p.Sealed
		l.check(r)
	}
}

func (l *counting) Message(r *rounds.Round, from id.TaskID, m *coordinator.Message, p *coordinator.Part) {
	c := l.under[r.Epoch()]
	if m.Kind != counted || c.received[from] != nil && sum(p.Delivered) < sum(c.received[from]) {
		return // messages may overtake each other
	}
	c.sent[from], c.received[from] = p.Sealed, p.Delivered
	l.check(r)
}

func sum(s []id.Seq) (n id.Seq) {
	for _, x := range s {
		n += x
	}
	return n
}

// check tells every task that has all there is.
func (l *counting) check(r *rounds.Round) {
	c := l.under[r.Epoch()]
	for t := range r.Tasks() {
		if !c.told[t] && c.received[t] != nil && c.complete(r.Tasks(), t) {
			c.told[t] = true
			r.Tell(id.TaskID(t), whole)
		}
	}
}

func (c *counts) complete(tasks []dataflow.TaskInfo, t int) bool {
	for i, in := range tasks[t].Inputs {
		for o, out := range tasks[in.Peer].Outputs {
			if out.ID == in.ID && (c.sent[in.Peer] == nil || c.sent[in.Peer][o] != c.received[t][i]) {
				return false
			}
		}
	}
	return true
}
