package explain

import (
	"maps"

	"weir/id"
	"weir/trace"
)

// spanKinds are what has a begin and an end on a task's line.
var spanKinds = [...]struct {
	kind     string
	from, to trace.Kind
	failed   trace.Kind // ends it too
	channel  bool       // one for each channel
}{
	{"snapshot", trace.SnapshotBegun, trace.SnapshotStored, trace.SnapshotFailed, false},
	{"upload", trace.SnapshotWriting, trace.SnapshotStored, trace.SnapshotFailed, false},
	{"alignment", trace.ChannelBlocked, trace.ChannelUnblocked, trace.ChannelUnblocked, true},
	{"restore", trace.TaskStarting, trace.TaskReady, trace.TaskReady, false},
}

// open is a span without an end yet.
type open struct {
	kind    int
	line    int
	epoch   id.Epoch
	channel id.ChannelID
}

// setSpans finds the spans of all tasks, and when each of them lived.
func (r *Run) setSpans() {
	begun := map[open]int{} // index of Spans
	alive := make([]int, len(r.Lines))
	for i := range alive {
		alive[i] = -1
	}
	die := func(line, at int) {
		if alive[line] >= 0 {
			r.Lives[alive[line]].To = at
			alive[line] = -1
		}
		for n := range r.Spans {
			if s := &r.Spans[n]; s.Line == line && s.To == len(r.Events) {
				s.To = at
			}
		}
		maps.DeleteFunc(begun, func(o open, _ int) bool { return o.line == line })
	}
	for i := range r.Events {
		e := &r.Events[i]
		switch e.Kind {
		case trace.WorkerCrashed:
			for t := range r.legAt(i).tasks {
				if r.Job.WorkerOf(id.TaskID(t)) == int(e.Worker) {
					die(r.taskLine(i, id.TaskID(t)), i)
				}
			}
		case trace.Rescaled:
			for line := range r.Lines {
				die(line, i)
			}
		case trace.TaskFailed, trace.TaskLeft, trace.CoordinatorCrashed:
			die(e.Line, i)
		case trace.TaskStarting, trace.CoordinatorStarted:
			die(e.Line, i)
			alive[e.Line] = len(r.Lives)
			r.Lives = append(r.Lives, Span{e.Line, i, len(r.Events), "life", 0})
		default:
		}
		if r.Lines[e.Line].Kind != "task" {
			continue
		}
		for k, s := range spanKinds {
			o := open{k, e.Line, e.Epoch, trace.NoChannel}
			if s.channel {
				o = open{k, e.Line, 0, e.Channel}
			}
			if e.Kind == trace.TaskStarting || e.Kind == trace.TaskReady {
				o.epoch = 0
			}
			n, isOpen := begun[o]
			switch {
			case e.Kind == s.from:
				begun[o] = len(r.Spans)
				r.Spans = append(r.Spans, Span{e.Line, i, len(r.Events), s.kind, e.Epoch})
			case (e.Kind == s.to || e.Kind == s.failed) && isOpen:
				r.Spans[n].To = i
				delete(begun, o)
			}
		}
	}
}

// setCuts finds for each recovery from snapshots the cut that it went back to.
func (r *Run) setCuts() {
	begun := map[share]int{}
	plans := map[id.Attempt]int{} // index of Cuts
	for i := range r.Events {
		e := &r.Events[i]
		switch e.Kind {
		case trace.SnapshotBegun:
			begun[share{e.Task, e.Epoch}] = i
		case trace.PlanExecuted:
			plans[e.Attempt] = len(r.Cuts)
			r.Cuts = append(r.Cuts, Cut{Plan: i})
		case trace.TaskRestored:
			n, planned := plans[e.Attempt]
			if at, ok := begun[share{e.Task, e.Epoch}]; ok && planned && e.Epoch != 0 {
				r.Cuts[n].Events = append(r.Cuts[n].Events, at)
			}
		default:
		}
	}
	cuts := r.Cuts[:0]
	for _, c := range r.Cuts {
		if len(c.Events) > 1 {
			cuts = append(cuts, c)
		}
	}
	r.Cuts = cuts
}
