package dataflow

import (
	"slices"

	"weir/id"
)

// pending is what the effects of a task that have not come back stand for. They
// are few, and come back in about the order in which they went out.
type pending struct {
	tickets []id.Ticket
	effects []effect
}

// emptied returns an empty one in the memory of p.
func (p *pending) emptied() pending {
	clear(p.effects)
	return pending{p.tickets[:0], p.effects[:0]}
}

func (p *pending) put(k id.Ticket, e effect) {
	p.tickets = append(p.tickets, k)
	p.effects = append(p.effects, e)
}

// take removes and returns what k stands for.
func (p *pending) take(k id.Ticket) (effect, bool) {
	i := slices.Index(p.tickets, k)
	if i < 0 {
		return effect{}, false
	}
	e := p.effects[i]
	last := len(p.tickets) - 1
	p.tickets[i], p.effects[i] = p.tickets[last], p.effects[last]
	p.effects[last] = effect{}
	p.tickets, p.effects = p.tickets[:last], p.effects[:last]
	return e, true
}
