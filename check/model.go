package check

import (
	"errors"
	"slices"

	"weir/id"
	"weir/trace"
)

// model is what stands of a run so far: every task's history along the branch
// that survives, its snapshots with what they captured, the recovery in progress.
// It is computed once; the oracles read it. It judges nothing.
type model struct {
	x    Expect
	pace Pace // of this run
	// mayFallBack: somebody has allowed this run to pass over damaged checkpoints.
	mayFallBack bool
	// mayLeadTwice: a fault sets clocks further apart than leases allow.
	mayLeadTwice bool
	// mayLeaveNothing: this run's job may delete all that it has when it is over.
	mayLeaveNothing bool
	over            bool // a plan in storage says so
	// mayGiveUp: its restart strategy may, once more than giveUpAfter failures have struck.
	mayGiveUp   bool
	wentBack    bool // see GoOn
	giveUpAfter int
	report      *Report
	now         int64
	tick        int64 // counts snapshots and restores
	graph
	segments  []segment
	used      int // segments of this run
	snapshots []snapshot
	marks     []uint64           // of snapshots
	orders    map[int][]span     // by index of the mark, where channels reorder
	positions []position         // of snapshots: their splits
	captures  []capture          // of snapshots
	captured  []uint32           // record ids of captures
	shares    map[string][]int32 // by root of a savepoint and task: its share of it, in snapshots; none: it has begun none
	line      line
	stable    stable
	stand     stand
	completed []id.Epoch
	parts     []int32 // by task: its snapshot in the newest complete checkpoint, none: it lacks one
	whole     bool    // parts lacks none
	owner     []int32 // by record: the split that holds it, none: none does
	counts    []int32 // by record, at the end: how often it stands in the final state
	fault     damage  // what was wrong with the records of the newest buffer
	done      bool
	former
}

// damage says why the records of a buffer cannot be told.
type damage struct {
	unframed bool
	foreign  bool
	record   uint64 // foreign: its number
}

func (m *model) build(x Expect, r *Report) error {
	m.x, m.report = x, r
	m.counts, m.owner = make([]int32, x.Records), owners(&x)
	g, err := wire(x.Tasks, x.Channels)
	if err != nil {
		return err
	}
	m.use(g)
	return nil
}

// graph is the tasks and channels of a job, and what stands of them.
type graph struct {
	tasks    []task
	channels []channel
}

// wire lays the channels between the tasks.
func wire(tasks []Task, channels []Channel) (graph, error) {
	g := graph{make([]task, len(tasks)), make([]channel, len(channels))}
	for i, ch := range channels {
		if int(ch.From) >= len(tasks) || int(ch.To) >= len(tasks) || ch.From < 0 || ch.To < 0 {
			return graph{}, errors.New("check: a channel has an end outside the tasks")
		}
		from, to := &g.tasks[ch.From], &g.tasks[ch.To]
		g.channels[i].Channel = ch
		g.channels[i].source = tasks[ch.From].Source
		g.channels[i].in, g.channels[i].out = len(to.inputs), len(from.outputs)
		to.fed = to.fed || tasks[ch.From].Source
		from.outputs = append(from.outputs, id.ChannelID(i))
		to.inputs = append(to.inputs, id.ChannelID(i))
	}
	return g, nil
}

// use makes g the graph of the job, with room for what goes by its tasks.
func (m *model) use(g graph) {
	m.graph = g
	m.parts, m.stable.at, m.stable.stale = sized(m.parts, len(g.tasks)), sized(m.stable.at, len(g.tasks)), true
	m.line.tasks, m.line.channels = sized(m.line.tasks, len(g.tasks)), sized(m.line.channels, len(g.channels))
	m.stand.phases = sized(m.stand.phases, len(g.tasks))
}

// sized returns n zeros, in the memory of s if that has room.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// owners returns by record the first split that holds it.
func owners(x *Expect) []int32 {
	owner := make([]int32, x.Records)
	for r := range owner {
		owner[r] = none
	}
	for n := len(x.Splits) - 1; n >= 0; n-- {
		if s := &x.Splits[n]; s.Modulus > 0 {
			for r := s.Residue; r < x.Records; r += s.Modulus {
				owner[r] = int32(n)
			}
		}
	}
	return owner
}

func (m *model) reset() {
	m.mayLeaveNothing, m.over, m.mayGiveUp, m.wentBack = false, false, false, false
	m.pace, m.mayFallBack, m.mayLeadTwice, m.now, m.tick, m.used, m.done = m.x.Pace, false, false, 0, 0, 0, false
	clear(m.shares)
	m.snapshots, m.marks, m.positions, m.captures, m.captured = m.snapshots[:0], m.marks[:0], m.positions[:0], m.captures[:0], m.captured[:0]
	clear(m.orders)
	m.completed, m.whole, m.fault = m.completed[:0], false, damage{}
	m.line.reset()
	m.stable.stale = true
	m.stand.reset()
	m.forgetFormer()
	m.begin(0)
	m.originate()
}

// begin sets the graph to its start; attempt: no incarnation of it is older.
func (m *model) begin(attempt id.Attempt) {
	for i := range m.channels {
		ch := &m.channels[i]
		*ch = channel{Channel: ch.Channel, source: ch.source, in: ch.in, out: ch.out}
	}
	for i := range m.tasks {
		t := &m.tasks[i]
		*t = task{inputs: t.inputs, outputs: t.outputs, fed: t.fed, attempt: attempt, snapshots: t.snapshots[:0], part: none, restored: none, inherits: none}
		t.segment = m.branch(none, 0, 0)
	}
}

func (m *model) kinds() trace.Mask {
	var more trace.Mask
	if m.x.hasLine() {
		more = kinds(trace.StoreApplied)
	}
	return more | kinds(trace.Sealed, trace.Delivered, trace.SnapshotBegun, trace.PositionSplit, trace.CapturedIn, trace.CapturedOut, trace.SnapshotStored, trace.SnapshotFailed,
		trace.TaskStarting, trace.TaskRestored, trace.Injected, trace.TaskReady, trace.TaskLeft, trace.TaskFailed,
		trace.Completed, trace.PlanExecuted, trace.FailedOver, trace.FellBack, trace.JobDone, trace.WorkerCrashed, trace.CoordinatorCrashed)
}

// ofTasks are the kinds that an incarnation of a task is asked about: what one
// does that has been replaced counts for nothing.
const ofTasks = trace.Mask(1<<trace.Emitted | 1<<trace.Sealed | 1<<trace.Delivered | 1<<trace.SnapshotBegun | 1<<trace.PositionSplit | 1<<trace.CapturedIn | 1<<trace.CapturedOut |
	1<<trace.SnapshotStored | 1<<trace.SnapshotFailed | 1<<trace.TaskStarting | 1<<trace.TaskRestored | 1<<trace.SplitTaken | 1<<trace.Injected | 1<<trace.TaskReady | 1<<trace.TaskDrained | 1<<trace.TaskLeft | 1<<trace.ExtIssued |
	1<<trace.WatermarkSaid | 1<<trace.WatermarkSeen | 1<<trace.TimerSet | 1<<trace.TimerCancelled | 1<<trace.TimerFired | 1<<trace.TimerAwaited | 1<<trace.RecordLate)

// ofSomeTask are those that count whoever they come from.
const ofSomeTask = trace.Mask(1<<trace.OutputCommitted | 1<<trace.TaskFailed | 1<<trace.LineAdvanced)

// observe takes the next event; false: it counts for nothing.
func (m *model) observe(e *trace.Event) bool {
	m.now = e.Time
	if ofTasks.Has(e.Kind) || ofSomeTask.Has(e.Kind) {
		if e.Task < 0 || int(e.Task) >= len(m.tasks) {
			return e.Kind == trace.OutputCommitted && e.Task >= 0 && len(m.legs) > 0
		}
		t := &m.tasks[e.Task]
		if m.replaced(e) && (ofTasks.Has(e.Kind) || e.Kind == trace.TaskFailed && len(m.legs) > 0 && e.Attempt <= m.formerly()) {
			return false
		}
		m.observeTask(e, t)
		return true
	}
	switch e.Kind {
	case trace.PlanExecuted:
		m.planExecuted(e)
	case trace.Completed:
		m.checkpointCompleted(e)
	case trace.FailedOver:
		m.report.FailedOver++
	case trace.FellBack:
		if m.mayFallBack {
			m.report.FellBack++
		}
	case trace.WorkerCrashed:
		m.report.Crashes++
	case trace.CoordinatorCrashed:
		m.report.CoordinatorCrashes++
	case trace.JobDone:
		m.done = true
	case trace.StoreApplied:
		if m.x.hasLine() {
			m.landed(e)
		}
	default: // for oracles only
	}
	return true
}

// replaced reports that e comes from an incarnation of its task that another has replaced.
func (m *model) replaced(e *trace.Event) bool { return e.Attempt < m.tasks[e.Task].attempt }

func (m *model) observeTask(e *trace.Event, t *task) {
	switch e.Kind {
	case trace.Sealed:
		if m.isChannel(e.Channel) {
			ch := &m.channels[e.Channel]
			ch.sealed += e.To - e.From
			if ch.Reorders {
				ch.order.sealed = append(ch.order.sealed, span{e.From, e.To})
			}
		}
	case trace.Delivered:
		m.delivered(e, t)
	case trace.SnapshotBegun:
		m.snapshotBegun(e, t)
	case trace.PositionSplit:
		m.position(e, t)
	case trace.CapturedIn, trace.CapturedOut:
		m.capture(e, t)
	case trace.SnapshotStored:
		if s := m.find(t, e.Epoch); s != none {
			m.snapshots[s].stored = true
			m.stable.stale = true
		}
	case trace.SnapshotFailed:
		if s := m.find(t, e.Epoch); s != none {
			m.snapshots[s].failed, m.snapshots[s].refused, m.snapshots[s].failedAt = true, e.Cause == trace.Unstored, e.Time
		}
	case trace.TaskStarting:
		t.attempt, t.answered = e.Attempt, false
	case trace.TaskRestored:
		t.attempt = e.Attempt
		m.taskRestored(e, t)
	case trace.Injected:
		m.injected(e)
	case trace.TaskReady:
		if t.answered {
			m.report.Kept++
		}
		t.answered = true
		m.taskReady(e.Task, t)
	case trace.TaskLeft:
		t.left = true
	case trace.TaskFailed:
		m.report.TaskFailures++
	default: // for oracles only
	}
}

func (m *model) isChannel(n id.ChannelID) bool { return n >= 0 && int(n) < len(m.channels) }

// checkpointCompleted gathers the snapshots of a job-wide checkpoint that became
// true; for a task that has left, the last that stood for it.
func (m *model) checkpointCompleted(e *trace.Event) {
	m.report.Checkpoints++
	m.completed = append(m.completed, e.Epoch)
	if m.x.Coordinated {
		m.gather(e.Epoch)
	}
}

// gather takes the snapshots of which checkpoint e consists into m.parts.
func (m *model) gather(e id.Epoch) {
	m.whole = true
	for i := range m.tasks {
		t := &m.tasks[i]
		p := m.find(t, e)
		if t.left && (p == none || !m.snapshots[p].stored) {
			p = t.part // drained before and gone meanwhile
		}
		m.parts[i] = p
		m.whole = m.whole && p != none
	}
	if m.whole {
		for i := range m.tasks {
			m.tasks[i].part = m.parts[i]
		}
	}
}

func (m *model) isCompleted(e id.Epoch) bool { return slices.Contains(m.completed, e) }

// finish counts what stands in the final state, whatever is promised.
func (m *model) finish(end End) {
	m.now = max(m.now, end.Time)
	m.done = m.done || end.Done
	if !m.done {
		return
	}
	clear(m.counts)
	for i := range m.tasks {
		if t := &m.tasks[i]; t.fed {
			m.addLineage(m.counts, t.segment, m.records(t))
		}
	}
	m.addInherited(m.counts, m.inherited())
	for r, n := range m.counts {
		if want := m.x.copies(r); n > want {
			m.report.Duplicates++
		} else if n < want {
			m.report.Losses++
		}
	}
}

// promised is what holds for this run: without failures, and while the job is not stopped to go
// on, as what it was or as another graph, all guarantees are one. A change takes the job back to a checkpoint as a failure does.
func (m *model) promised(g Guarantee) Guarantee {
	if len(m.legs) == m.origins() && !m.wentBack && m.report.Crashes == 0 && m.report.CoordinatorCrashes == 0 && m.report.TaskFailures == 0 && m.report.FailedOver == 0 {
		return m.x.Origin.held(ExactlyOnce)
	}
	return m.x.Origin.held(g)
}

// promisedOutput is what holds for output. A job that went back behind a damaged
// checkpoint, which somebody has to allow, commits again what it had since.
func (m *model) promisedOutput() Guarantee {
	if m.report.FellBack > 0 {
		return m.x.Origin.held(min(m.x.Output, AtLeastOnce))
	}
	return m.promised(m.x.Output)
}

// taskRestored begins a new branch at the restored snapshot.
func (m *model) taskRestored(e *trace.Event, t *task) {
	before := m.records(t)
	m.stable.stale, m.wentOn = true, true
	t.left, t.restored, t.survived, t.made = false, none, false, false
	if e.Epoch == 0 {
		m.fromNothing(t)
		m.line.restored(e.Task, 0)
		m.report.LostWork += int64(before)
		return
	}
	p := m.find(t, e.Epoch)
	if p == none {
		m.inherit(e, t)
		return
	}
	t.survived = m.survives(&m.snapshots[p], t.segment)
	m.report.LostWork += int64(max(before-m.snapshots[p].records, 0))
	m.goOn(e, t, p)
}

// goOn begins a branch at snapshot p of the task.
func (m *model) goOn(e *trace.Event, t *task, p int32) {
	s := &m.snapshots[p]
	m.report.RestoredTasks++
	m.tick++
	t.segment = m.branch(s.segment, s.records, s.tick)
	t.restored, t.part, t.inherits = p, p, s.inherits
	m.setMarks(t, s)
	m.line.restored(e.Task, e.Epoch)
}

// fromNothing begins a history.
func (m *model) fromNothing(t *task) {
	t.segment = m.branch(none, 0, 0)
	t.part, t.inherits = none, none
	m.setMarks(t, nil)
}

// setMarks takes the task's ends of its channels to where they were at s;
// nil: the start.
func (m *model) setMarks(t *task, s *snapshot) {
	mark := func(i int) (uint64, []span) {
		if s == nil {
			return 0, nil
		}
		return m.marks[s.marks+i], m.orders[s.marks+i]
	}
	for i, n := range t.inputs {
		ch := &m.channels[n]
		ch.delivered, ch.order.delivered = mark(i)
	}
	for i, n := range t.outputs {
		ch := &m.channels[n]
		ch.sealed, ch.order.sealed = mark(len(t.inputs) + i)
	}
}

// deliveredAt and sealedAt return a task's counts of a channel, of which it is the
// receiver or the sender, at a snapshot.
func (m *model) deliveredAt(s *snapshot, ch id.ChannelID) uint64 {
	return m.marks[m.deliveredMark(s, ch)]
}

func (m *model) sealedAt(s *snapshot, ch id.ChannelID) uint64 {
	return m.marks[m.sealedMark(s, ch)]
}

// deliveredMark and sealedMark return where these stand in the marks.
func (m *model) deliveredMark(s *snapshot, ch id.ChannelID) int {
	return s.marks + m.channels[ch].in
}

func (m *model) sealedMark(s *snapshot, ch id.ChannelID) int {
	return s.marks + len(m.tasks[s.task].inputs) + m.channels[ch].out
}
