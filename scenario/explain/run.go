package explain

import (
	"fmt"
	"slices"

	"weir/check"
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// Run is one run as it is told: lines with events on them, in one order.
type Run struct {
	Job     Job
	Lines   []Line
	Events  []Event
	Dropped int // events before the first of Events that were not kept
	Arrows  []Arrow
	Spans   []Span
	Lives   []Span // when each task was alive, by line
	Cuts    []Cut
	// Violation is the broken promise that the run is told for; nil: none was.
	Violation *check.Violation
	// At is the event by which it was found; that after the last: the run had to end first.
	At int
	// Chain is what led to it, in order: indices of Events; Links are the steps within.
	Chain []int
	Links []Arrow

	// Curve is how likely the failure was in the course of the run; none: nobody asked.
	Curve []Likelihood

	causes [][]int32      // by event: arrows that end there, and the event before on its line
	notes  map[int]string // behind the sentence of an event
	legs   []leg          // from the first event on, counted in Events
	before []int32        // by event: the one before on its line that belongs to the same life, -1: none
}

// Line is where events happen: a party of the run.
type Line struct {
	Name, Kind string // "t3 count[1]"; "task", "coordinator", "storage", "sink", "faults"
	Worker     int    // of a task
	leg        int    // of a task: index of Run.legs
	source     bool   // the task reads splits
}

// Event is an event of the trace on its line.
type Event struct {
	trace.Event        // without Data
	Line        int    // index of Run.Lines
	Contents    string // what Data had, for people
}

// Arrow goes from one event to another that it caused.
type Arrow struct {
	From, To int // indices of Run.Events
	Way      Way
}

// Way says what an arrow carried.
type Way uint8

// The ways.
const (
	Buffer  Way = iota // records on a channel
	Barrier            // on a channel
	Message            // between coordinator and task
	Request            // of an operation, to where it takes effect
	Answer             // of an operation
	Read               // from the effect that made an object to the one that reads it
	Strike             // from a fault to what it strikes
	Local              // within a party, across what is between
)

// String returns the way in a word.
func (w Way) String() string {
	return [...]string{"records", "barrier", "message", "request", "answer", "object", "fault", "local"}[w]
}

// Span is a stretch of a line between two events; To after the last event: it did not end.
type Span struct {
	Line, From, To int
	Kind           string // "snapshot", "upload", "alignment", "restore", "life"
	Epoch          id.Epoch
}

// Cut is what a recovery went back to: for each task the begin of the snapshot
// that it restored.
type Cut struct {
	Plan   int // index of the event by which the plan was carried out
	Events []int
}

// The lines that are no tasks come first and last.
const coordinatorLine = 0

func (r *Run) storageLine() int { return len(r.Lines) - 3 }
func (r *Run) sinkLine() int    { return len(r.Lines) - 2 }
func (r *Run) faultLine() int   { return len(r.Lines) - 1 }

// legAt returns the leg of an event; of that after the last, the last leg.
func (r *Run) legAt(i int) *leg {
	n := len(r.legs) - 1
	for n > 0 && r.legs[n].from > i {
		n--
	}
	return &r.legs[n]
}

// taskLine returns the line of a task as the graph was at an event, -1: it had no such task.
func (r *Run) taskLine(i int, t id.TaskID) int {
	l := r.legAt(i)
	if t < 0 || int(t) >= len(l.tasks) {
		return -1
	}
	return l.line + int(t)
}

// Run returns what was recorded, told for a violation; nil: for none. The recorder
// is not used any more.
func (r *Recorder) Run(v *check.Violation) *Run {
	run := &Run{Job: r.job, Events: r.events, Dropped: r.dropped, Violation: v, At: len(r.events), legs: slices.Clone(r.legs)}
	for i := range run.legs {
		run.legs[i].from = max(0, run.legs[i].from-r.dropped)
	}
	if v != nil {
		if i := slices.IndexFunc(r.at, func(p place) bool { return p.Violation == *v }); i >= 0 {
			run.At = r.at[i].event - r.dropped
		}
	}
	run.setLines()
	run.connect()
	run.setSpans()
	run.setCuts()
	if v != nil {
		run.setChain()
	}
	return run
}

func (r *Run) setLines() {
	r.Lines = append(r.Lines, Line{Name: "coordinator", Kind: "coordinator"})
	for n := range r.legs {
		l := &r.legs[n]
		l.line = len(r.Lines)
		for i := range l.tasks {
			t := &l.tasks[i]
			name := fmt.Sprintf("%s %s[%d]", t.ID, t.Name, t.Index)
			if len(r.legs) > 1 {
				name += fmt.Sprintf(", graph %d", n+1)
			}
			r.Lines = append(r.Lines, Line{name, "task", r.Job.WorkerOf(t.ID), n, t.Role == dataflow.RoleSource})
		}
	}
	r.Lines = append(r.Lines, Line{Name: "storage", Kind: "storage"}, Line{Name: "sink store", Kind: "sink"}, Line{Name: "faults", Kind: "faults"})
	for i := range r.Events {
		r.Events[i].Line = r.lineOf(i)
	}
}

// ofCoordinator are what the coordinator does, also where they name a task.
const ofCoordinator = trace.Mask(1<<trace.Triggered | 1<<trace.Acked | 1<<trace.AllAcked | 1<<trace.Completed | 1<<trace.Aborted | 1<<trace.Subsumed |
	1<<trace.LineAdvanced | 1<<trace.PlanDurable | 1<<trace.PlanExecuted | 1<<trace.JobDone | 1<<trace.TimedOut | 1<<trace.Declined | 1<<trace.Saved | 1<<trace.FailedOver | 1<<trace.FellBack | 1<<trace.Stopped |
	1<<trace.CoordinatorCrashed | 1<<trace.CoordinatorStarted)

func (r *Run) lineOf(i int) int {
	e := &r.Events[i]
	switch e.Kind {
	case trace.StoreApplied:
		return r.storageLine()
	case trace.ExtApplied, trace.OutputCommitted:
		return r.sinkLine()
	case trace.FaultInjected, trace.WorkerCrashed, trace.WorkerRestarted:
		return r.faultLine()
	default: // where its party is
	}
	if ofCoordinator.Has(e.Kind) || e.Task == trace.Coordinator {
		return coordinatorLine
	}
	return max(coordinatorLine, r.taskLine(i, e.Task))
}

// isSource tells an event of a task that reads splits.
func (r *Run) isSource(e *Event) bool { return r.Lines[e.Line].source }
