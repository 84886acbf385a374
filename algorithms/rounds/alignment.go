package rounds

import (
	"weir/dataflow"
	"weir/id"
)

// Alignment waits for one round's barrier on every live regular input and blocks those
// that have brought it. Embed it beside [Participant] and call Begin in Start.
type Alignment struct {
	// Round is the round being aligned, 0 for none; Base is its base.
	Round, Base id.Epoch
	kernel      dataflow.Kernel
	brought     []bool // by input
	missing     int    // live regular inputs that have not brought the barrier of Round
}

// Begin readies the alignment of a new incarnation.
func (a *Alignment) Begin(k dataflow.Kernel) {
	a.kernel, a.brought = k, make([]bool, len(k.Info().Inputs))
}

// Brought notes that an input has brought barrier b, not of an older round, and
// blocks it. A newer round ends the alignment of an older one, which this input
// has passed.
func (a *Alignment) Brought(in int, b *dataflow.Buffer) {
	if b.Epoch > a.Round {
		a.Release()
		for i := range a.brought {
			if a.regular(i) && (!a.kernel.Ended(i, true) || a.kernel.Config().Mutant == MutantEndedCountsLive) {
				a.missing++
			}
		}
	}
	a.Round, a.Base = b.Epoch, BaseOf(b)
	a.brought[in] = true
	if a.regular(in) {
		a.missing--
	}
	a.kernel.Block(in)
}

// regular: a back-edge is not waited for, its barrier comes of this task's own.
func (a *Alignment) regular(in int) bool { return !a.kernel.Info().Inputs[in].Back }

// Gone notes that the sender of an input has left: it brings no barrier any more.
func (a *Alignment) Gone(in int) {
	if a.Round != 0 && a.regular(in) && !a.brought[in] && a.kernel.Config().Mutant != MutantEndIsNoBarrier {
		a.missing--
	}
}

// Missing counts the live inputs that have not brought the barrier. An input
// whose sender has left brings none.
func (a *Alignment) Missing() int { return a.missing }

// Cancel ends the alignment of a round from the first to the last, if such a one is under way.
func (a *Alignment) Cancel(first, last id.Epoch) {
	if a.Round >= first && a.Round <= last {
		a.Release()
	}
}

// Release ends the alignment and unblocks what waits for it.
func (a *Alignment) Release() {
	a.Round, a.missing = 0, 0
	for i, ok := range a.brought {
		if ok {
			a.brought[i] = false
			a.kernel.Unblock(i)
		}
	}
}
