// Package atleastonce is barrier snapshotting without alignment: the variant
// that Carbone et al. (arXiv 1506.08603, section 4) contrast theirs with, and
// Flink's at-least-once mode. Inputs are never blocked; the snapshot is taken
// when the last barrier arrives, so it holds effects of records from behind the
// barriers of the faster inputs, and these records are sent again after a
// recovery.
//
// Guarantee: at least once; duplicates after recovery are expected and must be
// seen. Channels: FIFO. Persisted per task: state, timers, and for each input
// the position of its *barrier*: that is where its sender will go on. Recovery:
// every task restarts from the newest complete checkpoint.
package atleastonce

import (
	"weir/algorithms"
	"weir/dataflow"
	"weir/dataflow/coordinator"
	"weir/dataflow/id"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "at-least-once",
		Paper: "Carbone et al., arXiv 1506.08603, section 4 (without alignment); Flink's at-least-once mode",
		Short: "barriers without blocking; what came behind a barrier may count twice",
		Declared: dataflow.Properties{
			State: dataflow.AtLeastOnce, Output: dataflow.AtLeastOnce,
			NeedsFIFO: true, Nondetermin: true, Rollback: dataflow.ScopeAll, Concurrent: true, Snapshots: true,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return coordinator.NewCoordinated(c, true) },
	}
}

type protocol struct {
	coordinator.Participant
	waiting id.Epoch // round whose barriers are coming in, 0 = none
	base    id.Epoch
	brought []bool
	marks   []dataflow.Mark // where the barrier stood, by input
}

func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.brought = make([]bool, len(k.Info().Inputs))
	p.marks = make([]dataflow.Mark, len(p.brought))
	p.Join(k, s, p)
}

func (p *protocol) Control(in int, b *dataflow.Buffer) {
	if b.Epoch <= p.Newest || b.Epoch < p.waiting {
		return
	}
	if p.waiting != 0 && b.Epoch > p.waiting {
		p.Cancel(p.waiting)
	}
	p.waiting, p.base = b.Epoch, coordinator.BaseOf(b)
	p.brought[in], p.marks[in] = true, p.K.Mark(in)
	p.check()
}

func (p *protocol) InputEnded(in int, stream bool) {
	if stream && p.waiting != 0 {
		p.check()
		return
	}
	p.Participant.InputEnded(in, stream)
}

func (p *protocol) check() {
	for i, ok := range p.brought {
		if !ok && !p.K.Ended(i, true) {
			return
		}
	}
	p.Trigger(p.waiting, p.base)
}

func (p *protocol) Trigger(e, base id.Epoch) {
	p.K.Broadcast(0, e, dataflow.InBand, coordinator.BarrierData(base))
	d := p.Take(e, base)
	for i, ok := range p.brought {
		if ok {
			d.Rewind(i, p.marks[i])
		}
	}
	d.Seal()
	p.Cancel(e)
}

func (p *protocol) Cancel(e id.Epoch) {
	if p.waiting == e {
		p.waiting = 0
		clear(p.brought)
	}
}
