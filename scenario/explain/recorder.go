package explain

import (
	"weir/check"
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// Job is what must be known of a job to explain a run of it.
type Job struct {
	Tasks    []dataflow.TaskInfo // at the start
	WorkerOf func(t id.TaskID) int
	// Now returns the tasks at the moment: another graph's behind Rescaled. nil: the graph stays.
	Now func() []dataflow.TaskInfo
	// RecordID returns the number of a record from its bytes on a channel that leaves
	// a source, as check.Expect has it.
	RecordID func(rec []byte) uint64
	// Row renders a row that a sink takes; "": it cannot be read.
	Row func(row []byte) string
}

// Recorder keeps the events of one run. Among the observers it stands behind the
// checker: what the checker has found by then, the event at hand has broken.
type Recorder struct {
	job        Job
	violations func() []check.Violation // found so far
	fromSource map[id.ChannelID]bool
	toSink     map[id.ChannelID]bool
	events     []Event
	legs       []leg
	dropped    int // before the first of events
	found      int // violations
	at         []place
}

// place is a violation and the event by which it was found.
type place struct {
	check.Violation
	event int // counted from the start of the run
}

// mostEvents are kept of a run: of a longer one the last before the first
// violation, and what follows it.
const mostEvents = 400_000

// NewRecorder returns a recorder for one run. violations returns those that the
// checker has found so far.
func NewRecorder(j Job, violations func() []check.Violation) *Recorder {
	r := &Recorder{job: j, violations: violations, fromSource: map[id.ChannelID]bool{}, toSink: map[id.ChannelID]bool{}}
	r.begin(j.Tasks)
	return r
}

// leg is a stretch of the run with one graph.
type leg struct {
	from  int // its first event, counted from the start of the run
	tasks []dataflow.TaskInfo
	line  int // of its first task, in a Run
}

// begin begins a leg with the next event.
func (r *Recorder) begin(tasks []dataflow.TaskInfo) {
	r.legs = append(r.legs, leg{from: r.dropped + len(r.events), tasks: tasks})
	clear(r.fromSource)
	clear(r.toSink)
	for i := range tasks {
		from := tasks[i].Role
		for _, c := range tasks[i].Outputs {
			r.fromSource[c.ID] = from == dataflow.RoleSource
			r.toSink[c.ID] = from != dataflow.RoleSink && tasks[c.Peer].Role == dataflow.RoleSink
		}
	}
}

// Wants everything.
func (r *Recorder) Wants() trace.Mask { return trace.Everything }

// Observe keeps an event.
func (r *Recorder) Observe(e *trace.Event) {
	if len(r.events) == mostEvents {
		if r.found > 0 {
			return
		}
		half := mostEvents / 2
		r.dropped += half
		r.events = r.events[:copy(r.events, r.events[half:])]
	}
	if e.Kind == trace.Rescaled && r.job.Now != nil {
		r.begin(r.job.Now())
	}
	r.events = append(r.events, Event{Event: *e})
	last := &r.events[len(r.events)-1]
	last.Data = nil
	last.Contents = r.contents(e)
	for all := r.violations(); r.found < len(all); r.found++ {
		r.at = append(r.at, place{all[r.found], r.dropped + len(r.events) - 1})
	}
}
