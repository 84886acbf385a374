package own

import (
	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// Patient is an algorithm of one's own: barriers, and an input that has brought
// its barrier waits until all have.
func Patient() *algorithms.Spec {
	return spec("patient", "waits for the barrier of every input", 0)
}

// Hasty is the same with a mistake: it takes its snapshot when one barrier is
// still missing.
func Hasty() *algorithms.Spec { return spec("hasty", "takes its snapshot one barrier early", 1) }

func spec(name, short string, early int) *algorithms.Spec {
	return &algorithms.Spec{
		Name: name, Paper: "none: an example", Short: short,
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeAll,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{early: early} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, rounds.Triggers{}) },
	}
}

// protocol is the half of the algorithm in one task. What job-wide rounds of
// snapshots share is embedded.
type protocol struct {
	rounds.Participant
	rounds.Alignment
	early int // barriers that it does not wait for
}

// Start begins an incarnation of the task.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Begin(k)
	p.Join(k, s, p)
}

// Control takes a barrier when its turn comes.
func (p *protocol) Control(in int, b *dataflow.Buffer) {
	p.Barrier(b.Epoch)
	if !p.Over(b.Epoch) && !p.Passed(b.Epoch) {
		p.Brought(in, b)
		p.snapshot()
	}
}

// InputEnded counts the end of an input as its barrier.
func (p *protocol) InputEnded(in int, stream bool) {
	if stream && p.Round != 0 {
		p.Gone(in)
		p.snapshot()
	}
	p.Participant.InputEnded(in, stream)
}

func (p *protocol) snapshot() {
	switch {
	case p.Over(p.Round):
		p.Release()
	case p.Missing() <= p.early:
		p.Trigger(p.Round, p.Base)
	}
}

// Trigger sends the barrier on, takes the snapshot, and lets the inputs go on.
func (p *protocol) Trigger(e, base id.Epoch) {
	p.K.Broadcast(0, e, dataflow.InBand, rounds.BarrierData(base))
	p.Take(e, base).Seal()
	p.Release()
}
