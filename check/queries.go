// The oracle of queries: what a reader outside the job may be told of a key.
//
// A live answer is what the owner of the key has at that moment, in the incarnation that
// runs: the driver has looked at all instances. A committed answer names a checkpoint that the coordinator has
// called complete, or goes on from, and is what the job had at the instant of its snapshots: the driver has looked
// at them then. Successive committed answers never go back to an older checkpoint, unless
// the job falls back, which somebody must have allowed.
//
// It does not verify that whoever asks gets an answer, nor how new a complete
// checkpoint must be.

package check

import (
	"weir/id"
	"weir/trace"
)

type queries struct {
	judge
	complete map[id.Epoch]bool
	advanced map[ofTask]bool
	newest   map[id.TaskID]id.Epoch // that an answer has named: of a checkpoint by Coordinator, or of a task's snapshots
	passed   map[id.Epoch]bool      // checkpoints that a recovery has passed over: who has asked before may get it from one of these
}

type ofTask struct {
	task  id.TaskID
	epoch id.Epoch
}

func newQueries(j judge) watcher {
	return &queries{judge: j, complete: map[id.Epoch]bool{}, advanced: map[ofTask]bool{}, newest: map[id.TaskID]id.Epoch{}, passed: map[id.Epoch]bool{}}
}

func (o *queries) Wants() trace.Mask {
	return kinds(trace.Queried, trace.Completed, trace.PlanExecuted, trace.LineAdvanced, trace.FellBack)
}

func (o *queries) Reset() {
	clear(o.complete)
	clear(o.advanced)
	clear(o.newest)
	clear(o.passed)
}

func (o *queries) Finish(End) {}

func (o *queries) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.Completed, trace.PlanExecuted:
		o.complete[e.Epoch] = true
	case trace.LineAdvanced:
		o.advanced[ofTask{e.Task, e.Epoch}] = true
	case trace.FellBack:
		if o.mayFallBack {
			clear(o.newest)
			o.passed[e.Epoch] = true
		}
	case trace.Queried:
		o.answer(e)
	default: // not asked for
	}
}

func (o *queries) answer(e *trace.Event) {
	if e.Epoch == 0 {
		if e.Task < 0 || int(e.Task) >= len(o.tasks) || e.Attempt != o.tasks[e.Task].attempt {
			o.violate(e.Task, 0, "a query about key %x was answered by attempt %d, which does not run", e.Data, uint32(e.Attempt))
			return
		}
	} else if !o.committed(e) {
		return
	}
	if e.Sum != e.To {
		o.violate(e.Task, e.Epoch, "a query about key %x was answered with entries of hash %016x; what was there has %016x", e.Data, e.Sum, e.To)
	}
}

// committed judges of which checkpoint, or snapshot of a task, an answer is.
func (o *queries) committed(e *trace.Event) bool {
	newest := o.newest[e.Task]
	switch {
	case e.Task != trace.Coordinator && !o.advanced[ofTask{e.Task, e.Epoch}]:
		o.violate(e.Task, e.Epoch, "a query about key %x was answered from a snapshot that may be rolled back", e.Data)
		return false
	case e.Task == trace.Coordinator && !o.complete[e.Epoch]:
		o.violate(e.Task, e.Epoch, "a query about key %x was answered from a checkpoint that is not complete", e.Data)
		return false
	case e.Epoch < newest:
		o.violate(e.Task, e.Epoch, "a query about key %x was answered from a checkpoint older than %s, from which another was", e.Data, newest)
		return false
	}
	if !o.passed[e.Epoch] {
		o.newest[e.Task] = e.Epoch
	}
	return true
}
