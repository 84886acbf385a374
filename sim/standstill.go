package sim

import (
	"fmt"

	"weir/internal/dataflow/roster"
	"weir/trace"
)

// headway is how far a run had come at some moment. A run that reaches its
// limit of events or of time and has come no further since half of it is a
// livelock: it is busy and gets nowhere.
type headway struct {
	events  int64 // handled
	at      Nanos
	offsets uint64 // records handed out by all sources together, each counted once
	rows    int64  // committed
	stored  int64  // checkpoints completed, or snapshots that joined the recovery line
}

func (s *Sim) headway() headway {
	h := headway{events: s.popped, at: s.now, rows: s.result.RowsCommitted}
	h.stored = s.observers.counts[trace.Completed] + s.observers.counts[trace.LineAdvanced]
	for _, o := range s.offsets {
		h.offsets += uint64(o)
	}
	return h
}

// atLimit ends the run at its limits, and takes stock at half of them.
func (s *Sim) atLimit(e *event) {
	now := s.headway()
	now.events-- // the event at hand is not handled
	if s.popped <= s.cfg.MaxEvents && e.time <= s.cfg.MaxTime {
		s.half, s.maxEvents, s.maxTime = now, s.cfg.MaxEvents, s.cfg.MaxTime
		s.failing = []error{}
		return
	}
	what := "it was still getting on"
	switch was := s.half; {
	case e.time-now.at > s.cfg.MaxTime/2:
		what = fmt.Sprintf("a standstill: nothing happens before %d ns", e.time)
	case was.offsets == now.offsets && was.rows == now.rows && was.stored == now.stored:
		s.result.Recurring = s.failing
		what = fmt.Sprintf("a livelock: for %d events and %.3f ms no source has moved, no row was committed and no checkpoint completed",
			now.events-was.events, float64(now.at-was.at)/1e6)
	}
	s.stop(NoProgress, fmt.Errorf("after %d events, at %d ns of virtual time, the job is not done; %s", now.events, now.at, what))
}

// mostRecurring is how many failures are kept.
const mostRecurring = 1 << 15

// recur notes of what a task fails while the run may be in a livelock.
func (s *Sim) recur(err error) {
	if s.failing == nil {
		return
	}
	if s.failing = append(s.failing, err); len(s.failing) > mostRecurring {
		s.failing = nil
	}
}

// standstill says who waits for what at the end of a run without progress, or of a job that failed.
func (s *Sim) standstill() []string {
	c := &s.observers.counts
	lines := []string{fmt.Sprintf("%d checkpoints completed of %d triggered, %d given up; %d snapshots joined the recovery line; %d rows committed; %d plans",
		c[trace.Completed], c[trace.Triggered], c[trace.Aborted], c[trace.LineAdvanced], s.result.RowsCommitted, s.result.Plans)}
	if n := len(s.result.Recurring); n > 0 {
		lines = append(lines, fmt.Sprintf("tasks failed %d times meanwhile, the last time of: %v", n, s.result.Recurring[n-1]))
	}
	for i := range s.tasks {
		lines = append(lines, s.tasks[i].standstill())
	}
	coordinator := "runs"
	switch {
	case s.coord.coord == nil:
		coordinator = "is down"
	case s.coord.stalled > s.now:
		coordinator = fmt.Sprintf("is stalled until %d ns", s.coord.stalled)
	}
	return append(lines, fmt.Sprintf("the coordinator %s; %d storage operations and %d on the external store are under way",
		coordinator, s.stores.underWay(), s.exts.underWay()))
}

func (t *taskHost) standstill() string {
	who := fmt.Sprintf("%s[%d] %s", t.info.Name, t.info.Index, t.info.ID)
	if t.source {
		who += fmt.Sprintf(", %d records handed out", t.furthest())
	}
	switch {
	case t.task == nil:
		return who + ": " + [...]string{
			roster.Absent: "never started", roster.Starting: "waits for its worker", roster.Alive: "has ended", roster.Dead: "is dead", roster.Isolated: "is dead",
		}[t.s.roster.Phase(t.info.ID)]
	case t.source:
		who += fmt.Sprintf(", at offset %d", t.task.Offset())
	}
	if t.stalled > t.s.now {
		who += fmt.Sprintf(", stalled until %d ns", t.stalled)
	}
	return who + ": " + t.task.Waits()
}
