// The rollback oracle: a recovery restarts as much as the algorithm declares. If
// every task is rolled back, none answers a plan as what it was before; if only the
// failed ones are, none is started anew that has done something since the newest
// failure. Behind a recovery line a living task may be kept or not. If regions are (those
// that edges connect), a plan keeps or restarts each as a whole, and restarts none of which
// every task has done something since the newest failure. Where all are rolled back the
// first plan of a coordinator may keep all instead, not some. No round begins before every task has
// answered the plan.
//
// It does not verify that a task that shows no life between the failure and its
// restart was dead, the first plan of a new coordinator, nor, where all are rolled
// back, that an incarnation was replaced that was never ready. Which regions are restarted is
// not judged of a plan that replaces one under which no round had begun, nor where
// something else than tasks has failed.

package check

import (
	"weir/id"
	"weir/trace"
)

// Scope is which tasks a recovery may or must restart.
type Scope uint8

// The scopes, in the order of dataflow's.
const (
	ScopeAll    Scope = iota + 1 // every task
	ScopeRegion                  // those that edges connect with a failed one
	ScopeLine                    // those behind a recovery line
	ScopeTask                    // the failed ones only
)

type rollback struct {
	judge
	failures int32   // of the run so far
	alive    []int32 // by task: how many there had been when it last did something; none: it has not since its start
	gone     []bool  // by task: it was declared dead, whatever it still does
	answered []bool  // by task: this incarnation was ready once
	free     bool    // the next plan may start everything: it is a coordinator's first
	exempt   bool    // and the newest did
	crashed  bool    // the coordinator has, and no plan was made since
	takes    bool    // the newest plan is that of one that takes over
	started  bool    // it has started a task
	kept     bool    // it has kept one
	regions
}

// regions is what the oracle knows of them, where they are rolled back.
type regions struct {
	of   []int32 // by task: the first task of its region
	fate []fate  // by region: what the newest plan has done with it so far
	led  bool    // a round has begun under the newest plan: all tasks were ready, and the coordinator knew
}

type fate struct {
	restarted, kept bool
	lived           bool // restarted: every task so far had lived on since the newest failure
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
	o.crashed = false
	for i := range o.alive {
		o.alive[i] = none
	}
	if o.x.Rollback == ScopeRegion {
		o.of, o.fate, o.led = connected(n, o.x.Channels), sized(o.fate, n), false
	}
}

// connected returns by task the first task of those that it is connected with.
func connected(n int, channels []Channel) []int32 {
	of := make([]int32, n)
	for i := range of {
		of[i] = int32(i)
	}
	first := func(t id.TaskID) int32 {
		i := int32(t)
		for of[i] != i {
			of[i] = of[of[i]]
			i = of[i]
		}
		return i
	}
	for i := range channels {
		a, b := first(channels[i].From), first(channels[i].To)
		of[max(a, b)] = min(a, b)
	}
	for i := range of {
		of[i] = first(id.TaskID(i))
	}
	return of
}

func (o *rollback) Wants() trace.Mask {
	lives := kinds(trace.TaskStarting, trace.Emitted, trace.Sealed, trace.Delivered, trace.PlanExecuted, trace.WorkerCrashed, trace.CoordinatorCrashed, trace.TaskFailed)
	switch o.x.Rollback {
	case ScopeAll:
		return kinds(trace.TaskStarting, trace.TaskReady, trace.Triggered, trace.PlanExecuted, trace.CoordinatorCrashed)
	case ScopeRegion:
		return lives.With(trace.TaskReady, trace.Triggered, trace.CoordinatorStarted, trace.FailedOver, trace.FellBack)
	case ScopeTask:
		return lives
	default:
		return 0
	}
}

func (o *rollback) Reset() {
	o.failures, o.free, o.exempt, o.led = 0, false, false, false
	o.crashed, o.takes, o.started, o.kept = false, false, false, false
	clear(o.answered)
	clear(o.gone)
	clear(o.fate)
	for i := range o.alive {
		o.alive[i] = none
	}
}

func (o *rollback) Finish(End) {}

func (o *rollback) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.CoordinatorCrashed, trace.CoordinatorStarted, trace.FailedOver, trace.FellBack:
		o.free, o.crashed = true, o.crashed || e.Kind == trace.CoordinatorCrashed
	case trace.WorkerCrashed:
		o.failures++
	case trace.TaskFailed:
		o.failures++
		o.gone[e.Task] = true
	case trace.PlanExecuted:
		o.exempt, o.free = o.free, false
		o.takes, o.crashed, o.started, o.kept = o.crashed, false, false, false
		if o.x.Rollback == ScopeRegion {
			o.exempt = o.exempt || !o.led || o.goesBackFurther()
			o.led = false
			clear(o.fate)
		}
	case trace.Triggered:
		o.led = o.led || e.Attempt == o.line.plan
		if o.line.active {
			o.violate(trace.Coordinator, e.Epoch, "a round begins under plan %s, which %d tasks have not answered", o.line.plan, o.line.waiting)
		}
	case trace.TaskStarting:
		o.starting(e)
		o.alive[e.Task], o.answered[e.Task], o.gone[e.Task] = none, false, false
	case trace.TaskReady:
		o.ready(e)
		o.answered[e.Task] = true
	default:
		if !o.gone[e.Task] {
			o.alive[e.Task] = o.failures
		}
	}
}

// goesBackFurther: the plan goes back to a former graph, or to the savepoint that the job began
// from, for which all begins anew.
func (o *rollback) goesBackFurther() bool {
	if o.line.base == 0 {
		return o.x.Origin != nil
	}
	return o.legOf(o.line.base) < len(o.legs)
}

func (o *rollback) starting(e *trace.Event) {
	if e.Attempt < o.line.plan {
		return // the plan before has started it, and this one keeps it
	}
	if o.started = true; o.kept && o.x.Rollback == ScopeAll {
		o.mixes(e)
	}
	lived := o.alive[e.Task] == o.failures
	if o.x.Rollback != ScopeRegion {
		if lived && !o.exempt {
			o.violate(e.Task, 0, "attempt %s starts %s anew, which has lived on since the newest failure: only failed tasks are to be", e.Attempt, o.taskName(int(e.Task)))
		}
		return
	}
	f := &o.fate[o.of[e.Task]]
	if f.kept {
		o.violate(e.Task, 0, "attempt %s starts %s anew, and keeps a task that edges connect with it: a region is kept or restarted as a whole", e.Attempt, o.taskName(int(e.Task)))
	}
	f.lived = lived && (f.lived || !f.restarted)
	f.restarted = true
}

// mixes: a plan keeps some tasks and starts others.
func (o *rollback) mixes(e *trace.Event) {
	o.violate(e.Task, 0, "plan %s keeps some tasks and starts others, %s among them: all go on, or none does", o.line.plan, o.taskName(int(e.Task)))
}

// ready takes a task that has carried a plan out. One that had done so before is kept.
func (o *rollback) ready(e *trace.Event) {
	if o.x.Rollback != ScopeRegion {
		switch {
		case !o.answered[e.Task]:
		case o.takes:
			if o.kept = true; o.started {
				o.mixes(e)
			}
		default:
			o.violate(e.Task, 0, "%s is kept by attempt %s: every task is to be rolled back", o.taskName(int(e.Task)), o.line.plan)
		}
		return
	}
	if f := &o.fate[o.of[e.Task]]; o.answered[e.Task] {
		if f.restarted {
			o.violate(e.Task, 0, "%s is kept by attempt %s, which restarts a task that edges connect with it: a region is kept or restarted as a whole", o.taskName(int(e.Task)), o.line.plan)
		}
		f.kept = true
	}
	if !o.line.complete || o.exempt {
		return
	}
	for r := range o.fate {
		if f := &o.fate[r]; f.restarted && f.lived {
			o.violate(id.TaskID(r), 0, "attempt %s restarts the region of %s, every task of which has lived on since the newest failure: only regions in which something failed are to be", o.line.plan, o.taskName(r))
		}
	}
}
