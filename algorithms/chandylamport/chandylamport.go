// Package chandylamport is the original distributed snapshot: Chandy, Lamport,
// "Distributed Snapshots: Determining Global States of Distributed Systems", ACM
// TOCS 3(1), 1985, section 3. The paper's own text was not at hand: the rules agree
// with the public account of it in "Chandy-Lamport algorithm", Wikipedia; numbers
// of sections below are as the literature cites them.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: FIFO. Nothing is blocked and nothing overtaken. Persisted per task:
// state, timers, positions, and for every input what came between the task's
// instant and the marker. Recovery: every task restarts from the newest complete
// checkpoint: its state, then the states of its channels, then new data.
//
// Rules. An initiator, or a task that gets the first marker of a round: send a
// marker behind everything that was sent and before anything else, fix the
// state, record every other input until its marker; the channel that brought the
// first marker is empty. The share is whole when every input has had its marker.
//
// Deviations from the paper. Section 3.3 has a round end if every process
// records by itself or can be reached from one that does, and assumes a strongly
// connected graph to have any single initiator do. A dataflow graph without
// cycles is not: nothing leads to a source. So tasks without a live input
// initiate every round, and beside them one task drawn from all, anywhere in the
// graph. An input whose sender has left counts as having had its marker. The
// states are collected by the coordinator, which section 3.3 leaves open. An
// input that is a back-edge brings a task no marker that it has not sent itself:
// with no other input left, it initiates.
package chandylamport

import (
	"weir/algorithms"
	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// initiate tells a task to begin Epoch, whatever its inputs will bring.
const initiate coordinator.MessageKind = "initiate"

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "chandy-lamport",
		Paper: "Chandy, Lamport, Distributed Snapshots: Determining Global States of Distributed Systems, ACM TOCS 3(1), 1985, section 3",
		Short: "markers behind what was sent; a task records its other inputs until theirs",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
			Captures: dataflow.Captures{Inputs: true}, NoneUseless: true,
		},
		Protocol: func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator {
			l := &lead{}
			return &collector{rounds.NewCoordinated(c, l), l}
		},
	}
}

// collector is the coordinator, with a lead that draws.
type collector struct {
	*rounds.Coordinated
	lead *lead
}

// Start begins from storage alone.
func (c *collector) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.lead.draw = h.Draw
	c.Coordinated.Start(h, j)
}

// lead draws an initiator beside the tasks that nothing leads to.
type lead struct {
	rounds.Triggers
	draw func(n int) int
}

// Begin tells the drawn task, and the others in case no input is left to them.
func (l *lead) Begin(r *rounds.Round) {
	var live []id.TaskID
	for t := range r.Tasks() {
		if r.Part(id.TaskID(t)) == nil {
			live = append(live, id.TaskID(t))
		}
	}
	if len(live) > 0 {
		r.Tell(live[l.draw(len(live))], initiate)
	}
	r.TellAll(rounds.Trigger)
}

// protocol is the half of one task.
type protocol struct{ rounds.Participant }

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) { p.Join(k, s, p) }

// Message begins a round here, or goes to Participant.
func (p *protocol) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		panic(err) // both ends are this program
	}
	if m.Kind == initiate {
		p.Trigger(m.Epoch, m.Base)
		return
	}
	p.Participant.Message(data)
}

// Control takes a marker at its turn. Later ones of a round have ended a
// recording as they arrived.
func (p *protocol) Control(in int, b *dataflow.Buffer) {
	p.Barrier(b.Epoch)
	p.take(b.Epoch, rounds.BaseOf(b), in)
}

// Trigger begins round e spontaneously.
func (p *protocol) Trigger(e, base id.Epoch) { p.take(e, base, -1) }

// take fixes the share of round e, unless the round is over; from is the input
// that brought the marker, which is empty up to it.
func (p *protocol) take(e, base id.Epoch, from int) {
	if p.Over(e) || p.Passed(e) {
		return
	}
	p.K.Broadcast(0, e, dataflow.Marker, rounds.BarrierData(base))
	d := p.Take(e, base)
	for i := range p.K.Info().Inputs {
		if i != from {
			d.Record(i)
		}
	}
	d.Seal()
}

// Cancel has nothing to let go: nothing waits for a round.
func (p *protocol) Cancel(_, _ id.Epoch) {}
