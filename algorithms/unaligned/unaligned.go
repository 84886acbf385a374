// Package unaligned is Flink's unaligned checkpoint (FLIP-76): barriers overtake
// what is queued, and what they overtook is part of the snapshot.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: FIFO on the wire. Persisted per task: state, timers, positions, the
// overtaken output buffers, and for every input the buffers ahead of its own
// barrier. Recovery: every task restarts from the newest complete checkpoint:
// state first, then output and input buffers, only then new data.
//
// Rules. On the first barrier n, in any input, on arrival: send the barrier
// ahead of everything queued on the outputs; fix the state; take the queued
// output; take what is queued on the input that brought it (that channel is
// complete with it: waiting for a second barrier there would hang); record the
// other inputs until their barrier.
//
// Forbidden edges (pointwise and broadcast: their buffers cannot be
// redistributed) are aligned even so: their barriers travel in-band, nothing of
// them is captured, and a task with such an input aligns all of its inputs.
//
// Cycles, which Flink has not: the rules hold as they are, being those of Chandy
// and Lamport with markers that overtake. What is under way on a back-edge when
// its receiver fixes its state is recorded until the barrier has come round. A
// back-edge that is forbidden would wait for itself: such a graph is refused.
//
// Deviation from FLIP-76: an input whose sender has left counts as complete when
// the end of its stream reaches its turn, not when it arrives.
package unaligned

import (
	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "unaligned",
		Paper: "FLIP-76: Unaligned Checkpoints (Apache Flink)",
		Short: "barriers overtake queues; what they overtook is captured as bytes",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion, NoneUseless: true,
			Captures: dataflow.Captures{Inputs: true, Outputs: true},
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, rounds.Triggers{}) },
	}
}

type protocol struct {
	rounds.Participant
	rounds.Alignment      // if it aligns
	aligns           bool // has a forbidden input
}

func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Begin(k)
	for i := range k.Info().Inputs {
		p.aligns = p.aligns || k.Info().Inputs[i].Forbidden
	}
	p.Join(k, s, p)
}

func (p *protocol) Control(in int, b *dataflow.Buffer) {
	if p.aligns && b.Over {
		p.K.Demote(in, b)
		return
	}
	p.Barrier(b.Epoch)
	switch {
	case p.Over(b.Epoch) || p.Passed(b.Epoch):
		// this task has its snapshot, or the round is over
	case p.aligns:
		p.Brought(in, b)
		p.check()
	default:
		p.take(b.Epoch, rounds.BaseOf(b), in)
	}
}

// Trigger begins a round at a task without live inputs.
func (p *protocol) Trigger(e, base id.Epoch) { p.take(e, base, -1) }

// take fixes the snapshot of round e; from is the input that brought it.
func (p *protocol) take(e, base id.Epoch, from int) {
	p.K.Broadcast(0, e, dataflow.Overtake, rounds.BarrierData(base))
	d := p.Take(e, base)
	d.Outputs()
	for i := range p.K.Info().Inputs {
		switch {
		case p.aligns: // every input was read up to its barrier
		case i == from:
			d.Queued(i)
		default:
			d.Record(i)
		}
	}
	d.Seal()
}

// check takes the snapshot once every live input has brought the barrier, unless
// the round is over: this task may have begun to leave meanwhile.
func (p *protocol) check() {
	switch {
	case p.Over(p.Round):
		p.Release()
	case p.Missing() == 0:
		p.take(p.Round, p.Base, -1)
		p.Release()
	}
}

func (p *protocol) InputEnded(in int, stream bool) {
	if stream && p.Round != 0 {
		p.Gone(in)
		p.check()
	}
	p.Participant.InputEnded(in, stream)
}
