package unalignedtimeout

import (
	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// The mistakes of barriers that turn.
const (
	MutantUnannounced   dataflow.Mutant = "unannounced"    // a task that turns does not record inputs whose barrier is still to come
	MutantBehindBarrier dataflow.Mutant = "behind-barrier" // a task that turns takes what waits behind the barrier of a blocked input
	MutantStaleTimer    dataflow.Mutant = "stale-timer"    // a timer whose round is taken takes it again
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "unaligned-timeout",
		Paper: "FLIP-76: Unaligned Checkpoints (Apache Flink), with the aligned checkpoint timeout of FLINK-19680, 19682 and 27251",
		Short: "aligned barriers; one that waits too long overtakes queues from there on",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion, MaxConcurrent: 1, NoneUseless: true,
			Captures: dataflow.Captures{Inputs: true, Outputs: true},
		},
		Turns:       true,
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, rounds.Triggers{}) },
	}
}

// protocol is the half of one task.
type protocol struct {
	rounds.Participant
	rounds.Alignment
	aligns       bool       // has a forbidden input: never turns
	timer        id.Ticket  // 0: no time runs
	due, dueBase id.Epoch   // newest round whose time has begun, and its base
	late         id.Epoch   // newest round whose time is over
	had          []id.Epoch // by input: the newest round whose barrier had its turn in line
}

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Begin(k)
	p.had = make([]id.Epoch, len(k.Info().Inputs))
	for i := range k.Info().Inputs {
		p.aligns = p.aligns || k.Info().Inputs[i].Forbidden
	}
	p.Join(k, s, p)
}

// Announce begins the time of a round whose barrier was queued.
func (p *protocol) Announce(_ int, b *dataflow.Buffer) { p.await(b.Epoch, rounds.BaseOf(b)) }

func (p *protocol) await(e, base id.Epoch) {
	if e <= p.due || p.Over(e) || p.Passed(e) {
		return
	}
	p.due, p.dueBase, p.timer = e, base, 0
	if d := p.K.Config().Checkpoint.AlignmentTimeout; d > 0 {
		p.timer = p.K.After(d)
	} else {
		p.expire()
	}
}

// Timer is that of the newest round, or too late.
func (p *protocol) Timer(t id.Ticket) {
	if t == p.timer {
		p.expire()
	}
}

// expire turns the task, or the queues of its outputs if it has its snapshot.
func (p *protocol) expire() {
	p.timer, p.late = 0, p.due
	taken := p.Over(p.due) || p.Passed(p.due)
	switch {
	case !taken && !p.aligns, taken && p.K.Config().Mutant == MutantStaleTimer:
		p.take(p.due, p.dueBase, -1)
	case taken:
		for out := range p.K.Info().Outputs {
			p.K.LiftOutput(out, p.due)
		}
	}
}

// Control takes a barrier at its turn, or one that overtakes as it arrives.
func (p *protocol) Control(in int, b *dataflow.Buffer) {
	if p.aligns && b.Over {
		p.K.Demote(in, b)
		p.await(b.Epoch, rounds.BaseOf(b))
		return
	}
	p.Barrier(b.Epoch)
	switch {
	case p.Over(b.Epoch) || p.Passed(b.Epoch):
		// this task has its snapshot, or the round is over
	case b.Over:
		p.late = b.Epoch
		p.take(b.Epoch, rounds.BaseOf(b), in)
	default:
		p.had[in] = b.Epoch
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
		p.take(p.Round, p.Base, -1)
	}
}

// Trigger begins a round at a task without live inputs.
func (p *protocol) Trigger(e, base id.Epoch) {
	p.await(e, base)
	if !p.Over(e) {
		p.take(e, base, -1)
	}
}

// take fixes the snapshot of round e; from is the input whose barrier overtook.
// What an input holds ahead of its barrier is taken, which is nothing if that
// has had its turn.
func (p *protocol) take(e, base id.Epoch, from int) {
	turned := p.late == e
	place := dataflow.Marker
	if turned {
		place = dataflow.Overtake
	}
	p.K.Broadcast(0, e, place, rounds.BarrierData(base))
	d := p.Take(e, base)
	if turned {
		d.Outputs()
	} else {
		d.Hold()
	}
	mutant := p.K.Config().Mutant
	for i := range p.K.Info().Inputs {
		has := p.Round == e && p.had[i] == e
		switch {
		case has && mutant != MutantBehindBarrier:
		case i == from, has:
			d.Queued(i)
		case !p.K.LiftInput(i, e) && mutant != MutantUnannounced:
			d.Record(i)
		}
	}
	d.Seal()
	p.Release()
}
