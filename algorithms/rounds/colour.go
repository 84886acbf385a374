package rounds

import (
	"encoding/binary"
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// Colour is how a round comes to tasks over channels that reorder, where no marker could
// say what is in front of it: every buffer carries the newest round that its sender has a
// snapshot of, and a task takes its own before it delivers the first buffer of a newer
// one. The coordinator tells every task too, for those that nobody sends anything. Embed it
// in the place of [Participant], call Join in Start, Met in Deliver and Take for a snapshot.
//
// Savepoints are numbered like rounds and colour nothing: whatever becomes of one, no task
// begins it because of a buffer.
type Colour struct {
	Participant
	stamp []byte
	taken []id.Epoch // rounds that this task has a snapshot of, but for those before a complete one
}

// Stamp is the colour of this task with the base of the round; before the first: nothing.
func (c *Colour) Stamp(int) []byte { return c.stamp }

// Met takes the snapshot of the round that the sender of b was in, unless this task has it or
// the round is over, and returns that round. 0: the first of the sender's attempt was still to come.
func (c *Colour) Met(b *dataflow.Buffer) id.Epoch {
	sent, n := binary.Uvarint(b.Stamp)
	if n <= 0 {
		return 0
	}
	base, _ := binary.Uvarint(b.Stamp[n:])
	c.begin(id.Epoch(sent), id.Epoch(base))
	return id.Epoch(sent)
}

func (c *Colour) begin(e, base id.Epoch) {
	if !c.Over(e) {
		c.half.Trigger(e, base)
	}
}

// Take begins the snapshot of round e. What is sent from then on has its colour.
func (c *Colour) Take(e, base id.Epoch) *dataflow.Draft {
	d := c.Participant.Take(e, base) // what was open is sealed with the colour before
	c.stamp = binary.AppendUvarint(binary.AppendUvarint(nil, uint64(e)), uint64(base))
	c.taken = append(slices.DeleteFunc(c.taken, func(x id.Epoch) bool { return x <= base }), e)
	return d
}

// Message begins a round here, or goes to Participant.
func (c *Colour) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data, Trigger)
	if err != nil {
		panic(err) // both ends are this program
	}
	if m.Kind != Trigger {
		c.Participant.Message(data)
		return
	}
	c.begin(m.Epoch, m.Base)
	if c.missed(m.Epoch) {
		c.K.Tell((&coordinator.Message{Kind: passed, Epoch: m.Epoch}).Encode())
	}
}

// missed: this task was in a newer round before it heard of e, which can never be whole. Shares of
// e would wait for this one, and hold up those of the rounds behind.
func (c *Colour) missed(e id.Epoch) bool {
	return !c.leaving && e < c.Newest && e.Attempt() == max(c.K.Attempt(), c.kept.Attempt()) && !slices.Contains(c.taken, e)
}
