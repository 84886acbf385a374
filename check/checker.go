package check

import (
	"bytes"
	"errors"
	"slices"

	"weir/id"
	"weir/trace"
)

// Checker watches one run after another: Observe its events, then Finish, then
// Reset. It keeps its memory between runs. Not safe for concurrent use.
type Checker struct {
	x         Expect
	reference [][]byte // sorted
	now       int64
	tick      int64 // counts snapshots and restores
	tasks     []task
	channels  []channel
	segments  []segment
	used      int // segments of this run
	snapshots []snapshot
	marks     []uint64  // of snapshots
	captures  []capture // of snapshots
	captured  []uint32  // record ids of captures
	counts    []int32   // scratch, by record
	parts     []int32   // scratch, by task
	ranges    []capture // scratch
	line      line
	completed []id.Epoch
	retained  []retained
	base      id.Epoch        // of the newest plan
	landed    []landing       // keys written since the storage was last listed
	present   map[string]bool // keys of the objects in storage
	listings  []landing       // prefixes listed
	asked     []string        // prefixes whose listing the living coordinator waits for
	orphaned  bool            // the coordinator died and no plan was made since
	damaged   bool            // a fault has damaged stored objects
	rows      []byte          // committed rows, framed
	canonical [][]byte
	rowList   [][]byte
	keys      []string        // scratch: objects in storage
	needed    map[string]bool // scratch: those that something refers to
	lastMark  int64           // time of the last checkpoint, fault or start, for progress
	done      bool
	report    Report
}

var _ trace.Observer = (*Checker)(nil)

// New returns a checker at the start of a run. It refuses an expectation that
// cannot be checked.
func New(x Expect) (*Checker, error) {
	if x.State < AtMostOnce || x.State > ExactlyOnce || x.Output < AtMostOnce || x.Output > ExactlyOnce {
		return nil, errors.New("check: the expectation lacks a guarantee on state or output")
	}
	if x.RecordID == nil || x.Canonical == nil {
		return nil, errors.New("check: the expectation lacks RecordID or Canonical")
	}
	c := &Checker{x: x, counts: make([]int32, x.Records), parts: make([]int32, len(x.Tasks))}
	c.tasks = make([]task, len(x.Tasks))
	c.needed, c.present = map[string]bool{}, map[string]bool{}
	c.channels = make([]channel, len(x.Channels))
	for i, ch := range x.Channels {
		if int(ch.From) >= len(x.Tasks) || int(ch.To) >= len(x.Tasks) || ch.From < 0 || ch.To < 0 {
			return nil, errors.New("check: a channel has an end outside the tasks")
		}
		from, to := &c.tasks[ch.From], &c.tasks[ch.To]
		c.channels[i].Channel = ch
		c.channels[i].source = x.Tasks[ch.From].Source
		to.fed = to.fed || x.Tasks[ch.From].Source
		from.outputs = append(from.outputs, id.ChannelID(i))
		to.inputs = append(to.inputs, id.ChannelID(i))
	}
	c.reference = slices.SortedFunc(slices.Values(x.Reference), bytes.Compare)
	c.Reset()
	return c, nil
}

// Reset makes the checker ready for another run under the same expectation.
func (c *Checker) Reset() {
	c.now, c.tick, c.used, c.lastMark, c.base = 0, 0, 0, 0, 0
	c.done, c.damaged, c.orphaned = false, false, false
	c.snapshots, c.marks, c.captures, c.captured = c.snapshots[:0], c.marks[:0], c.captures[:0], c.captured[:0]
	c.completed, c.retained, c.rows, c.canonical = c.completed[:0], c.retained[:0], c.rows[:0], c.canonical[:0]
	c.landed, c.listings, c.asked = c.landed[:0], c.listings[:0], c.asked[:0]
	clear(c.present)
	c.report = Report{Violations: c.report.Violations[:0]}
	c.line.reset(len(c.tasks), len(c.channels))
	for i := range c.channels {
		ch := &c.channels[i]
		*ch = channel{Channel: ch.Channel, source: ch.source}
	}
	for i := range c.tasks {
		t := &c.tasks[i]
		*t = task{inputs: t.inputs, outputs: t.outputs, fed: t.fed, snapshots: t.snapshots[:0], committed: t.committed[:0], asked: t.asked[:0], part: none, restored: none}
		t.segment = c.branch(none, 0, 0)
	}
}

// Wants is the set of kinds that the oracles look at.
func (c *Checker) Wants() trace.Mask {
	return trace.Mask(0).With(
		trace.Emitted, trace.Sealed, trace.Delivered, trace.SnapshotBegun, trace.CapturedIn, trace.CapturedOut,
		trace.SnapshotStored, trace.TaskStarting, trace.TaskRestored, trace.Injected, trace.TaskReady, trace.TaskLeft,
		trace.Completed, trace.Subsumed, trace.LineAdvanced, trace.PlanExecuted, trace.JobDone, trace.StoreIssued, trace.StoreApplied, trace.StoreDone, trace.ExtIssued,
		trace.OutputCommitted, trace.WorkerCrashed, trace.CoordinatorCrashed, trace.FaultInjected, trace.TaskFailed,
	)
}

// Observe takes the next event.
func (c *Checker) Observe(e *trace.Event) {
	c.now = e.Time
	switch e.Kind {
	case trace.Emitted, trace.Sealed, trace.Delivered, trace.SnapshotBegun, trace.CapturedIn, trace.CapturedOut,
		trace.SnapshotStored, trace.TaskStarting, trace.TaskRestored, trace.Injected, trace.TaskReady, trace.TaskLeft,
		trace.TaskFailed, trace.ExtIssued, trace.OutputCommitted:
		if e.Task >= 0 && int(e.Task) < len(c.tasks) {
			c.observeTask(e, &c.tasks[e.Task])
		}
	case trace.LineAdvanced:
		if e.Task >= 0 && int(e.Task) < len(c.tasks) {
			t := &c.tasks[e.Task]
			t.line = max(t.line, e.Epoch)
		}
	case trace.PlanExecuted:
		c.planExecuted(e)
	case trace.Completed:
		c.checkpointCompleted(e)
	case trace.Subsumed:
		c.subsumed(e.Epoch)
	case trace.StoreIssued:
		c.storeIssued(e)
	case trace.StoreApplied:
		c.storeApplied(e)
	case trace.StoreDone:
		c.storeDone(e)
	case trace.WorkerCrashed:
		c.report.Crashes++
		c.faultStruck(true)
	case trace.CoordinatorCrashed:
		c.report.CoordinatorCrashes++
		c.orphaned = true
		c.asked = c.asked[:0]
		c.faultStruck(true)
	case trace.FaultInjected:
		c.noteDamage(e)
		c.faultStruck(false)
	case trace.JobDone:
		c.done = true
	default:
	}
}

// observeTask takes an event of a task. What an incarnation does that has been
// replaced counts for nothing.
func (c *Checker) observeTask(e *trace.Event, t *task) {
	switch e.Kind {
	case trace.OutputCommitted: // whoever asked for it: it is visible now
		c.outputCommitted(e, t)
		return
	case trace.TaskFailed:
		c.taskFailed(e, t)
		return
	default:
	}
	if e.Attempt < t.attempt {
		return
	}
	switch e.Kind {
	case trace.Emitted:
		c.emitted(e, t)
	case trace.Sealed:
		c.sealed(e)
	case trace.Delivered:
		c.delivered(e, t)
	case trace.SnapshotBegun:
		c.snapshotBegun(e, t)
	case trace.CapturedIn, trace.CapturedOut:
		c.capture(e, t)
	case trace.SnapshotStored:
		if s := c.find(t, e.Epoch); s != none {
			c.snapshots[s].stored = true
		}
	case trace.TaskStarting:
		t.attempt = e.Attempt
	case trace.TaskRestored:
		t.attempt = e.Attempt
		c.taskRestored(e, t)
	case trace.Injected:
		c.injected(e)
	case trace.TaskReady:
		c.taskReady(e.Task, t)
	case trace.TaskLeft:
		t.left = true
	case trace.ExtIssued:
		c.externalIssued(e, t)
	default:
	}
}

// End says how a run ended.
type End struct {
	Done bool  // the job ended well; a JobDone event says the same
	Time int64 // nanoseconds since its start
	Err  error // why the job failed, or why the driver gave up; nil otherwise
}

// Finish carries out the checks at the end of a run and returns the verdict.
func (c *Checker) Finish(end End) *Report {
	c.now = max(c.now, end.Time)
	c.done = c.done || end.Done
	c.finishProgress(end)
	if c.done {
		dup, lost := c.finishEffect()
		c.finishConservation()
		c.finishOutput(dup, lost)
		c.finishStorage()
	}
	return &c.report
}
