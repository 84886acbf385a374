package laiyang

import (
	"slices"

	"weir/algorithms"
	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "lai-yang",
		Paper: "Lai, Yang, On Distributed Snapshots, Information Processing Letters 25(3), 1987",
		Short: "rounds colour messages; what was sent and not received is the channel's state",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology, Channels: dataflow.AnyOrder,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
			Captures: dataflow.Captures{Outputs: true}, NoneUseless: true,
		},
		Protocol: func(t *dataflow.TaskInfo, _ *dataflow.Config) dataflow.Protocol {
			return &protocol{sent: make([][]*dataflow.Buffer, len(t.Outputs))}
		},
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewSurveyed(c, toSenders) },
	}
}

// protocol is the half of one task.
type protocol struct {
	rounds.Colour
	sent [][]*dataflow.Buffer // by output, in the order of positions: not known to have been received
	open []*dataflow.Draft    // whose channels' states are not known yet, oldest first
}

// Start begins a new incarnation. One that has sent everything leaves, but not before it has
// been received.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	if p.stays(k) {
		s.Plan.Stable = 0
	}
	p.Join(k, s, p)
}

// Sealed keeps what is sent.
func (p *protocol) Sealed(out int, b *dataflow.Buffer) {
	b.Shared = true
	p.sent[out] = append(p.sent[out], b)
}

// stays reports that something may not have been received, which nobody else could send again.
func (p *protocol) stays(k dataflow.Kernel) bool {
	inTransit := slices.ContainsFunc(p.sent, func(bs []*dataflow.Buffer) bool { return len(bs) > 0 })
	return inTransit && k.Config().Mutant != MutantGoneInTransit
}

// Deliver turns red before the first red message.
func (p *protocol) Deliver(_ int, b *dataflow.Buffer) { p.Met(b) }

// Trigger turns red, and says what was received white.
func (p *protocol) Trigger(e, base id.Epoch) {
	d := p.Take(e, base)
	p.open = append(p.open, d)
	p.K.Tell((&coordinator.Message{Kind: rounds.Standing, Epoch: e, Stored: &dataflow.Stored{Header: standing(p.K.Info(), d)}}).Encode())
}

// Cancel forgets the rounds from the first to the last.
func (p *protocol) Cancel(first, last id.Epoch) {
	p.open = slices.DeleteFunc(p.open, func(d *dataflow.Draft) bool { return first <= d.Epoch() && d.Epoch() <= last })
}

// Message takes what the receivers of a round had, or goes to Colour.
func (p *protocol) Message(data []byte) {
	m, at, err := coordinator.DecodeMessage(data, rounds.Trigger)
	switch {
	case err != nil:
		panic(err) // both ends are this program
	case m.Kind == rounds.Surveyed:
		p.learn(m.Epoch, at.Delivered)
	case m.Kind == coordinator.Complete && p.stays(p.K): // as Colour, but to leave
		p.K.ReleaseBase(m.Base)
		p.K.Commit(m.Epoch)
	default:
		p.Colour.Message(data)
	}
}

// learn adds the states of the channels to the share of round e. What was received then is
// received in every newer round too: it is forgotten, unless an older round is still to ask for it.
func (p *protocol) learn(e id.Epoch, positions []id.Seq) {
	i := slices.IndexFunc(p.open, func(d *dataflow.Draft) bool { return d.Epoch() == e })
	if i < 0 {
		return // given up, or told twice
	}
	d := p.open[i]
	p.open = slices.Delete(p.open, i, i+1)
	for out, sent := range p.sent {
		var had received
		had, positions = decode(positions)
		for _, b := range sent {
			if b.Last() <= d.SealedUpTo(out) && !had.has(b) {
				d.AddSent(out, b)
			}
		}
		if i == 0 {
			p.sent[out] = slices.DeleteFunc(sent, had.has)
		}
	}
	d.Seal()
}
