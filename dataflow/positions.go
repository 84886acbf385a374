package dataflow

import (
	"slices"

	"weir/id"
)

// Span is the positions (From, To] of a channel.
type Span struct{ From, To id.Seq }

// positions is a set of positions of a channel: everything up to upTo, and the
// spans beyond it, which ascend and do not touch each other or upTo.
type positions struct {
	upTo   id.Seq
	beyond []Span
}

// hasAny reports whether a position in (from, to] is in the set.
func (p *positions) hasAny(from, to id.Seq) bool {
	if from < p.upTo {
		return true
	}
	for _, s := range p.beyond {
		if from < s.To && s.From < to {
			return true
		}
	}
	return false
}

// has reports whether all of (from, to] is in the set.
func (p *positions) has(from, to id.Seq) bool {
	if to <= p.upTo {
		return true
	}
	for _, s := range p.beyond {
		if s.From <= from && to <= s.To {
			return true
		}
	}
	return false
}

// add puts (from, to], of which nothing is in the set, into it.
func (p *positions) add(from, to id.Seq) {
	i := 0
	for i < len(p.beyond) && p.beyond[i].From < from {
		i++
	}
	p.beyond = slices.Insert(p.beyond, i, Span{from, to})
	if i+1 < len(p.beyond) && p.beyond[i+1].From == to {
		p.beyond[i].To = p.beyond[i+1].To
		p.beyond = slices.Delete(p.beyond, i+1, i+2)
	}
	if i > 0 && p.beyond[i-1].To == from {
		p.beyond[i-1].To = p.beyond[i].To
		p.beyond = slices.Delete(p.beyond, i, i+1)
	}
	if p.beyond[0].From == p.upTo {
		p.upTo = p.beyond[0].To
		p.beyond = slices.Delete(p.beyond, 0, 1)
	}
}

// count is the number of positions in the set.
func (p *positions) count() id.Seq {
	n := p.upTo
	for _, s := range p.beyond {
		n += s.To - s.From
	}
	return n
}

func (p *positions) clone() positions { return positions{p.upTo, slices.Clone(p.beyond)} }

// HeldWatermark is a watermark that was delivered and holds only when everything
// up to its position has been.
type HeldWatermark struct {
	At        id.Seq
	Watermark int64
}

// Beyond is what an input of a reordering channel had at an instant besides the
// prefix in Header.Delivered.
type Beyond struct {
	Delivered []Span // ascending, not touching each other or the prefix
	Held      []HeldWatermark
	// EndAt is the position of an EndData that was delivered and does not hold
	// yet, because something before it is missing; 0: none.
	EndAt id.Seq
}

// loose is what an input of a channel that may reorder keeps beside the prefix
// of what was delivered and of what has arrived, which input has itself.
type loose struct {
	arrived, delivered positions
	held               []HeldWatermark
	endAt              id.Seq // EndData delivered, not yet in force; 0: none
	gone               bool   // EndStream taken, not yet in force
	goneAt             id.Seq // it holds when everything up to here was delivered
}

// snapshot returns what a header keeps of l; nil: nothing.
func (l *loose) snapshot() *Beyond {
	if l == nil || len(l.delivered.beyond) == 0 {
		return nil // without a gap nothing is held back
	}
	return &Beyond{Delivered: slices.Clone(l.delivered.beyond), Held: slices.Clone(l.held), EndAt: l.endAt}
}

// restore sets l to what a header kept.
func (l *loose) restore(upTo id.Seq, b *Beyond) {
	*l = loose{delivered: positions{upTo: upTo}}
	if b != nil {
		l.delivered.beyond, l.held, l.endAt = slices.Clone(b.Delivered), slices.Clone(b.Held), b.EndAt
	}
	l.arrived = l.delivered.clone()
}

// took moves the position of an input behind b, which is being delivered.
func (in *input) took(b *Buffer) {
	if in.loose == nil {
		in.delivered = b.Last()
		return
	}
	in.loose.delivered.add(b.Seq-1, b.Last())
	in.delivered = in.loose.delivered.upTo
}

// came notes that b has arrived.
func (in *input) came(b *Buffer) {
	if in.loose == nil {
		in.arrived = b.Last()
		return
	}
	in.loose.arrived.add(b.Seq-1, b.Last())
	in.arrived = in.loose.arrived.upTo
}

// follows reports whether b is what may come next: on a FIFO channel the item
// behind the last one, on a reordering one any that has not come yet.
func (in *input) follows(b *Buffer) bool {
	if in.loose == nil {
		return b.Seq == in.arrived+1
	}
	return !in.loose.arrived.hasAny(b.Seq-1, b.Last())
}

// knows reports whether all of b has arrived before.
func (in *input) knows(b *Buffer) bool {
	if in.loose == nil {
		return b.Last() <= in.arrived
	}
	return in.loose.arrived.has(b.Seq-1, b.Last())
}

// hold keeps a delivered watermark until everything before it is delivered too.
// It returns the newest watermark in force now, NoWatermark for none.
func (l *loose) hold(b *Buffer) int64 {
	if b.Watermark != NoWatermark {
		l.held = append(l.held, HeldWatermark{b.Last(), b.Watermark})
	}
	wm, kept := int64(NoWatermark), l.held[:0]
	for _, h := range l.held {
		if h.At <= l.delivered.upTo {
			wm = max(wm, h.Watermark)
		} else {
			kept = append(kept, h)
		}
	}
	l.held = kept
	return wm
}
