package algorithmstest

import (
	"maps"

	"weir/id"
	"weir/trace"
)

// Cut is one complete round: what its snapshots say of the channels between tasks that both took one.
type Cut struct {
	Epoch    id.Epoch
	Channels map[id.ChannelID]*Crossing
}

// Crossing is a channel at a cut, as positions.
type Crossing struct {
	Sent     uint64          // everything up to here, before the sender's instant
	Received map[uint64]bool // before the receiver's instant
	Captured map[uint64]int  // in flight, how often
	Handled  map[uint64]bool // of those in flight, by the receiver, before the round was complete
}

// CutKinds are the events that Cuts reads.
func CutKinds() []trace.Kind {
	return []trace.Kind{trace.Delivered, trace.PositionIn, trace.PositionOut, trace.CapturedIn, trace.CapturedOut, trace.Completed, trace.TaskRestored}
}

// place is a channel in a round.
type place struct {
	epoch   id.Epoch
	channel id.ChannelID
}

// Cuts returns the complete rounds of a run, in which nothing is said of positions beyond what was
// delivered, sent and captured: what a receiver has is followed from delivery to delivery, and
// through recoveries.
func Cuts(events []trace.Event) (all []Cut) {
	had := map[id.ChannelID]map[uint64]bool{} // delivered by now
	to := map[id.ChannelID]id.TaskID{}
	at, sent := map[place]map[uint64]bool{}, map[place]uint64{}
	captured := map[place]map[uint64]int{}
	for _, e := range events {
		p := place{e.Epoch, e.Channel}
		switch e.Kind {
		case trace.Delivered:
			to[e.Channel] = e.Task
			if had[e.Channel] == nil {
				had[e.Channel] = map[uint64]bool{}
			}
			for n := e.From + 1; n <= e.To; n++ {
				had[e.Channel][n] = true
			}
		case trace.PositionIn:
			to[e.Channel] = e.Task
			at[p] = maps.Clone(had[e.Channel])
		case trace.PositionOut:
			sent[p] = e.To
		case trace.CapturedIn, trace.CapturedOut:
			if captured[p] == nil {
				captured[p] = map[uint64]int{}
			}
			for n := e.From + 1; n <= e.To; n++ {
				captured[p][n]++
			}
		case trace.TaskRestored:
			for channel, task := range to {
				if task == e.Task {
					had[channel] = maps.Clone(at[place{e.Epoch, channel}])
				}
			}
		default: // complete
			c := Cut{e.Epoch, map[id.ChannelID]*Crossing{}}
			for p, n := range sent {
				received, ok := at[p]
				if ok && p.epoch == e.Epoch {
					x := &Crossing{Sent: n, Received: received, Captured: captured[p], Handled: map[uint64]bool{}}
					for n := range x.Captured {
						x.Handled[n] = had[p.channel][n]
					}
					c.Channels[p.channel] = x
				}
			}
			all = append(all, c)
		}
	}
	return all
}
