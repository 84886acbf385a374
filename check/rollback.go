// The rollback oracle: a recovery restarts as much as the algorithm declares. If
// every task is rolled back, none answers a plan as what it was before; if only the
// failed ones are, none is started anew that has done something since the newest
// failure. Behind a recovery line a living task may be kept or not. A plan that says
// that every task goes on starts none, and no round begins under it before each has said so.
//
// It does not verify that a task that shows no life between the failure and its
// restart was dead, the first plan of a new coordinator, nor, where all are rolled
// back, that an incarnation was replaced that was never ready.

package check

import "weir/trace"

// Scope is which tasks a recovery may or must restart.
type Scope uint8

// The scopes, in the order of dataflow's.
const (
	ScopeAll  Scope = iota + 1 // every task
	ScopeLine                  // those behind a recovery line
	ScopeTask                  // the failed ones only
)

type rollback struct {
	judge
	failures int32   // of the run so far
	alive    []int32 // by task: how many there had been when it last did something; none: it has not since its start
	gone     []bool  // by task: it was declared dead, whatever it still does
	answered []bool  // by task: this incarnation was ready once
	free     bool    // the next plan may start everything: it is a coordinator's first
	exempt   bool    // and the newest did
}

func newRollback(j judge) watcher {
	o := &rollback{judge: j}
	o.Reshape()
	o.Reset()
	return o
}

// Reshape has every task start, by a coordinator's first plan.
func (o *rollback) Reshape() {
	n := len(o.tasks)
	o.alive, o.answered, o.gone, o.free = sized(o.alive, n), sized(o.answered, n), sized(o.gone, n), true
	for i := range o.alive {
		o.alive[i] = none
	}
}

func (o *rollback) Wants() trace.Mask {
	switch o.x.Rollback {
	case ScopeAll:
		return kinds(trace.TaskStarting, trace.TaskReady, trace.Triggered)
	case ScopeTask:
		return kinds(trace.TaskStarting, trace.Emitted, trace.Sealed, trace.Delivered, trace.PlanExecuted, trace.WorkerCrashed, trace.CoordinatorCrashed, trace.TaskFailed)
	default:
		return 0
	}
}

func (o *rollback) Reset() {
	o.failures, o.free, o.exempt = 0, false, false
	clear(o.answered)
	clear(o.gone)
	for i := range o.alive {
		o.alive[i] = none
	}
}

func (o *rollback) Finish(End) {}

func (o *rollback) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.CoordinatorCrashed:
		o.free = true
	case trace.WorkerCrashed:
		o.failures++
	case trace.TaskFailed:
		o.failures++
		o.gone[e.Task] = true
	case trace.PlanExecuted:
		o.exempt, o.free = o.free, false
	case trace.Triggered:
		if o.line.keeps && o.line.active {
			o.violate(trace.Coordinator, e.Epoch, "a round begins under plan %s, and %d tasks have not said that they go on under it", o.line.plan, o.line.waiting)
		}
	case trace.TaskStarting:
		if o.line.keeps && e.Attempt == o.line.plan {
			o.violate(e.Task, 0, "attempt %s starts %s anew, and says that every task goes on", e.Attempt, o.taskName(int(e.Task)))
		}
		if o.alive[e.Task] == o.failures && !o.exempt {
			o.violate(e.Task, 0, "attempt %s starts %s anew, which has lived on since the newest failure: only failed tasks are to be", e.Attempt, o.taskName(int(e.Task)))
		}
		o.alive[e.Task], o.answered[e.Task], o.gone[e.Task] = none, false, false
	case trace.TaskReady:
		if o.answered[e.Task] && !o.line.keeps {
			o.violate(e.Task, 0, "%s is kept by attempt %s: every task is to be rolled back", o.taskName(int(e.Task)), o.line.plan)
		}
		o.answered[e.Task] = true
	default:
		if !o.gone[e.Task] {
			o.alive[e.Task] = o.failures
		}
	}
}
