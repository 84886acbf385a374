package rounds

import (
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// Half is what the task half of one algorithm does in a round.
type Half interface {
	// Trigger begins round e at a task that no input will bring it to.
	Trigger(e, base id.Epoch)
	// Cancel gives the rounds from the first to the last up: release what waits for them.
	Cancel(first, last id.Epoch)
}

// Participant is the part of the task half that coordinated algorithms share:
// triggers, acknowledgements, completion, leaving. Embed it in a Protocol and
// call Join in Start.
type Participant struct {
	dataflow.BaseProtocol
	K    dataflow.Kernel
	half Half
	// Newest is the newest round begun or taken here; older ones are over.
	Newest id.Epoch

	kept          id.Epoch   // rounds before it are of plans before the newest that has kept this task
	begun         []id.Epoch // rounds whose share is not stored yet
	givenUp       []id.Epoch // rounds above Newest that are over too
	barrier       id.Epoch   // newest that any input brought
	trigger, base id.Epoch   // newest round announced by the coordinator
	drainedIn     id.Epoch   // first stored snapshot taken when drained
	leaving       bool
	last          id.Epoch // newest round when leaving
}

// Join starts taking part; h is the algorithm.
func (p *Participant) Join(k dataflow.Kernel, s dataflow.Start, h Half) {
	p.K, p.half = k, h
	p.Newest = max(s.Epoch, id.MakeEpoch(k.Attempt(), 0)) // rounds of older attempts are over
	if k.IsDrained() {
		p.drainedIn = s.Epoch
		k.Tell((&coordinator.Message{Kind: Drained}).Encode())
		if s.Epoch != 0 && s.Plan.Stable >= s.Epoch {
			p.leave()
		}
	}
}

// Over reports that nothing is to be done for round e any more: it was taken
// here, passed by a newer one, given up, or is of an older plan.
func (p *Participant) Over(e id.Epoch) bool {
	return e <= p.Newest || e < p.kept || slices.Contains(p.givenUp, e)
}

// Barrier notes that an input has brought the barrier of round e. Epochs grow on
// every input, so it brings none of an older round any more.
func (p *Participant) Barrier(e id.Epoch) { p.barrier = max(p.barrier, e) }

// Passed reports that some input has brought the barrier of a round newer than
// e. A round that begins then would wait for that input for ever: its sender
// heard of the newer round first.
func (p *Participant) Passed(e id.Epoch) bool {
	return p.barrier > e && p.K.Config().Mutant != MutantForgetPassed
}

// leave takes part in no further round, and goes when what is begun is stored.
func (p *Participant) leave() {
	if !p.leaving {
		p.leaving, p.last = true, p.Newest
		p.Newest = ^id.Epoch(0)
		p.K.Finish()
	}
}

// Left tells the coordinator which round was the last: up to it this task has
// acknowledged what it has queued, in later ones its last complete snapshot
// stands for it.
func (p *Participant) Left() {
	p.K.Tell((&coordinator.Message{Kind: Leaving, Epoch: p.last}).Encode())
}

// Take begins the snapshot of round e.
func (p *Participant) Take(e, base id.Epoch) *dataflow.Draft {
	p.Newest = e
	p.begun = append(p.begun, e)
	d := p.K.Begin(e, base)
	if p.K.Config().Mutant == MutantAckBeforeDurable {
		p.ack(e, dataflow.Stored{Ref: dataflow.SnapshotKey(p.K.Info().ID, e), Header: dataflow.Header{Epoch: e, Drained: p.K.IsDrained()}})
	}
	return d
}

func (p *Participant) ack(e id.Epoch, s dataflow.Stored) {
	p.K.Tell((&coordinator.Message{Kind: coordinator.Ack, Epoch: e, Stored: &s}).Encode())
}

// Saving counts a savepoint among the rounds: older ones are over.
func (p *Participant) Saving(e id.Epoch) id.Epoch {
	p.Newest = max(p.Newest, e)
	return e
}

// Saved has nothing to do: rounds begin as the coordinator says.
func (p *Participant) Saved() {}

// ended: round e has its share of this task, or will never have it.
func (p *Participant) ended(e id.Epoch) {
	p.begun = slices.DeleteFunc(p.begun, func(x id.Epoch) bool { return x == e })
}

// Stored acknowledges.
func (p *Participant) Stored(e id.Epoch, s dataflow.Stored) {
	p.ended(e)
	if p.drainedIn == 0 && s.Header.Drained {
		p.drainedIn = e
	}
	if p.K.Config().Mutant != MutantAckBeforeDurable {
		p.ack(e, s)
	}
}

// StoreFailed declines.
func (p *Participant) StoreFailed(e id.Epoch, err error) {
	p.ended(e)
	p.K.Tell((&coordinator.Message{Kind: coordinator.Decline, Epoch: e, Text: err.Error()}).Encode())
}

// Drained reports, so that the final round need not wait for the interval.
func (p *Participant) Drained() { p.K.Tell((&coordinator.Message{Kind: Drained}).Encode()) }

// Live counts the inputs that can still be the first to bring a barrier. A
// back-edge brings none that its own task has not sent round.
func (p *Participant) Live() int {
	n := 0
	for i, in := range p.K.Info().Inputs {
		if !in.Back && !p.K.Ended(i, true) {
			n++
		}
	}
	return n
}

// InputEnded begins an announced round when the last input that could have
// brought it is gone.
func (p *Participant) InputEnded(_ int, stream bool) {
	if stream {
		p.start()
	}
}

func (p *Participant) start() {
	if !p.Over(p.trigger) && p.Live() == 0 {
		p.half.Trigger(p.trigger, p.base)
	}
}

// Message from the coordinator.
func (p *Participant) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data, Trigger)
	if err != nil {
		panic(err) // both ends are this program
	}
	switch m.Kind {
	case Trigger:
		// Triggers may overtake each other. Once a newer round has begun here an older
		// one cannot be whole, and needs no answer: the newer one, when it is whole, or
		// its own timeout gives it up.
		if m.Epoch > p.trigger {
			p.trigger, p.base = m.Epoch, m.Base
			p.start()
		}
	case coordinator.Complete:
		p.K.ReleaseBase(m.Base)
		p.K.Commit(m.Epoch)
		if p.drainedIn != 0 && m.Epoch >= p.drainedIn {
			p.leave()
		}
	case Abort:
		p.giveUp(m.Epoch)
		p.half.Cancel(m.Epoch, m.Epoch)
		if p.K.Config().Mutant == MutantAbortHitsNewest {
			m.Epoch = p.Newest
		}
		p.ended(m.Epoch)
		p.K.Abandon(m.Epoch) // spares work: what would be stored all the same is swept
	default: // goes the other way, or is another algorithm's
	}
}

// giveUp remembers that round e is over, but not the rounds before it: with
// several under way, an older one may still complete. A task that forgot it would
// begin the round when its barrier comes, and break nothing: nobody counts its
// share, a sweep finds it, and what waits is released by the next barrier. Only
// time would be lost, less than the progress oracle allows (3,000 runs).
func (p *Participant) giveUp(e id.Epoch) {
	p.givenUp = slices.DeleteFunc(p.givenUp, func(x id.Epoch) bool { return x <= p.Newest })
	if !p.Over(e) && p.K.Config().Mutant != MutantForgetGivenUp {
		p.givenUp = append(p.givenUp, e)
	}
}

// Thawed: a plan keeps this task. The rounds of older plans are over, whether or not the
// coordinator that led them has said so, and what it says of them late means nothing. What
// the sink has sealed for them stays, and is committed with the next round that is complete.
// Whoever made the plan may not know that the task has drained.
func (p *Participant) Thawed(a id.Attempt) {
	if p.K.IsDrained() {
		p.Drained()
	}
	if p.K.Config().Mutant == MutantAdoptsNumbers {
		return
	}
	p.kept = id.MakeEpoch(a, 0)
	p.half.Cancel(0, p.kept)
	for _, e := range p.begun {
		p.K.Abandon(e)
	}
	p.begun = p.begun[:0]
}

// BaseOf decodes the payload of a barrier: the round's base.
func BaseOf(b *dataflow.Buffer) id.Epoch {
	var e id.Epoch
	for i := len(b.Data) - 1; i >= 0; i-- {
		e = e<<8 | id.Epoch(b.Data[i])
	}
	return e
}

// BarrierData is the payload of a barrier: the round's base, little endian.
func BarrierData(base id.Epoch) []byte {
	if base == 0 {
		return nil
	}
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(base >> (8 * i))
	}
	return b
}
