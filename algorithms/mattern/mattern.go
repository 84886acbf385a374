package mattern

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
		Name:  "mattern",
		Paper: "Mattern, Efficient Algorithms for Distributed Snapshots and Global Virtual Time Approximation, JPDC 18(4), 1993",
		Short: "rounds colour messages; counters say when the late ones have all come",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology, Channels: dataflow.AnyOrder,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
			Captures: dataflow.Captures{Inputs: true}, NoneUseless: true,
		},
		Protocol: func(_ *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol {
			return &protocol{newestOnly: c.Mutant == MutantNewestOnly}
		},
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewSurveyed(c, underWay) },
	}
}

// protocol is the half of one task.
type protocol struct {
	rounds.Colour
	open       []*share // oldest first
	newestOnly bool     // MutantNewestOnly
}

// share is a snapshot that may still get channel state.
type share struct {
	draft *dataflow.Draft
	late  id.Seq // white items handled since
	known bool   // how many there are
	due   id.Seq
}

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) { p.Join(k, s, p) }

// Deliver turns red before the first red message; a white one is channel state.
func (p *protocol) Deliver(in int, b *dataflow.Buffer) {
	sent := p.Met(b)
	for i, s := range p.open {
		if sent >= s.draft.Epoch() {
			continue
		}
		if !p.newestOnly || i == len(p.open)-1 {
			s.draft.Add(in, b)
		}
		s.late += id.Seq(b.N)
	}
	p.seal()
}

// Trigger turns red, and says what was received and sent white.
func (p *protocol) Trigger(e, base id.Epoch) {
	d := p.Take(e, base)
	p.open = append(p.open, &share{draft: d})
	var h dataflow.Header
	for in := range p.K.Info().Inputs {
		h.Delivered = append(h.Delivered, p.K.Delivered(in))
	}
	for out := range p.K.Info().Outputs {
		h.Sealed = append(h.Sealed, d.SealedUpTo(out))
	}
	p.K.Tell((&coordinator.Message{Kind: rounds.Standing, Epoch: e, Stored: &dataflow.Stored{Header: h}}).Encode())
}

// Cancel forgets the rounds from the first to the last.
func (p *protocol) Cancel(first, last id.Epoch) {
	p.open = slices.DeleteFunc(p.open, func(s *share) bool { e := s.draft.Epoch(); return first <= e && e <= last })
}

// Message takes the number of messages that were under way to this task, or goes to Colour.
func (p *protocol) Message(data []byte) {
	m, at, err := coordinator.DecodeMessage(data, rounds.Trigger)
	if err != nil {
		panic(err) // both ends are this program
	}
	if m.Kind != rounds.Surveyed {
		p.Colour.Message(data)
		return
	}
	for _, s := range p.open {
		if s.draft.Epoch() == m.Epoch {
			s.known, s.due = true, at.Delivered[0]
		}
	}
	p.seal()
}

// seal ends the shares to which everything has come.
func (p *protocol) seal() {
	p.open = slices.DeleteFunc(p.open, func(s *share) bool {
		whole := s.known && s.late == s.due
		if whole {
			s.draft.Seal()
		}
		return whole
	})
}

// underWay adds the vectors up: what was sent to a task, by all, less what it had received.
func underWay(tasks []dataflow.TaskInfo, at []*coordinator.Part) [][]id.Seq {
	to := make([][]id.Seq, len(tasks))
	for t := range to {
		to[t] = []id.Seq{0}
	}
	for t := range tasks {
		for i, out := range tasks[t].Outputs {
			to[out.Peer][0] += at[t].Sealed[i]
		}
		for _, n := range at[t].Delivered {
			to[t][0] -= n
		}
	}
	return to
}
