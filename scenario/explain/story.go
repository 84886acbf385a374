package explain

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"weir/dataflow"
	"weir/trace"
)

// roundsBefore is how many epochs before the one at hand a story begins.
const roundsBefore = 2

// mostSentences is how many a story has that is not the whole run, beside the chain.
const mostSentences = 400

// storyNote says what a transcript of a drawn run is not.
const storyNote = `# The numbered lines are in the words of algorithms/stories. They are no story that could be
# pasted there: a story steps a job of its own (keys, counted, without time, event time, sizes of
# batches or mistakes) by commands, and a drawn run has none of these commands. What a story of
# it needs stands below as comments: its faults, and the outcomes that were not "ok".`

// WriteStory writes a run as numbered sentences: the causal past of the violation
// within the last epochs, or, if whole, everything.
func (r *Run) WriteStory(w io.Writer, t *Told, whole bool) error {
	b := bufio.NewWriter(w)
	var shown []int
	positions, told := newPositions(r), r.toldOf(whole)
	for i := range r.Events {
		if told(i) && !positions.isPart(i) {
			shown = append(shown, i)
		}
	}
	r.writeHead(b, t, len(shown), whole)
	for n, i := range shown {
		mark := " "
		if slices.Contains(r.Chain, i) {
			mark = "*"
		}
		_, _ = fmt.Fprintf(b, "%3d %s%s%s\n", n+1, mark, r.Sentence(i), positions.of(i))
		r.writeNotes(b, i)
	}
	if r.Violation != nil && r.At == len(r.Events) {
		_, _ = fmt.Fprintf(b, "     ^ at the end, %s: %s\n", r.Violation.Oracle, r.Violation.Text)
	}
	return b.Flush()
}

// writeHead writes what stands above the sentences, of which there are n.
func (r *Run) writeHead(w io.Writer, t *Told, n int, whole bool) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("# %s", t.Combination)
	p("# %s", t.Headline(r))
	for _, c := range t.Changed {
		p("# Not as it was saved: %s", c)
	}
	for _, x := range t.Waiting {
		p("# Waiting: %s", x)
	}
	if t.Cause != "" {
		p("# %s", t.Cause)
	}
	p("# Again: %s", t.Replay)
	p("%s", storyNote)
	which := ""
	if !whole {
		which = fmt.Sprintf(": those that could have caused it, %d epochs back and %d of them at most; all with --whole", roundsBefore, mostSentences)
	}
	p("# %d of %d events%s. What led to the violation is marked with *.\n", n, len(r.Events), which)
	for n := range r.legs {
		if n > 0 {
			p("     then:")
		}
		for _, v := range vertices(r.legs[n].tasks) {
			p("     %s", v)
		}
	}
	p("")
}

// writeNotes writes what stands below the sentence of an event.
func (r *Run) writeNotes(w io.Writer, i int) {
	if hint := r.command(i); hint != "" {
		_, _ = fmt.Fprintf(w, "     # in a story: %s\n", hint)
	}
	for _, c := range r.Curve {
		if c.Event == i {
			_, _ = fmt.Fprintf(w, "     probability of the failure from here on: %.2f (%.2f to %.2f)\n", c.Rate, c.Lo, c.Hi)
		}
	}
	if i == r.At {
		_, _ = fmt.Fprintf(w, "     ^ %s: %s\n", r.Violation.Oracle, r.Violation.Text)
	}
}

// toldOf returns which events a story tells.
func (r *Run) toldOf(whole bool) func(i int) bool {
	if whole {
		return func(int) bool { return true }
	}
	past := r.Past(r.anchors()...)
	inPast := func(i int) bool { return past[i] && r.tells(i) }
	from := r.atMost(r.begin(), inPast)
	return func(i int) bool {
		return i >= from && inPast(i) || slices.Contains(r.Chain, i) || slices.ContainsFunc(r.Curve, func(c Likelihood) bool { return c.Event == i })
	}
}

// tells leaves out what no sentence of a short story is about.
func (r *Run) tells(i int) bool {
	switch r.Events[i].Kind {
	case trace.Emitted, trace.WatermarkSaid, trace.WatermarkSeen, trace.TaskReady:
		return false
	default: // is told
	}
	return true
}

// begin returns the event with which the epochs before the violation begin.
func (r *Run) begin() int {
	seen := 0
	all := r.anchors()
	if len(all) == 0 {
		return 0
	}
	for i := all[len(all)-1]; i >= 0; i-- {
		if k := r.Events[i].Kind; k == trace.Triggered || k == trace.PlanExecuted {
			if seen++; seen > roundsBefore {
				return i
			}
		}
	}
	return 0
}

// atMost returns the event, from the given one on, behind which no more than
// mostSentences are told.
func (r *Run) atMost(from int, told func(i int) bool) int {
	n := 0
	for i := len(r.Events) - 1; i > from; i-- {
		if told(i) {
			if n++; n == mostSentences {
				return i
			}
		}
	}
	return from
}

// command returns the command of a story that does what a fault of the run did.
func (r *Run) command(i int) string {
	e := &r.Events[i]
	switch e.Kind {
	case trace.WorkerCrashed:
		var names []string
		tasks := r.legAt(i).tasks
		for t := range tasks {
			if id := tasks[t].ID; r.Job.WorkerOf(id) == int(e.Worker) {
				names = append(names, id.String())
			}
		}
		return "crash " + strings.Join(names, " ")
	case trace.CoordinatorCrashed:
		return "crash coordinator"
	case trace.StoreDone, trace.ExtDone:
		if e.Outcome != trace.Failed && e.Outcome != trace.Refused {
			return ""
		}
		how := "fail"
		if e.Outcome == trace.Refused {
			how = "refuse"
		}
		for _, c := range r.causes[i] {
			if k := r.Events[c].Kind; k == trace.StoreApplied || k == trace.ExtApplied {
				how = "lie"
			}
		}
		return fmt.Sprintf("store %s match=(%s)", how, strings.TrimSpace(what(e)))
	default: // has none
	}
	return ""
}

// vertices names the tasks of each vertex, and the ends of each channel.
func vertices(tasks []dataflow.TaskInfo) (all []string) {
	for i := 0; i < len(tasks); {
		k, names := i, []string(nil)
		for ; k < len(tasks) && tasks[k].Vertex == tasks[i].Vertex; k++ {
			names = append(names, tasks[k].ID.String())
		}
		all = append(all, fmt.Sprintf("%s: %s", tasks[i].Name, strings.Join(names, " ")))
		i = k
	}
	for i := range tasks {
		for _, c := range tasks[i].Outputs {
			all = append(all, fmt.Sprintf("%s: %s -> %s", c.ID, tasks[i].ID, c.Peer))
		}
	}
	return all
}
