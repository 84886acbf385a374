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
	before []int32        // by event: the one before on its line that belongs to the same life, -1: none
}

// Line is where events happen: a party of the run.
type Line struct {
	Name, Kind string // "t3 count[1]"; "task", "coordinator", "storage", "sink", "faults"
	Worker     int    // of a task
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

func (r *Run) taskLine(t id.TaskID) int { return 1 + int(t) }
func (r *Run) storageLine() int         { return 1 + len(r.Job.Tasks) }
func (r *Run) sinkLine() int            { return 2 + len(r.Job.Tasks) }
func (r *Run) faultLine() int           { return 3 + len(r.Job.Tasks) }

// Run returns what was recorded, told for a violation; nil: for none. The recorder
// is not used any more.
func (r *Recorder) Run(v *check.Violation) *Run {
	run := &Run{Job: r.job, Events: r.events, Dropped: r.dropped, Violation: v, At: len(r.events)}
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
	for i := range r.Job.Tasks {
		t := &r.Job.Tasks[i]
		r.Lines = append(r.Lines, Line{Name: fmt.Sprintf("%s %s[%d]", t.ID, t.Name, t.Index), Kind: "task", Worker: r.Job.WorkerOf(t.ID)})
	}
	r.Lines = append(r.Lines, Line{Name: "storage", Kind: "storage"}, Line{Name: "sink store", Kind: "sink"}, Line{Name: "faults", Kind: "faults"})
	for i := range r.Events {
		r.Events[i].Line = r.lineOf(&r.Events[i])
	}
}

// ofCoordinator are what the coordinator does, also where they name a task.
const ofCoordinator = trace.Mask(1<<trace.Triggered | 1<<trace.Acked | 1<<trace.AllAcked | 1<<trace.Completed | 1<<trace.Aborted | 1<<trace.Subsumed |
	1<<trace.LineAdvanced | 1<<trace.PlanDurable | 1<<trace.PlanExecuted | 1<<trace.JobDone | 1<<trace.TimedOut | 1<<trace.Declined | 1<<trace.FailedOver | 1<<trace.FellBack | 1<<trace.Stopped |
	1<<trace.CoordinatorCrashed | 1<<trace.CoordinatorStarted)

func (r *Run) lineOf(e *Event) int {
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
	return r.taskLine(e.Task)
}

// isSource tells a task that reads splits.
func (r *Run) isSource(t id.TaskID) bool {
	return t >= 0 && r.Job.Tasks[t].Role == dataflow.RoleSource
}
