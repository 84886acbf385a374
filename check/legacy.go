package check

import (
	"weir/id"
	"weir/state"
	"weir/trace"
)

// This is the event-time oracle behind a change of the graph.

// legacy is event time in a checkpoint of a former graph.
type legacy struct {
	pool
	lowest map[string]int64     // by operator: of its instances
	former map[string][]reached // by operator: of each instance, and what it knew of older ones
	splits []said
	late   int64 // records given up
}

// saidOf returns what a source had said of a split.
func (l *legacy) saidOf(n id.SplitID) int64 {
	for i := range l.splits {
		if l.splits[i].split == n {
			return l.splits[i].at
		}
	}
	return trace.NoTime
}

// made sets the clock of a task that is made of former ones.
func (o *eventTime) made(e *trace.Event, c *clock, t *task) {
	for len(o.legacy) < len(o.inheritances) {
		o.legacy = append(o.legacy, o.legacyOf(len(o.legacy)))
	}
	o.begin(c, t)
	low, ok := o.legacy[t.inherits].lowest[o.x.Tasks[e.Task].Operator]
	if !ok {
		low = trace.NoTime
	}
	seen := int64(trace.NoTime)
	if p := o.predecessor(t.inherits, e.Task); p != none && int(p) < len(o.saved) {
		low, seen = o.saved[p].at, o.saved[p].seen
	}
	if c.exact { // else the lowest is an estimate
		seen = low
	}
	c.at, c.before, c.seen = low, low, seen
	c.former = o.legacy[t.inherits].former[o.x.Tasks[e.Task].Operator]
}

// legacyOf gathers event time in inheritance h.
func (o *eventTime) legacyOf(h int) legacy {
	x, l := &o.inheritances[h], legacy{pool: newPool(), lowest: map[string]int64{}, former: map[string][]reached{}}
	if x.root != none {
		l.late = o.legacy[x.root].late
	}
	for i, n := range x.parts {
		operator := o.legs[x.leg].xTasks[i].Operator
		if x.root != none {
			l.restOn(operator, &o.legacy[x.root].pool)
		}
		if int(n) >= len(o.saved) {
			continue
		}
		c := &o.saved[n]
		low, ok := l.lowest[operator]
		if !ok || c.at < low {
			low = c.at
		}
		l.lowest[operator] = low
		l.former[operator] = append(l.former[operator], o.reachedBy(x.leg, i, c)...)
		l.splits = append(l.splits, c.splits...)
		l.late += c.late
		l.remove(operator, c.claimed)
		l.add(operator, c.timers, true)
	}
	return l
}

// reachedBy returns how far task i of a former graph had come for its key groups, by its
// clock: as far as itself, and what is left of those of before.
func (o *eventTime) reachedBy(leg, i int, c *clock) []reached {
	tasks := o.legs[leg].xTasks
	n, index := instancesOf(tasks, &tasks[i], id.TaskID(i))
	own := state.GroupsOf(index, n, o.x.Groups)
	all := []reached{{own.Lo, own.Hi, c.at}}
	for _, r := range c.former {
		r.lo, r.hi = max(r.lo, own.Lo), min(r.hi, own.Hi)
		if r.lo < r.hi && r.at > c.at {
			all = append(all, r)
		}
	}
	return all
}

// claim: a task shows that it has a timer, which may be from before a change of the graph.
func (o *eventTime) claim(n id.TaskID, t timer) {
	if h := o.tasks[n].inherits; h != none {
		o.legacy[h].claim(n, t, o.x.Tasks, func(i int) *holding { return &o.clocks[i].holding })
	}
}

// leftOf: no timer is left at the end that inheritance h had, and that is due at all
// instances of its operator.
func (o *eventTime) leftOf(h int32) {
	looked := map[string]bool{}
	for i := range o.tasks {
		self := &o.x.Tasks[i]
		if looked[self.Operator] {
			continue
		}
		looked[self.Operator] = true
		reached, left := int64(trace.EndOfTime), newPool()
		left.restOn(self.Operator, &o.legacy[h].pool)
		for k := range o.clocks {
			if sameOperator(&o.x.Tasks[k], self) {
				reached = min(reached, o.clocks[k].reached())
				left.remove(self.Operator, o.clocks[k].claimed)
			}
		}
		if due := left.timers[self.Operator]; len(due) > 0 && due[0].at <= reached {
			o.violate(trace.Coordinator, 0, "the job ended with timers of %s from before the graph changed that are due and have not fired; the first is of %d", self.Operator, due[0].at)
		}
	}
}
