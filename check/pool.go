package check

import (
	"slices"

	"weir/id"
)

// holding are the timers of one task, by time.
type holding struct {
	timers  []timer // asked for, neither cancelled nor fired
	claimed []timer // timers from before a change of the graph that turned out to be its own
}

// pool has the timers of a checkpoint of a former graph, by operator. Which of its new
// instances has which is known to nobody but the keys' owner: a timer is
// claimed by the first one that shows that it has it, and by no other.
type pool struct {
	timers map[string][]timer // by time
	alive  map[string]bool    // operators some instance of which still fires its own
}

func newPool() pool { return pool{map[string][]timer{}, map[string]bool{}} }

// restOn begins with what an operator had from an older pool, once.
func (p *pool) restOn(operator string, older *pool) {
	if _, ok := p.timers[operator]; !ok {
		p.timers[operator] = slices.Clone(older.timers[operator])
		p.alive[operator] = older.alive[operator]
	}
}

// add adds the timers of an instance.
func (p *pool) add(operator string, timers []timer, fires bool) {
	all := p.timers[operator]
	for _, t := range timers {
		all = insert(all, t)
	}
	p.timers[operator] = all
	p.alive[operator] = p.alive[operator] || fires && len(timers) > 0
}

// remove takes out what an instance had claimed.
func (p *pool) remove(operator string, claimed []timer) {
	all := p.timers[operator]
	for _, t := range claimed {
		if i, there := slices.BinarySearchFunc(all, t, timer.compare); there {
			all = slices.Delete(all, i, i+1)
		}
	}
	p.timers[operator] = all
	p.alive[operator] = p.alive[operator] && len(all) > 0
}

// has reports whether an operator has a timer.
func (p *pool) has(operator string, t timer) bool { return hasTimer(p.timers[operator], t) }

// claim gives a timer from before a change of the graph to task n of tasks, which shows
// that it has it, unless another instance did. of returns what a task holds.
func (p *pool) claim(n id.TaskID, t timer, tasks []Task, of func(n int) *holding) {
	self := &tasks[n]
	if !p.has(self.Operator, t) {
		return
	}
	for i := range tasks {
		if sameOperator(&tasks[i], self) && hasTimer(of(i).claimed, t) {
			return
		}
	}
	own := of(int(n))
	own.claimed, own.timers = insert(own.claimed, t), insert(own.timers, t)
}

// hasTimer looks for a timer among some by time.
func hasTimer(timers []timer, t timer) bool {
	_, there := slices.BinarySearchFunc(timers, t, timer.compare)
	return there
}

// insert puts a timer among others, unless it is there.
func insert(timers []timer, t timer) []timer {
	i, there := slices.BinarySearchFunc(timers, t, timer.compare)
	if there {
		return timers
	}
	return slices.Insert(timers, i, t)
}
