package check

import (
	"slices"

	"weir/id"
)

// span is the positions (from, to] of a buffer.
type span struct{ from, to uint64 }

// order is what was sealed and delivered on a channel that reorders, in that
// order, along the surviving branches of its ends.
type order struct{ sealed, delivered []span }

// mark notes where one end of a channel stands as a snapshot begins: how many items, and on a
// channel that reorders which. A task may go back behind a snapshot and forward to it again, when a
// coordinator that had not seen it is followed by one that has, or in another graph.
func (m *model) mark(ch *channel, items uint64, spans []span) {
	if ch.Reorders {
		if m.orders == nil {
			m.orders = map[int][]span{}
		}
		m.orders[len(m.marks)] = slices.Clip(spans) // who goes on from there appends to a copy
	}
	m.marks = append(m.marks, items)
}

// checkPositions: on a channel that reorders, delivered and captured are, by
// position, what was sealed. The counts are right already.
func (o *cut) checkPositions(n id.ChannelID, e id.Epoch) {
	ch := &o.channels[n]
	want := slices.Clone(o.orders[o.sealedMark(&o.snapshots[o.parts[ch.From]], n)])
	got := slices.Clone(o.orders[o.deliveredMark(&o.snapshots[o.parts[ch.To]], n)])
	for i := range o.ranges {
		got = append(got, span{o.ranges[i].from, o.ranges[i].to})
	}
	want, got = joined(want), joined(got)
	for i := range want {
		if i == len(got) || got[i] != want[i] {
			o.violate(ch.To, e, "channel %s: as many items were sent before the cut as are delivered and captured, but not the same: sent %v, had %v", n, want, got)
			return
		}
	}
}

// joined sorts spans and joins those that touch; overlapping ones stay apart.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return int(int64(a.from) - int64(b.from)) })
	var out []span
	for _, s := range spans {
		if k := len(out) - 1; k >= 0 && out[k].to == s.from {
			out[k].to = s.to
		} else {
			out = append(out, s)
		}
	}
	return out
}
