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
//
// The end of an input can come before the snapshot and behind the barrier of
// that input: restored, the task gets it again, and ends once more. Its barrier
// says so to its receivers, for which the end before this barrier does not count.
package atleastonce

import (
	"encoding/binary"
	"slices"

	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// MutantPassedRoundWaits is the mistake of a round that an input has passed, and that is
// waited for all the same.
const MutantPassedRoundWaits dataflow.Mutant = "passed-round-waits"

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "at-least-once",
		Paper: "Carbone et al., arXiv 1506.08603, section 4 (without alignment); Flink's at-least-once mode",
		Short: "barriers without blocking; what came behind a barrier may count twice",
		Declared: dataflow.Properties{
			State: dataflow.AtLeastOnce, Output: dataflow.AtLeastOnce,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, rounds.Triggers{}) },
	}
}

type protocol struct {
	rounds.Participant
	// under way, oldest first: without blocking, a fast input brings the next
	// barrier before a slow one brings this.
	under []*round
}

// round is a snapshot whose barriers are coming in.
type round struct {
	epoch, base id.Epoch
	brought     []bool
	marks       []dataflow.Mark // where the barrier stood, by input
}

func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) { p.Join(k, s, p) }

func (p *protocol) Control(in int, b *dataflow.Buffer) {
	p.Barrier(b.Epoch)
	if p.K.Config().Mutant != MutantPassedRoundWaits {
		p.passed(in, b.Epoch)
	}
	if p.Over(b.Epoch) {
		return
	}
	r := p.round(b.Epoch)
	if r == nil {
		return
	}
	var again bool
	r.base, again = payloadOf(b.Data)
	r.brought[in], r.marks[in] = true, p.K.Mark(in)
	if again {
		r.marks[in] = r.marks[in].Reopen()
	}
	p.check()
}

// payload is what a barrier carries: the round's base, and whether the sender,
// as its snapshot has it, is to end its output although it has done so before.
func payload(base id.Epoch, again bool) []byte {
	if base == 0 && !again {
		return nil
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(base))
	if again {
		b = append(b, 1)
	}
	return b
}

func payloadOf(data []byte) (base id.Epoch, again bool) {
	if len(data) == 0 {
		return 0, false
	}
	return id.Epoch(binary.LittleEndian.Uint64(data)), len(data) > 8
}

// drained reports whether no input will bring its end again.
func (r *round) drained() bool {
	for i, ok := range r.brought {
		if ok && !r.marks[i].Ended() {
			return false
		}
	}
	return true
}

// passed drops the rounds before e that input in has not brought and, epochs
// growing on every input, never will. They would keep e from being taken.
func (p *protocol) passed(in int, e id.Epoch) {
	p.under = slices.DeleteFunc(p.under, func(r *round) bool { return r.epoch < e && !r.brought[in] })
}

// round returns the round e, made if it is new; nil: an input has passed it.
func (p *protocol) round(e id.Epoch) *round {
	for _, r := range p.under {
		if r.epoch == e {
			return r
		}
	}
	if p.Passed(e) {
		return nil
	}
	n := len(p.K.Info().Inputs)
	r := &round{epoch: e, brought: make([]bool, n), marks: make([]dataflow.Mark, n)}
	p.under = append(p.under, r) // the newest: no input has passed it
	return r
}

func (p *protocol) InputEnded(in int, stream bool) {
	if stream && len(p.under) > 0 {
		p.check()
	}
	p.Participant.InputEnded(in, stream)
}

// check takes every snapshot whose barriers have all come, oldest first, and
// none once this task has begun to leave.
func (p *protocol) check() {
	p.under = slices.DeleteFunc(p.under, func(r *round) bool { return p.Over(r.epoch) })
	for len(p.under) > 0 {
		r := p.under[0]
		for i, ok := range r.brought {
			if !ok && !p.K.Ended(i, true) {
				return
			}
		}
		p.under = p.under[1:]
		p.take(r)
	}
}

func (p *protocol) take(r *round) {
	p.K.Broadcast(0, r.epoch, dataflow.InBand, payload(r.base, p.K.IsDrained() && !r.drained()))
	d := p.Take(r.epoch, r.base)
	for i, ok := range r.brought {
		if ok {
			d.Rewind(i, r.marks[i])
		}
	}
	d.Seal()
}

// Trigger takes the snapshot of a round that no input will bring.
func (p *protocol) Trigger(e, base id.Epoch) {
	n := len(p.K.Info().Inputs)
	p.take(&round{epoch: e, base: base, brought: make([]bool, n), marks: make([]dataflow.Mark, n)})
}

// Cancel forgets the rounds from the first to the last.
func (p *protocol) Cancel(first, last id.Epoch) {
	p.under = slices.DeleteFunc(p.under, func(r *round) bool { return r.epoch >= first && r.epoch <= last })
	p.check()
}
