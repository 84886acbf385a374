package live

import (
	"slices"
	"sync"

	"weir/id"
	"weir/trace"
)

// Checkpoint is one completed checkpoint of a coordinated algorithm. Times are
// nanoseconds; a part that every task has is given for the task where it took
// longest, so that the parts need not add up to the total.
type Checkpoint struct {
	Epoch          id.Epoch
	Triggered      int64 // time since Config.Epoch
	Completed      int64
	TotalNanos     int64 // trigger to durable and complete
	TravelNanos    int64 // trigger to the first barrier (sources: the instant) at the last task
	AlignmentNanos int64 // first to last barrier of a task
	SyncNanos      int64 // processing stopped
	AsyncNanos     int64 // instant to everything uploaded and pre-committed
	PutNanos       int64 // writing the snapshot object
	AckNanos       int64 // stored to acknowledged
	MetadataNanos  int64 // all acknowledged to complete
	UploadedBytes  int64 // all tasks: state files sent to storage; small state is in the objects
	ObjectBytes    int64 // all tasks: snapshot objects, what follows included
	InflightBytes  int64 // all tasks: captured channel contents
	StateBytes     int64 // all tasks, those that have left included: state.Handle.Bytes
	ChangedBytes   int64 // all tasks: keys and values changed since the base
	ChangeKnown    bool  // ChangedBytes is known of all tasks
	Tasks          int
	LongestSync    id.TaskID // the task with SyncNanos
}

// LocalSnapshot is one durable snapshot of one task that no coordinator
// triggered. Times are as in Checkpoint.
type LocalSnapshot struct {
	Task                            id.TaskID
	Epoch                           id.Epoch
	Begun, Stored                   int64 // time since Config.Epoch
	SyncNanos, AsyncNanos, PutNanos int64
	UploadedBytes, ObjectBytes      int64
	InflightBytes                   int64
	StateBytes, ChangedBytes        int64
	ChangeKnown                     bool
	// PassedOver: the recovery line of a total failure went past it without ever
	// standing on it.
	PassedOver bool
}

// AbortedRound is a round that was given up.
type AbortedRound struct {
	Epoch              id.Epoch
	Triggered, Aborted int64 // time since Config.Epoch
	Stored             int   // snapshots of tasks that were durable all the same
}

// CheckpointLog derives what every checkpoint cost from the events of a run.
// The zero value is ready for use; give it to one job at a time as
// Config.Checkpoints. Safe for concurrent use.
type CheckpointLog struct {
	mu        sync.Mutex
	rounds    map[id.Epoch]*round
	parts     map[partKey]*part
	completed []Checkpoint
	local     []LocalSnapshot
	aborted   []AbortedRound
	line      []LineMove
	state     map[id.TaskID]int64 // StateBytes of the newest completed checkpoint
}

type partKey struct {
	epoch id.Epoch
	task  id.TaskID
}

type round struct{ triggered, allAcked int64 }

// part is one task's share of a snapshot; a time of 0 is not known yet.
type part struct {
	Part
	firstBarrier, lastBarrier     int64
	begun, writing, stored, acked int64
	inflight, object              int64
}

// Completed returns the completed checkpoints so far, in order.
func (l *CheckpointLog) Completed() []Checkpoint {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.completed)
}

// Local returns the durable snapshots of an algorithm without rounds, in order.
func (l *CheckpointLog) Local() []LocalSnapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.local)
}

// Aborted returns the rounds given up so far, in order.
func (l *CheckpointLog) Aborted() []AbortedRound {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.aborted)
}

// Wants implements trace.Observer.
func (l *CheckpointLog) Wants() trace.Mask {
	return trace.Mask(0).With(trace.Triggered, trace.BarrierReceived, trace.SnapshotBegun, trace.CapturedIn, trace.CapturedOut,
		trace.SnapshotWriting, trace.SnapshotStored, trace.SnapshotFailed, trace.Acked, trace.AllAcked, trace.Completed, trace.Aborted, trace.LineAdvanced, trace.PlanExecuted)
}

// ObservePart implements PartObserver.
func (l *CheckpointLog) ObservePart(t id.TaskID, e id.Epoch, p Part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.part(e, t)
	x.SyncNanos += p.SyncNanos
	x.TransferNanos += p.TransferNanos
	x.Uploaded += p.Uploaded
	x.StateBytes += p.StateBytes
	x.ChangedBytes += p.ChangedBytes
	x.ChangeKnown = x.ChangeKnown || p.ChangeKnown
}

// Observe implements trace.Observer.
func (l *CheckpointLog) Observe(e *trace.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case trace.Triggered:
		if l.rounds == nil {
			l.rounds = map[id.Epoch]*round{}
		}
		l.rounds[e.Epoch] = &round{triggered: e.Time}
	case trace.AllAcked:
		if r := l.rounds[e.Epoch]; r != nil {
			r.allAcked = e.Time
		}
	case trace.Completed:
		l.complete(e)
	case trace.Aborted:
		l.abort(e)
	case trace.LineAdvanced:
		l.advance(e)
	case trace.PlanExecuted:
		l.forgetBefore(e.Attempt)
	case trace.SnapshotFailed:
		delete(l.parts, partKey{e.Epoch, e.Task})
	default:
		l.observeTask(e, l.part(e.Epoch, e.Task))
	}
}

func (l *CheckpointLog) observeTask(e *trace.Event, x *part) {
	switch e.Kind {
	case trace.BarrierReceived:
		if x.firstBarrier == 0 {
			x.firstBarrier = e.Time
		}
		x.lastBarrier = e.Time
	case trace.SnapshotBegun:
		x.begun = e.Time
	case trace.CapturedIn, trace.CapturedOut:
		x.inflight += int64(len(e.Data))
	case trace.SnapshotWriting:
		x.writing = e.Time
	case trace.SnapshotStored:
		x.stored, x.object = e.Time, int64(e.To)
		if l.rounds[e.Epoch] == nil {
			delete(l.parts, partKey{e.Epoch, e.Task})
			if !l.storedTooLate(e.Epoch) {
				l.storeLocal(e, x)
			}
		}
	case trace.Acked:
		x.acked = e.Time
	default: // not timed
	}
}

func (l *CheckpointLog) part(e id.Epoch, t id.TaskID) *part {
	k := partKey{e, t}
	x := l.parts[k]
	if x == nil {
		if l.parts == nil {
			l.parts = map[partKey]*part{}
		}
		x = &part{}
		l.parts[k] = x
	}
	return x
}

func (l *CheckpointLog) storeLocal(e *trace.Event, x *part) {
	l.local = append(l.local, LocalSnapshot{
		Task: e.Task, Epoch: e.Epoch, Begun: x.begun, Stored: x.stored, SyncNanos: x.SyncNanos,
		AsyncNanos: x.writing - x.begun, PutNanos: x.stored - x.writing,
		UploadedBytes: x.Uploaded, ObjectBytes: x.object, InflightBytes: x.inflight,
		StateBytes: x.StateBytes, ChangedBytes: x.ChangedBytes, ChangeKnown: x.ChangeKnown,
	})
}

// abort notes a round that was given up, and what of it was stored in vain.
func (l *CheckpointLog) abort(e *trace.Event) {
	r := l.rounds[e.Epoch]
	if r == nil {
		return
	}
	a := AbortedRound{Epoch: e.Epoch, Triggered: r.triggered, Aborted: e.Time}
	for k, x := range l.parts {
		if k.epoch == e.Epoch && x.stored != 0 {
			a.Stored++
		}
	}
	l.aborted = append(l.aborted, a)
	l.forget(e.Epoch)
}

// storedTooLate takes a snapshot that was stored, if its round has been given up.
func (l *CheckpointLog) storedTooLate(e id.Epoch) bool {
	i := slices.IndexFunc(l.aborted, func(a AbortedRound) bool { return a.Epoch == e })
	if i >= 0 {
		l.aborted[i].Stored++
	}
	return i >= 0
}

// complete sums a round up.
func (l *CheckpointLog) complete(e *trace.Event) {
	r := l.rounds[e.Epoch]
	if r == nil {
		return
	}
	c := Checkpoint{Epoch: e.Epoch, Triggered: r.triggered, Completed: e.Time, TotalNanos: e.Time - r.triggered}
	if l.state == nil {
		l.state = map[id.TaskID]int64{}
	}
	if r.allAcked != 0 {
		c.MetadataNanos = e.Time - r.allAcked
	}
	for k, x := range l.parts {
		if k.epoch == e.Epoch && x.begun != 0 {
			c.add(k.task, r, x)
			l.state[k.task] = x.StateBytes
		}
	}
	for _, n := range l.state { // a sum
		c.StateBytes += n
	}
	l.completed = append(l.completed, c)
	l.forget(e.Epoch)
}

func (c *Checkpoint) add(t id.TaskID, r *round, x *part) {
	heard := x.firstBarrier
	if heard == 0 {
		heard = x.begun
	}
	c.Tasks++
	c.TravelNanos = max(c.TravelNanos, heard-r.triggered)
	c.AlignmentNanos = max(c.AlignmentNanos, x.lastBarrier-x.firstBarrier)
	if x.SyncNanos > c.SyncNanos || x.SyncNanos == c.SyncNanos && t < c.LongestSync {
		c.SyncNanos, c.LongestSync = x.SyncNanos, t
	}
	c.AsyncNanos = max(c.AsyncNanos, x.writing-x.begun)
	c.PutNanos = max(c.PutNanos, x.stored-x.writing)
	if x.acked != 0 && x.stored != 0 {
		c.AckNanos = max(c.AckNanos, x.acked-x.stored)
	}
	c.UploadedBytes += x.Uploaded
	c.ObjectBytes += x.object
	c.InflightBytes += x.inflight
	c.ChangedBytes += x.ChangedBytes
	c.ChangeKnown = x.ChangeKnown && (c.ChangeKnown || c.Tasks == 1)
}

func (l *CheckpointLog) forget(e id.Epoch) {
	delete(l.rounds, e)
	for k := range l.parts {
		if k.epoch == e {
			delete(l.parts, k)
		}
	}
}

// forgetBefore drops what incarnations before attempt a have left behind.
func (l *CheckpointLog) forgetBefore(a id.Attempt) {
	for e := range l.rounds {
		if e.Attempt() < a {
			l.forget(e)
		}
	}
	for k := range l.parts {
		if k.epoch.Attempt() < a {
			delete(l.parts, k)
		}
	}
}
