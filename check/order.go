package check

import (
	"slices"

	"weir/id"
)

// span is the positions (from, to] of a buffer.
type span struct{ from, to uint64 }

// order is what was sealed and delivered on a channel that reorders, in that
// order, along the surviving branches of its ends. A count of items says how far
// each list goes at an instant.
type order struct{ sealed, delivered []span }

// first returns the buffers that make up the first n items.
func first(spans []span, n uint64) []span {
	for i, s := range spans {
		if n == 0 {
			return spans[:i]
		}
		n -= min(n, s.to-s.from)
	}
	return spans
}

// checkPositions: on a channel that reorders, delivered and captured are, by
// position, what was sealed. The counts are right already.
func (o *cut) checkPositions(n id.ChannelID, e id.Epoch, sealed, delivered uint64) {
	ch := &o.channels[n]
	want := slices.Clone(first(ch.order.sealed, sealed))
	got := slices.Clone(first(ch.order.delivered, delivered))
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
