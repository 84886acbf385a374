package sim

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"

	"weir/faults"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Verdict says how a run ended. Whether what it produced is right is for the
// oracles of package check to say.
type Verdict uint8

const (
	Running     Verdict = iota
	Done                // the job ended well
	Failed              // the job or its configuration failed: Result.Err
	NoProgress          // a limit was reached, or nothing was left to happen
	Panicked            // the code under test panicked: Result.Stack
	Interrupted         // Config.Interrupted said so: nothing can be said of the job
)

// String returns the verdict in words.
func (v Verdict) String() string {
	return [...]string{"running", "done", "job failed", "no progress", "panic", "interrupted"}[v]
}

// Result is what came of a run. Tasks belongs to the Sim and is valid until its
// next run.
type Result struct {
	Verdict Verdict
	Err     error  // why, for all verdicts but Done
	Stack   string // of a panic
	// Standstill says, after NoProgress and Failed, a line each: how far the job had
	// come, and what every task waited for.
	Standstill []string
	// Hash covers schedule and contents: chains of all tasks, the coordinator,
	// effects on storage, committed output.
	Hash uint64
	// Parts of Hash, to see where two runs differ.
	Schedule, Coordinator, Storage, Committed uint64
	Tasks                                     []uint64 // by TaskID, of the last leg

	Events  int64 // steps of tasks and callbacks of the coordinator
	Virtual Nanos // time at the end
	Turns   int64
	Sent    int64 // buffers put on a wire

	Crashes            int // of workers; not those that were taken down with a job that was stopped
	CoordinatorCrashes int // likewise
	Failovers          int // how often another coordinator process took the lead than the one before
	Rivals             int // of them: the one before held its lease still, by its clock
	TaskFailures       int
	LastFailure        error            // of a task that gave up by itself
	Recurring          []error          // of a livelock: all that tasks failed of since half of the limits; nil: nothing, or too often
	Copies             state.CopyCounts // files that tasks were restored from
	Plans              int              // executed
	Recoveries         int              // plans that restored at least one snapshot
	Faults             int              // of every kind
	Queries            int              // asked; Counts has how many answers came, a key each
	Upgraded           int              // how often the job went on as another version
	Resumed            int              // how often another job began from the savepoint with which one had ended; see Behind
	EndedWith          id.Epoch         // Done: the job has ended with this savepoint, 0: with none
	Unchanged          int              // how often it was stopped for a change and went on as it was
	Cancelled          bool             // Done: the job was stopped, and left nothing to go on from
	Missed             []faults.Fault   // of them: what they were for was gone, or no operation came that they match
	Declined           []Declined       // of those missed: the operations that the job was asked for, and did not take
	// Destroyed names what faults took that a job may need: keys of objects and logs whose
	// bytes are no longer what was written, or were refused for good, logs that were trimmed
	// as a snapshot stood on the recovery line which is destroyed now, and of the external store
	// transactions and rows. A job that fails for want of it names it.
	Destroyed        []string
	LandedLate       int // operations that took effect after the end of the job
	StoreOps, ExtOps int64
	StoreRetried     int64 // storage operations whose outcome was unknown
	ExtRetried       int64
	RowsCommitted    int64
	Counts           [trace.Kinds]int64 // of the trace; data path kinds only if observed
}

// Behind makes r, which is that of a job that has begun from what the job of first has left, the result of
// both. Verdict, tasks and parts of the hash stay those of r.
func (r *Result) Behind(first *Result) {
	r.Hash = mix(first.Hash, r.Hash, uint64(first.EndedWith))
	for _, x := range []struct{ sum, of *int64 }{
		{&r.Events, &first.Events}, {&r.Virtual, &first.Virtual}, {&r.Turns, &first.Turns}, {&r.Sent, &first.Sent}, {&r.StoreOps, &first.StoreOps}, {&r.ExtOps, &first.ExtOps},
		{&r.StoreRetried, &first.StoreRetried}, {&r.ExtRetried, &first.ExtRetried}, {&r.RowsCommitted, &first.RowsCommitted},
	} {
		*x.sum += *x.of
	}
	for _, x := range []struct{ sum, of *int }{
		{&r.Crashes, &first.Crashes}, {&r.CoordinatorCrashes, &first.CoordinatorCrashes}, {&r.Failovers, &first.Failovers}, {&r.Rivals, &first.Rivals}, {&r.TaskFailures, &first.TaskFailures},
		{&r.Plans, &first.Plans}, {&r.Recoveries, &first.Recoveries}, {&r.Faults, &first.Faults}, {&r.Queries, &first.Queries}, {&r.Upgraded, &first.Upgraded}, {&r.Unchanged, &first.Unchanged}, {&r.LandedLate, &first.LandedLate},
	} {
		*x.sum += *x.of
	}
	for k := range r.Counts {
		r.Counts[k] += first.Counts[k]
	}
	r.Copies.Add(first.Copies)
	r.Missed, r.Declined, r.Destroyed = slices.Concat(first.Missed, r.Missed), slices.Concat(first.Declined, r.Declined), slices.Concat(first.Destroyed, r.Destroyed)
	r.EndedWith, r.Resumed = first.EndedWith, first.Resumed+r.Resumed+1
}

func mix(h, a, b uint64) uint64 {
	hi, lo := bits.Mul64(h^a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return hi ^ lo ^ bits.RotateLeft64(h, 23)
}

func sum(b []byte) uint64 { return xxhash.Sum64(b) }

// finish computes the hash. Chains of living tasks join those of their dead incarnations.
func (s *Sim) finish() {
	r := &s.result
	h := s.operating.past
	for i := range s.tasks {
		t := s.tasks[i]
		c := t.chain
		if t.task != nil {
			c = mix(c, t.task.Chain(), uint64(t.inc()))
		}
		r.Tasks = append(r.Tasks, c)
		h = mix(h, c, uint64(i))
	}
	for _, z := range s.zombies {
		h = mix(h, z.task.Chain(), uint64(z.inc()))
	}
	for _, g := range s.ghosts {
		h = mix(h, g.chain, uint64(g.zombie))
	}
	r.Coordinator, r.Storage, r.Committed, r.Schedule = s.coord.chain, mix(s.stores.chain, s.exts.chain, 0), s.committed, s.schedule
	h = mix(h, r.Coordinator, r.Storage)
	r.Hash = mix(h, r.Committed, r.Schedule)
	r.Events, r.Virtual = s.steps, s.now
	r.Counts = s.observers.counts
}

// EventLog is a compact record of a run: what happened, and the hash of the
// schedule and of whom it happened to after it. It is for finding where two runs part.
type EventLog struct {
	// To bounds the events that are kept, from the first one on: their number. 0: all
	// are kept, -1: none.
	To      int
	entries []logEntry
	seen    int
	sum     uint64
	sums    []uint64
}

// LogWindow is how many events a sum of an EventLog covers more than the one before it.
const LogWindow = 1000

type logEntry struct {
	event
	schedule uint64
	chain    uint64 // of the task of the event, of storage, of the external store, or of the coordinator
}

func (l *EventLog) reset() {
	l.entries, l.seen, l.sum, l.sums = l.entries[:0], 0, 0, l.sums[:0]
}

// Len returns the number of events, kept or not.
func (l *EventLog) Len() int { return l.seen }

// Sums returns a hash of all events up to the end of each window, the last of which
// may be a short one. Valid until the next run.
func (l *EventLog) Sums() []uint64 {
	if l.seen%LogWindow == 0 {
		return l.sums
	}
	return append(l.sums, l.sum)
}

// Lines returns the events kept, one on each line.
func (l *EventLog) Lines() (lines []string) {
	for i := range l.entries {
		lines = append(lines, l.entries[i].String())
	}
	return lines
}

func (l *EventLog) add(e *logEntry) {
	l.sum = mix(l.sum, e.schedule, e.chain)
	if l.To == 0 || l.seen < l.To {
		l.entries = append(l.entries, *e)
	}
	if l.seen++; l.seen%LogWindow == 0 {
		l.sums = append(l.sums, l.sum)
	}
}

func (s *Sim) log(e *event) {
	entry := logEntry{event: *e, schedule: s.schedule, chain: s.coord.chain}
	switch e.kind() {
	case kindStoreApply:
		entry.chain = s.stores.chain
	case kindExtApply:
		entry.chain = mix(s.exts.chain, s.committed, 0)
	default:
		if t := s.taskOf(e); t != nil && t.task != nil {
			entry.chain = t.task.Chain()
		}
	}
	s.cfg.Log.add(&entry)
}

// taskOf returns the task that an event is for, nil if it is for none.
func (s *Sim) taskOf(e *event) *taskHost {
	switch e.kind() {
	case kindTurn, kindTimer, kindToTask, kindStart:
		return s.tasks[e.ref]
	case kindArrive:
		t, _ := s.roster.Receiver(id.ChannelID(e.ref))
		return s.tasks[t]
	case kindCredit, kindReply, kindConnect:
		t, _ := s.roster.Sender(id.ChannelID(e.ref))
		return s.tasks[t]
	}
	return nil
}

// Difference describes the first event at which two runs part, "" if they do not.
func Difference(a, b *EventLog) string {
	for i := range min(len(a.entries), len(b.entries)) {
		if x, y := &a.entries[i], &b.entries[i]; *x != *y {
			return fmt.Sprintf("event %d differs:\n  %s\n  %s", i, x, y)
		}
	}
	if len(a.entries) != len(b.entries) {
		return fmt.Sprintf("one run has %d events, the other %d; all of the shorter one agree", len(a.entries), len(b.entries))
	}
	return ""
}

var kindNames = [numKinds]string{
	"", "turn", "arrive", "credit", "reply", "connect", "timer", "message to task", "start", "transfer", "message to coordinator",
	"ready", "left", "coordinator timer", "coordinator start", "crash noticed", "failure noticed", "worker up",
	"storage apply", "storage done", "sink apply", "sink done", "fault over", "wake", "take down", "taken for dead",
	"campaign", "candidate timer", "operate", "ask",
}

// String shows the event for people.
func (e *logEntry) String() string {
	what := id.TaskID(e.ref).String()
	switch e.kind() {
	case kindArrive, kindCredit, kindReply, kindConnect:
		what = id.ChannelID(e.ref).String()
	case kindStoreApply, kindStoreDone, kindExtApply, kindExtDone, kindTransfer, kindCoordStart, kindCoordTimer:
		what = fmt.Sprintf("#%d", e.ref)
	}
	return fmt.Sprintf("%d ns: %s %s (order %#x, argument %d, generation %d), schedule %016x, contents %016x",
		e.time, kindNames[e.kind()], what, e.order, e.arg, e.gen, e.schedule, e.chain)
}
