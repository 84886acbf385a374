package faults

import "weir/trace"

// Injector watches a run and says which faults are due. The driver makes it an
// observer of the trace, asks Next after each event until it says false, and
// calls Advance when the clock reaches Deadline. It is as deterministic as what
// it sees.
type Injector struct {
	plan     Plan
	wants    trace.Mask
	progress []progress
	due      []int // indices of faults, in the order in which they fell due
	next     int   // first of due not handed out yet
	waiting  int   // faults that have not fallen due
}

// progress is how far the condition of one fault has come.
type progress struct {
	step  int   // current step
	seen  int   // matches of it so far
	since int64 // time at which the step before it fired
}

var _ trace.Observer = (*Injector)(nil)

// NewInjector returns an injector at the start of a run. The plan must be valid.
func NewInjector(p Plan) *Injector {
	in := &Injector{}
	in.Reset(p)
	return in
}

// Reset makes the injector equal to NewInjector(p), reusing its memory.
func (in *Injector) Reset(p Plan) {
	in.plan, in.wants = p, 0
	in.progress, in.due, in.next = in.progress[:0], in.due[:0], 0
	in.waiting = len(p.Faults)
	for i := range p.Faults {
		in.progress = append(in.progress, progress{})
		for _, s := range p.Faults[i].When.Steps {
			in.wants |= s.Kinds
		}
	}
	in.Advance(0)
}

// Wants is the set of kinds that the plan names: nothing else is worth sending.
func (in *Injector) Wants() trace.Mask { return in.wants }

// Observe counts e. One event fires at most one step of a condition.
func (in *Injector) Observe(e *trace.Event) {
	if in.waiting == 0 {
		return
	}
	in.Advance(e.Time)
	for i := range in.progress {
		p := &in.progress[i]
		steps := in.plan.Faults[i].When.Steps
		if p.step >= len(steps) {
			continue
		}
		if s := &steps[p.step]; s.N > 0 && s.Matches(e) {
			if p.seen++; p.seen == s.N {
				in.fire(i, e.Time)
				in.pass(i, e.Time)
			}
		}
	}
}

// Advance tells the injector that the clock has reached now.
func (in *Injector) Advance(now int64) {
	for i := range in.progress {
		in.pass(i, now)
	}
}

// pass fires the time steps of fault i that are due, and empty conditions.
func (in *Injector) pass(i int, now int64) {
	p := &in.progress[i]
	steps := in.plan.Faults[i].When.Steps
	if len(steps) == 0 && p.step == 0 {
		in.fire(i, now)
		return
	}
	for p.step < len(steps) && steps[p.step].N == 0 && now-p.since >= steps[p.step].Time {
		in.fire(i, p.since+steps[p.step].Time)
	}
}

// fire ends the current step of fault i; the last one makes the fault due.
func (in *Injector) fire(i int, now int64) {
	p := &in.progress[i]
	p.step, p.seen, p.since = p.step+1, 0, now
	if p.step >= len(in.plan.Faults[i].When.Steps) {
		in.due = append(in.due, i)
		in.waiting--
	}
}

// Next returns the next fault that is due, each once.
func (in *Injector) Next() (Fault, bool) {
	if in.next == len(in.due) {
		return Fault{}, false
	}
	f := in.plan.Faults[in.due[in.next]]
	in.next++
	return f, true
}

// Deadline returns the earliest time at which a fault can fall due without
// another event, in nanoseconds since the start of the run.
func (in *Injector) Deadline() (at int64, ok bool) {
	for i := range in.progress {
		p := &in.progress[i]
		steps := in.plan.Faults[i].When.Steps
		if p.step >= len(steps) || steps[p.step].N > 0 {
			continue
		}
		if t := p.since + steps[p.step].Time; !ok || t < at {
			at, ok = t, true
		}
	}
	return at, ok
}

// Fired returns how many faults have fallen due.
func (in *Injector) Fired() int { return len(in.due) }

// Pending returns the faults that have not fallen due, in the order of the plan:
// after a run, those whose condition lay behind its end.
func (in *Injector) Pending() []Fault {
	var fs []Fault
	for i := range in.progress {
		if in.progress[i].step < max(len(in.plan.Faults[i].When.Steps), 1) {
			fs = append(fs, in.plan.Faults[i])
		}
	}
	return fs
}
