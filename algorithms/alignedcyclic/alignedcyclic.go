// Package alignedcyclic is asynchronous barrier snapshotting for graphs with
// cycles: Carbone, Fora, Ewen, Haridi, Tzoumas, "Lightweight Asynchronous
// Snapshots for Distributed Dataflows", arXiv 1506.08603, Algorithm 2. The paper's own
// text was not at hand: the rules are those that the literature gives of it.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: FIFO, and their delivery can be blocked. Persisted per task: state,
// timers, positions, and what back-edges brought between the task's instant and the
// barrier that comes round. Recovery: every task restarts from the newest
// complete checkpoint: state, then that log, before anything else.
//
// A share of a round that a newer one has overtaken, or that was given up, may be
// useless where channels form cycles; no recovery looks at one.
//
// Rules. The coordinator triggers the tasks that have no live regular input. On
// barrier n from input c: block c. When every live regular input has brought n:
// send the barrier on, copy the state, log every back-edge until n has come round on
// it, unblock. The share is whole when n has come on every back-edge.
//
// Deviations. A back-edge may bring n before the regular inputs have, from another
// instance of the loop: it is blocked with them and has nothing to log. An input
// whose sender has left counts as having brought n. Otherwise those of package aligned.
package alignedcyclic

import (
	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "aligned-cyclic",
		Paper: "Carbone et al., Lightweight Asynchronous Snapshots for Distributed Dataflows, arXiv 1506.08603, Algorithm 2",
		Short: "aligned on regular inputs; what back-edges bring until the barrier comes round is logged",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
			Captures: dataflow.Captures{Inputs: true}, NoneUseless: true,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, rounds.Triggers{}) },
	}
}

// protocol is the half of one task.
type protocol struct {
	rounds.Participant
	rounds.Alignment
	came []id.Epoch // by input: the round whose barrier it brought last, by this incarnation
}

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Begin(k)
	p.came = make([]id.Epoch, len(k.Info().Inputs))
	p.Join(k, s, p)
}

// Control takes a barrier at its turn. One that has come round has ended its log
// as it arrived.
func (p *protocol) Control(in int, b *dataflow.Buffer) {
	p.Barrier(b.Epoch)
	if !p.Over(b.Epoch) && !p.Passed(b.Epoch) {
		p.came[in] = b.Epoch
		p.Brought(in, b)
		p.check()
	}
}

// InputEnded counts the end of a stream as its barrier.
func (p *protocol) InputEnded(in int, stream bool) {
	if stream && p.Round != 0 {
		p.Gone(in)
		p.check()
	}
	p.Participant.InputEnded(in, stream)
}

// check takes the snapshot once every live regular input has brought the barrier,
// unless the round is over: this task may have begun to leave meanwhile.
func (p *protocol) check() {
	if p.Over(p.Round) {
		p.Release()
	} else if p.Missing() == 0 {
		p.Trigger(p.Round, p.Base)
	}
}

// Trigger copies the state for round e now and begins the logs. The barrier has no
// number: on a back-edge what is logged would end before it.
func (p *protocol) Trigger(e, base id.Epoch) {
	p.K.Broadcast(0, e, dataflow.Marker, rounds.BarrierData(base))
	d := p.Take(e, base)
	for i, in := range p.K.Info().Inputs {
		if in.Back && p.came[i] != e {
			d.Record(i)
		}
	}
	d.Seal()
	p.Release()
}
