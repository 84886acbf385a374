// The clock oracle: of timers of processing time each that was set fires once, in
// their order, and a restored task asks to be woken for those that its snapshot had.
// Behind a change of the graph the timers of an operator are its instances' together
// (see pool): one of them fires each, and one at least asks to be woken.
//
// It does not verify how soon after its time a timer fires, nor that none is left
// when the input has ended: none fires any more then; nor the place in the order of a
// timer from before a change.

package check

import (
	"slices"

	"weir/trace"
)

type wallClock struct {
	judge
	tasks []alarms
	saved []alarms // by snapshot of the model, at its instant
	pools []pool   // by inheritance of the model
}

// alarms are the timers of processing time of one task.
type alarms struct {
	holding
	drained bool // none fires any more
	awaited bool // by this incarnation
	fresh   bool // it is restored, and not ready
}

func newWallClock(j judge) watcher {
	return &wallClock{judge: j, tasks: make([]alarms, len(j.x.Tasks))}
}

func (o *wallClock) Reshape() { o.tasks = make([]alarms, len(o.x.Tasks)) }

func (o *wallClock) Wants() trace.Mask {
	return kinds(trace.TimerSet, trace.TimerCancelled, trace.TimerFired, trace.TimerAwaited, trace.TaskDrained, trace.SnapshotBegun, trace.TaskRestored, trace.TaskReady)
}

func (o *wallClock) Reset() {
	o.saved, o.pools = o.saved[:0], nil
	if x := o.x.Origin; x != nil {
		for i := range x.Tasks {
			o.saved = append(o.saved, alarms{holding: holding{timers: timersOf(x.Tasks[i].Alarms)}})
		}
	}
	for i := range o.tasks {
		o.tasks[i] = alarms{holding: holding{timers: o.tasks[i].timers[:0]}}
	}
}

func (o *wallClock) Finish(End) {}

func (o *wallClock) Observe(e *trace.Event) {
	a := &o.tasks[e.Task]
	switch e.Kind {
	case trace.TimerSet, trace.TimerCancelled, trace.TimerFired:
		if e.Way == trace.ByClock {
			o.timer(e, a)
		}
	case trace.TimerAwaited:
		a.awaited = true
	case trace.TaskDrained:
		a.drained = true
	case trace.SnapshotBegun:
		o.save(a)
	case trace.TaskRestored:
		o.restored(e, a)
	default:
		if a.fresh && len(a.timers) > 0 && !a.awaited && !a.drained {
			o.violate(e.Task, e.Epoch, "the restored task has %d timers of processing time, the first of %d, and has not asked to be woken for any", len(a.timers), a.timers[0].at)
		}
		a.fresh = false
		if o.line.complete && o.model.tasks[e.Task].made {
			o.someAwaited()
		}
	}
}

// timer follows one from when it is set until it fires.
func (o *wallClock) timer(e *trace.Event, a *alarms) {
	t := timer{e.At, hash(e.Data)}
	if h := o.model.tasks[e.Task].inherits; h != none {
		o.pools[h].claim(e.Task, t, o.x.Tasks, func(n int) *holding { return &o.tasks[n].holding })
	}
	i, there := slices.BinarySearchFunc(a.timers, t, timer.compare)
	switch {
	case e.Kind == trace.TimerSet && !there:
		a.timers = slices.Insert(a.timers, i, t)
	case e.Kind == trace.TimerSet:
	case e.Kind == trace.TimerFired && !there:
		o.violate(e.Task, 0, "a timer of processing time %d fires that nobody has set, or that has fired before", e.At)
	case e.Kind == trace.TimerFired && e.At > a.timers[0].at:
		o.violate(e.Task, 0, "a timer of processing time %d fires before one of %d", e.At, a.timers[0].at)
		fallthrough
	case there:
		a.timers = slices.Delete(a.timers, i, i+1)
	}
}

// save keeps the timers with the snapshot that the model has just begun.
func (o *wallClock) save(a *alarms) {
	for len(o.saved) < len(o.snapshots) {
		if len(o.saved) < cap(o.saved) {
			o.saved = o.saved[:len(o.saved)+1]
		} else {
			o.saved = append(o.saved, alarms{})
		}
	}
	s := &o.saved[len(o.saved)-1]
	s.timers, s.drained = append(s.timers[:0], a.timers...), a.drained
	s.claimed = append(s.claimed[:0], a.claimed...)
}

// restored takes the task back to the timers of its snapshot.
func (o *wallClock) restored(e *trace.Event, a *alarms) {
	a.timers, a.claimed, a.drained, a.awaited, a.fresh = a.timers[:0], a.claimed[:0], false, false, true
	switch t := &o.model.tasks[e.Task]; {
	case t.made:
		for len(o.pools) < len(o.inheritances) {
			o.pools = append(o.pools, o.poolOf(len(o.pools)))
		}
	case e.Epoch != 0 && t.restored != none && int(t.restored) < len(o.saved):
		s := &o.saved[t.restored]
		a.timers, a.claimed, a.drained = append(a.timers, s.timers...), append(a.claimed, s.claimed...), s.drained
	}
}

// poolOf gathers the timers of inheritance h.
func (o *wallClock) poolOf(h int) pool {
	x, p := &o.inheritances[h], newPool()
	for i, n := range x.parts {
		operator := o.legs[x.leg].xTasks[i].Operator
		if x.root != none {
			p.restOn(operator, &o.pools[x.root])
		}
		if int(n) < len(o.saved) {
			s := &o.saved[n]
			p.remove(operator, s.claimed)
			p.add(operator, s.timers, !s.drained)
		}
	}
	return p
}

// someAwaited: of an operator with timers from before the change, some instance has
// asked to be woken.
func (o *wallClock) someAwaited() {
	for i := range o.tasks {
		self, awaited := &o.x.Tasks[i], false
		for k := range o.tasks {
			same := sameOperator(&o.x.Tasks[k], self)
			if same && k < i {
				awaited = true // its operator has been looked at
			}
			awaited = awaited || same && (o.tasks[k].awaited || o.tasks[k].drained)
		}
		h := o.model.tasks[i].inherits
		if awaited || h == none {
			continue
		}
		if p := &o.pools[h]; p.alive[self.Operator] {
			o.violate(trace.Coordinator, o.line.base, "the former instances of %s had %d timers of processing time, the first of %d, and none of the new ones has asked to be woken", self.Operator, len(p.timers[self.Operator]), p.timers[self.Operator][0].at)
		}
	}
}
