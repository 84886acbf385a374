// Package aligned is asynchronous barrier snapshotting for acyclic graphs:
// Carbone, Fora, Ewen, Haridi, Tzoumas, "Lightweight Asynchronous Snapshots for
// Distributed Dataflows", arXiv 1506.08603, Algorithm 1.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: FIFO, and their delivery can be blocked. Persisted per task: state,
// timers, positions; no channel state. Recovery: every task restarts from the
// newest complete checkpoint.
//
// Rules. The coordinator triggers the tasks that have no live input. On barrier
// n from input c: block c. When every live input has brought n: broadcast the
// barrier, snapshot, unblock. An input whose sender has left counts as aligned.
//
// Deviations from the paper: state is written asynchronously after a
// copy-on-write instant; a newer barrier ends the alignment of an older round,
// which the coordinator has given up; tasks whose inputs have all gone are
// triggered like sources, so that checkpoints go on while a job runs out.
package aligned

import (
	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// MutantForgetChannel is the mistake of an alignment that is one input short.
const MutantForgetChannel dataflow.Mutant = "forget-channel"

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "aligned",
		Paper: "Carbone et al., Lightweight Asynchronous Snapshots for Distributed Dataflows, arXiv 1506.08603, Algorithm 1",
		Short: "barriers; an input that brought its barrier waits for the others",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &Protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, rounds.Triggers{}) },
	}
}

// Protocol is the half of one task.
type Protocol struct {
	rounds.Participant
	rounds.Alignment
}

// Start begins a new incarnation.
func (p *Protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Begin(k)
	p.Join(k, s, p)
}

// Control takes a barrier at its turn.
func (p *Protocol) Control(in int, b *dataflow.Buffer) {
	p.Barrier(b.Epoch)
	if !p.Over(b.Epoch) && !p.Passed(b.Epoch) {
		p.Brought(in, b)
		p.check()
	}
}

// InputEnded counts the end of a stream as its barrier.
func (p *Protocol) InputEnded(in int, stream bool) {
	if stream && p.Round != 0 {
		p.Gone(in)
		p.check()
	}
	p.Participant.InputEnded(in, stream)
}

// check takes the snapshot once every live input has brought the barrier, unless
// the round is over: this task may have begun to leave meanwhile.
func (p *Protocol) check() {
	if p.Over(p.Round) {
		p.Release()
		return
	}
	missing := p.Missing()
	if missing == 0 || p.K.Config().Mutant == MutantForgetChannel && missing == 1 {
		p.Trigger(p.Round, p.Base)
	}
}

// Trigger takes the snapshot of round e now. The barrier is numbered, so it goes
// out before the instant: sender's and receiver's cut then agree.
func (p *Protocol) Trigger(e, base id.Epoch) {
	p.K.Broadcast(0, e, dataflow.InBand, rounds.BarrierData(base))
	p.Take(e, base).Seal()
	p.Release()
}
