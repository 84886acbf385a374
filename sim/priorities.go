package sim

import (
	"slices"

	"weir/dataflow"
	"weir/sim/seed"
)

// Priorities is probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and
// Nagarakatte: A randomized scheduler with probabilistic guarantees of finding bugs,
// ASPLOS 2010) where order follows from delays. Whoever may be late (a channel, a task,
// the messages of a task, its operations) has a priority, which is the share of its
// jitter by which it is late every time. At Depth-1 places among the draws of the run the one
// that draws there gets the lowest priority of all, for good. What it decides is on the
// tape as if [Random] had drawn it, so that a replay needs no Priorities.
type Priorities struct {
	Seed  uint64
	Depth int // d, from 1: how many orderings a bug needs
	Draws int // k: about how many draws a run has, from 1

	own     *seed.Source
	levels  seed.Family // of delays, by kind and key
	orders  seed.Family // of choices
	changes []int       // ascending, the draws at or after which somebody becomes last
	drawn   int
	late    [numDelays][]uint16 // by key: 0 not drawn yet, else level + 1
	prefer  []uint16            // likewise, by key of a choice
	random  Random              // the streams in which the decisions stand
}

// priorityLevels is how finely priorities are told apart.
const priorityLevels = 64

// Begin starts a run, with the same priorities whenever the seed is the same.
func (p *Priorities) Begin(src *seed.Source) {
	if p.own == nil {
		p.own = seed.New(p.Seed)
	}
	p.own.Reset(p.Seed)
	p.random.Begin(src)
	p.levels.Begin(p.own, "level")
	p.orders.Begin(p.own, "order")
	places := p.own.Stream("change")
	p.changes = p.changes[:0]
	for range p.Depth - 1 {
		p.changes = append(p.changes, 1+places.Draw(p.Draws))
	}
	slices.Sort(p.changes)
	p.drawn = 0
	for d := range p.late {
		clear(p.late[d])
	}
	clear(p.prefer)
}

// Drawn returns how many delays and choices the last run asked for: the k of the next.
func (p *Priorities) Drawn() int { return p.drawn }

// Quiet is false.
func (p *Priorities) Quiet() bool { return false }

// Choose has each task prefer one of its inputs, in the order in which it would serve them.
func (p *Priorities) Choose(task int, c dataflow.Choice, n int) int {
	p.drawn++
	const orders = 5040 // every small number divides it
	key := choiceKey(task, c)
	for key >= len(p.prefer) {
		p.prefer = append(p.prefer, 0)
	}
	if p.prefer[key] == 0 {
		p.prefer[key] = 1 + uint16(p.orders.Draw(key, orders))
	}
	return p.random.choices.Put(key, n, int(p.prefer[key]-1)%n)
}

// About is that of Random, as whom it stands on the tape.
func (p *Priorities) About(d Delay, key int, what uint64) { p.random.About(d, key, what) }

// Delay is the share of most that the priority says.
func (p *Priorities) Delay(d Delay, key int, most Nanos) Nanos {
	if most <= 0 {
		return 0
	}
	for key >= len(p.late[d]) {
		p.late[d] = append(p.late[d], 0)
	}
	switch {
	case p.next():
		p.late[d][key] = 1 + priorityLevels
	case p.late[d][key] == 0:
		p.late[d][key] = 1 + uint16(p.levels.Draw(key*int(numDelays)+int(d), priorityLevels))
	}
	late := most * Nanos(p.late[d][key]-1) / priorityLevels
	return p.random.delays[d].PutRange(key, 0, most, late)
}

// next counts a draw and tells whether it is a place of change.
func (p *Priorities) next() bool {
	p.drawn++
	if len(p.changes) == 0 || p.drawn < p.changes[0] {
		return false
	}
	p.changes = p.changes[1:]
	return true
}
