package dataflow

import (
	"slices"

	"weir/id"
)

// pending is what the effects of a task that have not come back stand for. They
// are few, and come back in about the order in which they went out.
type pending struct {
	tickets []id.Ticket
	effects []*effect
	spent   []*effect // for those to come
}

// emptied returns an empty one in the memory of p.
func (p *pending) emptied() pending {
	for _, e := range p.effects {
		p.spend(e)
	}
	return pending{p.tickets[:0], p.effects[:0], p.spent}
}

func (p *pending) put(k id.Ticket, e *effect) {
	var kept *effect
	if n := len(p.spent); n > 0 {
		kept, p.spent = p.spent[n-1], p.spent[:n-1]
	} else {
		kept = new(effect)
	}
	*kept = *e
	p.tickets = append(p.tickets, k)
	p.effects = append(p.effects, kept)
}

// take removes and returns what k stands for, which is spent when it has been dealt
// with; nil: nothing.
func (p *pending) take(k id.Ticket) *effect {
	i := slices.Index(p.tickets, k)
	if i < 0 {
		return nil
	}
	e := p.effects[i]
	last := len(p.tickets) - 1
	p.tickets[i], p.effects[i] = p.tickets[last], p.effects[last]
	p.tickets, p.effects = p.tickets[:last], p.effects[:last]
	return e
}

// spend ends the use of an effect that was taken.
func (p *pending) spend(e *effect) {
	*e = effect{}
	p.spent = append(p.spent, e)
}
