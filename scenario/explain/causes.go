package explain

import (
	"container/heap"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"weir/check"
	"weir/id"
	"weir/trace"
)

// longestChain is how many events a chain of causes has at most: what a person
// reads to the end.
const longestChain = 40

// Past returns for each event whether it is one of these or in their causal past.
func (r *Run) Past(of ...int) []bool {
	in := make([]bool, len(r.Events))
	for _, i := range of {
		in[i] = true
	}
	for i := len(in) - 1; i >= 0; i-- {
		if !in[i] {
			continue
		}
		for _, c := range r.causes[i] {
			in[c] = true
		}
		if b := r.before[i]; b >= 0 {
			in[b] = true
		}
	}
	return in
}

// anchors are the events that the run is told for: the one that broke the promise,
// or, if only the end did, what the violation is about; then the newest event.
func (r *Run) anchors() []int {
	switch {
	case r.At < len(r.Events):
		return []int{r.At}
	case len(r.Chain) > 0:
		return r.Chain
	case len(r.Events) > 0:
		return []int{len(r.Events) - 1}
	}
	return nil
}

// subject is what a violation is about. Its words name channels and objects,
// which the chain is to follow: only people read the chain.
type subject struct {
	v        *check.Violation
	channels map[id.ChannelID]bool
	tasks    map[id.TaskID]bool
	objects  []string
	// By channel: the positions that were sent before the cut of the epoch, and not
	// received before it.
	flying map[id.ChannelID]stretch
}

// stretch is the positions (from, to].
type stretch struct{ from, to uint64 }

var mentions = regexp.MustCompile(`\b[ct]\d+\b`)

func (r *Run) subject() *subject {
	s := &subject{r.Violation, map[id.ChannelID]bool{}, map[id.TaskID]bool{}, nil, map[id.ChannelID]stretch{}}
	s.objects = strings.FieldsFunc(s.v.Text, func(c rune) bool { return strings.ContainsRune(" ,;:()[]\"", c) })
	if s.v.Task != trace.Coordinator {
		s.tasks[s.v.Task] = true
	}
	tasks := r.legAt(r.At).tasks
	for _, m := range mentions.FindAllString(s.v.Text, -1) {
		var n int32
		_, _ = fmt.Sscan(m[1:], &n)
		if m[0] == 't' && int(n) < len(tasks) {
			s.tasks[id.TaskID(n)] = true
		} else if m[0] == 'c' {
			s.channels[id.ChannelID(n)] = true
		}
	}
	for i := range tasks { // both ends of a channel
		for _, c := range tasks[i].Outputs {
			if s.channels[c.ID] {
				s.tasks[tasks[i].ID], s.tasks[c.Peer] = true, true
			}
		}
	}
	r.setFlying(s)
	return s
}

// setFlying finds what was under way on the channels that the violation names.
func (r *Run) setFlying(s *subject) {
	for i := range r.Events[:min(r.At, len(r.Events))] {
		e := &r.Events[i]
		if s.v.Epoch == 0 || e.Epoch != s.v.Epoch || !s.channels[e.Channel] {
			continue
		}
		f := s.flying[e.Channel]
		switch e.Kind {
		case trace.PositionIn:
			f.from = e.To
		case trace.PositionOut:
			f.to = e.To
		default:
			continue
		}
		s.flying[e.Channel] = f
	}
}

// isAbout tells an event that the violation is about by what it names.
func (s *subject) isAbout(e *Event) bool {
	switch {
	case e.Key != "" && slices.Contains(s.objects, e.Key):
		return e.Kind == trace.StoreApplied || e.Kind == trace.StoreIssued
	case e.Kind == trace.Sealed:
		f := s.flying[e.Channel]
		return e.To > f.from && e.To <= f.to
	case s.v.Epoch == 0 || e.Epoch != s.v.Epoch:
		return false
	}
	switch e.Kind {
	case trace.SnapshotBegun, trace.TaskRestored:
		return s.tasks[e.Task]
	case trace.BarrierSent, trace.BarrierReceived, trace.CapturedIn, trace.CapturedOut:
		return s.channels[e.Channel]
	default: // nothing else
	}
	return false
}

// newest is a heap of event indices, the newest first.
type newest []int

func (h newest) Len() int           { return len(h) }
func (h newest) Less(i, j int) bool { return h[i] > h[j] }
func (h newest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push adds an index.
func (h *newest) Push(x any) { *h = append(*h, x.(int)) }

// Pop removes the last.
func (h *newest) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// setChain finds what led to the violation: from the event that broke the promise,
// and from those that it names, back along arrows and along what belongs
// together on a line, the newest first until there are enough.
func (r *Run) setChain() {
	s := r.subject()
	var todo newest
	seen := map[int]bool{}
	var links []Arrow
	add := func(i int) {
		if i >= 0 && !seen[i] {
			seen[i] = true
			heap.Push(&todo, i)
		}
	}
	if r.At < len(r.Events) {
		add(r.At)
	}
	named := 0
	for i := min(r.At, len(r.Events)-1); i >= 0 && named < longestChain/3; i-- {
		if s.isAbout(&r.Events[i]) {
			add(i)
			named++
		}
	}
	if r.At == len(r.Events) {
		add(r.fatal())
	}
	if len(todo) == 0 {
		add(r.lastOf(s))
	}
	var chain []int
	for len(todo) > 0 && len(chain) < longestChain {
		i := heap.Pop(&todo).(int)
		chain = append(chain, i)
		for _, c := range r.causes[i] {
			if r.follow(s, int(c)) {
				links = append(links, Arrow{int(c), i, Message})
				add(int(c))
			}
		}
		if b := r.related(i); b >= 0 {
			links = append(links, Arrow{b, i, Local})
			add(b)
		}
	}
	sort.Ints(chain)
	r.Chain = chain
	r.Links = slices.DeleteFunc(links, func(l Arrow) bool { return !slices.Contains(chain, l.From) })
}

// fatal returns the failure of a task that no recovery followed, -1: there is none.
func (r *Run) fatal() int {
	for i := len(r.Events) - 1; i >= 0; i-- {
		switch r.Events[i].Kind {
		case trace.PlanExecuted:
			return -1
		case trace.TaskFailed:
			return i
		default: // nothing about it
		}
	}
	return -1
}

// lastOf returns the newest event of a party that the violation is about.
func (r *Run) lastOf(s *subject) int {
	for i := min(r.At, len(r.Events)) - 1; i >= 0; i-- {
		if e := &r.Events[i]; len(s.tasks) == 0 || s.tasks[e.Task] {
			return i
		}
	}
	return -1
}

// follow tells whether a cause belongs to the chain: of the parts of a checkpoint
// only those of the tasks that the violation is about.
func (r *Run) follow(s *subject, from int) bool {
	e := &r.Events[from]
	switch e.Kind {
	case trace.Sealed:
		return s.channels[e.Channel]
	case trace.SnapshotStored, trace.Acked:
		return len(s.tasks) == 0 || s.tasks[e.Task]
	default: // nothing else
	}
	return true
}

// related returns the event before i on its line that belongs to the same thing
// (epoch, channel, plan), or else begins the life of the task; -1: none.
func (r *Run) related(i int) int {
	e := &r.Events[i]
	want := wanted(e)
	for b := r.before[i]; b >= 0; b = r.before[b] {
		x := &r.Events[b]
		switch {
		case slices.Contains(want, x.Kind) && (e.Epoch == 0 || x.Epoch == 0 || x.Epoch == e.Epoch),
			x.Kind == trace.TaskStarting, x.Kind == trace.CoordinatorStarted:
			return int(b)
		case e.Kind == trace.TaskFailed && (x.Kind == trace.ExtDone || x.Kind == trace.StoreDone || x.Kind == trace.Delivered):
			return int(b) // what it had just heard
		case isTimer(e.Kind) && isTimer(x.Kind) && x.At == e.At && x.Contents == e.Contents:
			return int(b)
		}
	}
	return -1
}

func isTimer(k trace.Kind) bool {
	return k == trace.TimerSet || k == trace.TimerCancelled || k == trace.TimerFired
}

// wanted are the kinds that an event follows from on its line.
func wanted(e *Event) []trace.Kind {
	switch e.Kind {
	case trace.Completed:
		return []trace.Kind{trace.StoreDone, trace.AllAcked}
	case trace.AllAcked:
		return []trace.Kind{trace.Acked}
	case trace.Acked:
		return []trace.Kind{trace.Triggered}
	case trace.Aborted:
		return []trace.Kind{trace.Triggered}
	case trace.PlanExecuted:
		return []trace.Kind{trace.PlanDurable}
	case trace.SnapshotStored:
		return []trace.Kind{trace.SnapshotWriting, trace.SnapshotBegun}
	case trace.SnapshotWriting, trace.SnapshotFailed, trace.CapturedIn, trace.CapturedOut:
		return []trace.Kind{trace.SnapshotBegun}
	case trace.SnapshotBegun, trace.BarrierSent:
		return []trace.Kind{trace.BarrierReceived}
	case trace.ExtIssued:
		return []trace.Kind{trace.CommitAsked, trace.SnapshotBegun, trace.TaskStarting}
	case trace.StoreIssued:
		return []trace.Kind{trace.SnapshotWriting, trace.SnapshotBegun, trace.AllAcked, trace.TaskStarting}
	case trace.TaskRestored, trace.TaskReady:
		return []trace.Kind{trace.StoreDone, trace.TaskStarting}
	default: // nothing else
	}
	return nil
}
