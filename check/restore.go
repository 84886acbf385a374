// The restore oracle: a restored task is what its snapshot was, on its own
// history: the snapshot exists, no recovery had rolled it back, its state is what it
// was, and a source has the splits that it had, each where it was. A task that had left
// before the checkpoint that is restored, so that its last share was carried over, is
// gone again.
//
// Behind a change of the graph the tasks are made of a checkpoint of a former one,
// the newest unless that is damaged: of each operator the state of all new instances
// together is that of all old ones, one by one if there are as many, and each split goes
// on where it was, in one task.
//
// It does not verify watermarks (event time) nor captured buffers (cut). Timers and operator state are part of the state's sum. Behind
// a change it does not verify which new instance has what, nor lists that are not Split
// (the backends' suite does), nor the order in those that are.

package check

import "weir/trace"

type restore struct {
	judge
	taken []int    // by task: splits since it was restored
	sums  []uint64 // by task: what adds up of the state that it was made with
	dealt []bool   // by split: a task that was made by the plan under way has it
}

func newRestore(j judge) watcher {
	o := &restore{judge: j}
	o.Reshape()
	return o
}

func (o *restore) Reshape() {
	o.taken, o.sums, o.dealt = sized(o.taken, len(o.tasks)), sized(o.sums, len(o.tasks)), sized(o.dealt, len(o.x.Splits))
}

func (o *restore) Wants() trace.Mask {
	return kinds(trace.PlanExecuted, trace.TaskRestored, trace.SplitTaken, trace.TaskReady)
}

func (o *restore) Reset() { clear(o.taken) }

func (o *restore) Finish(End) {}

func (o *restore) Observe(e *trace.Event) {
	if e.Kind == trace.PlanExecuted {
		clear(o.dealt)
		return
	}
	t := &o.tasks[e.Task]
	switch e.Kind {
	case trace.SplitTaken:
		o.taken[e.Task]++
		o.split(e, t)
	case trace.TaskReady:
		o.all(e, t)
		o.carriedOver(e, t)
		if o.line.complete && t.made && o.dealsAll() {
			o.allDealt(t.inherits)
		}
	default:
		o.taken[e.Task] = 0
		o.restored(e, t)
	}
}

// split: it goes on where it was.
func (o *restore) split(e *trace.Event, t *task) {
	if t.made {
		o.deal(e, t)
		return
	}
	if t.restored == none {
		if e.To != 0 && o.x.State != AtMostOnce {
			o.violate(e.Task, 0, "split %s starts from nothing, but at offset %d", e.Split, e.To)
		}
		return
	}
	s := &o.snapshots[t.restored]
	if at, ok := o.offsetOf(s, e.Split); !ok {
		o.violate(e.Task, s.epoch, "the source goes on with split %s, which its snapshot does not have", e.Split)
	} else if at != e.To {
		o.violate(e.Task, s.epoch, "the source goes on from offset %d of split %s; the snapshot has %d", e.To, e.Split, at)
	}
}

// all: no split of its snapshot was forgotten. A kept task took its splits long ago.
func (o *restore) all(e *trace.Event, t *task) {
	if t.restored == none {
		return
	}
	had := 0
	for k := o.snapshots[t.restored].splits; k != none; k = o.positions[k].next {
		had++
	}
	if had != o.taken[e.Task] {
		o.violate(e.Task, o.snapshots[t.restored].epoch, "the source goes on with %d splits; its snapshot has %d", o.taken[e.Task], had)
	}
}

// carriedOver: the share of a checkpoint that is older than the checkpoint is of a
// task that had left.
func (o *restore) carriedOver(e *trace.Event, t *task) {
	base := o.line.base
	if l := &o.line.tasks[e.Task]; !o.x.Coordinated || !l.restarted || l.epoch == 0 || l.epoch >= base || t.left || o.find(t, base) != none {
		return
	}
	o.violate(e.Task, o.line.tasks[e.Task].epoch, "the task goes on, and had left before checkpoint %s, which is restored: its last share was carried over", base)
}

func (o *restore) restored(e *trace.Event, t *task) {
	if o.legOf(e.Epoch) < len(o.legs) {
		o.newestOf(e)
	}
	if e.Epoch == 0 {
		return
	}
	if t.restored == none && !t.made {
		o.violate(e.Task, e.Epoch, "restored a snapshot that the task never began")
		return
	}
	if !t.survived {
		o.violate(e.Task, e.Epoch, "restored a snapshot that an earlier recovery had rolled back: an abandoned history came back to life")
	}
	if t.made {
		o.madeOf(e, t)
		return
	}
	s := &o.snapshots[t.restored]
	if s.sum != e.Sum {
		o.violate(e.Task, e.Epoch, "the restored state is not that of the snapshot: content hash %016x, it was %016x when the snapshot began", e.Sum, s.sum)
	}
}
