package check

import (
	"weir/id"
	"weir/trace"
)

// This is the restore oracle behind a change of the graph.

// newestOf: what the job goes on from is its newest complete checkpoint, or one of
// which nobody has heard that it is complete.
func (o *restore) newestOf(e *trace.Event) {
	if n := len(o.completed); n > 0 && o.line.base < o.completed[n-1] && o.report.FellBack == 0 {
		o.violate(e.Task, e.Epoch, "the changed graph goes on from %s, and checkpoint %s is complete: what lies between is done again", o.line.base, o.completed[n-1])
	}
}

// madeOf holds the state of an operator's instances against what its former ones had
// in the checkpoint, once the last of them is made.
func (o *restore) madeOf(e *trace.Event, t *task) {
	if base := o.line.base; o.line.active && e.Epoch != base && !o.ofOrigin(e.Epoch) {
		o.violate(e.Task, e.Epoch, "the task is made of %s, and the plan goes back to %s", e.Epoch, base)
		return
	}
	o.sums[e.Task] = e.Sum - e.To
	if p := o.predecessor(t.inherits, e.Task); p != none {
		if s := &o.snapshots[p]; o.sums[e.Task] != s.sum-s.apart {
			o.violate(e.Task, e.Epoch, "the restored state is not that of its former instance: content hash %016x, it was %016x when the snapshot began", o.sums[e.Task], s.sum-s.apart)
		}
		return
	}
	have, want := uint64(0), uint64(0)
	self := &o.x.Tasks[e.Task]
	for i := range o.tasks {
		if !sameOperator(&o.x.Tasks[i], self) {
			continue
		}
		if l := &o.line.tasks[i]; !l.restarted || l.epoch != e.Epoch {
			return // it is still to come
		}
		have += o.sums[i]
	}
	h := &o.inheritances[t.inherits]
	for i, p := range h.parts {
		if sameOperator(&o.legs[h.leg].xTasks[i], self) {
			s := &o.snapshots[p]
			want += s.sum - s.apart
		}
	}
	if have != want {
		o.violate(e.Task, e.Epoch, "the state of all instances of %s is not that of its former instances in the checkpoint: their content hashes add up to %016x, it was %016x", self.Operator, have, want)
	}
}

// deal: a split goes on where it was in the checkpoint.
func (o *restore) deal(e *trace.Event, t *task) {
	h := o.inheritances[t.inherits].epoch
	at, ok := o.inheritedOffset(t.inherits, e.Split)
	if !ok {
		o.violate(e.Task, h, "the source goes on with split %s, which the checkpoint does not have", e.Split)
		return
	}
	o.dealt[e.Split] = true
	if at != e.To && (o.x.State != AtMostOnce || e.To < at) { // who has no snapshots goes on from the source log
		o.violate(e.Task, h, "the source goes on from offset %d of split %s; the checkpoint has %d", e.To, e.Split, at)
	}
}

// dealsAll reports that every source has started anew by the plan that is carried out now. Where tasks go back
// each for itself, those that were not made by it have kept what they read.
func (o *restore) dealsAll() bool {
	for i := range o.tasks {
		if l := &o.line.tasks[i]; o.x.Tasks[i].Source && (!l.restarted || !o.x.Coordinated && !o.tasks[i].made) {
			return false
		}
	}
	return true
}

// allDealt: no split of the checkpoint was forgotten. That none is read twice says
// conservation.
func (o *restore) allDealt(h int32) {
	for n, ok := range o.dealt {
		if _, had := o.inheritedOffset(h, id.SplitID(n)); !ok && (had || o.x.Origin == nil) {
			o.violate(trace.Coordinator, o.line.base, "no task of the changed graph goes on with split %s", id.SplitID(n))
		}
	}
}
