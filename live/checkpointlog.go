package live

import (
	"slices"
	"sync"

	"weir/id"
	"weir/trace"
	"weir/trace/cost"
)

// Checkpoint is one completed checkpoint of a coordinated algorithm. Times are
// nanoseconds since Config.Epoch.
type Checkpoint struct {
	Epoch                id.Epoch
	Triggered, Completed int64
	// Cost is folded from that of the tasks, so that its parts need not add up to
	// the total; the state includes that of tasks that have left.
	Cost        cost.Vector[int64]
	Tasks       int
	LongestSync id.TaskID // the task whose synchronous part was the longest
}

// LocalSnapshot is one durable snapshot of one task that no coordinator
// triggered. Times are as in Checkpoint.
type LocalSnapshot struct {
	Task          id.TaskID
	Epoch         id.Epoch
	Begun, Stored int64
	Cost          cost.Vector[int64]
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
	cost                          cost.Vector[int64] // as far as it was measured, and captured
	firstBarrier, lastBarrier     int64
	begun, writing, stored, acked int64
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
		trace.SnapshotWriting, trace.SnapshotStored, trace.SnapshotFailed, trace.Acked, trace.AllAcked, trace.Completed, trace.Aborted, trace.LineAdvanced, trace.PlanExecuted, trace.Rescaled)
}

// ObserveCost implements CostObserver.
func (l *CheckpointLog) ObserveCost(t id.TaskID, e id.Epoch, c *cost.Vector[int64]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part(e, t).cost.Merge(c)
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
	case trace.Rescaled:
		clear(l.state) // it is of tasks that are no more
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
		x.cost.Add(cost.Inflight, int64(len(e.Data)))
	case trace.SnapshotWriting:
		x.writing = e.Time
	case trace.SnapshotStored:
		x.stored = e.Time
		x.cost.Add(cost.Uploaded, int64(e.To)) // the object, beside what its transfers wrote
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
	c := x.taskCost()
	c.Set(cost.Total, x.stored-x.begun)
	l.local = append(l.local, LocalSnapshot{Task: e.Task, Epoch: e.Epoch, Begun: x.begun, Stored: x.stored, Cost: c})
}

// taskCost is the cost of a task's share that does not depend on how it began.
func (x *part) taskCost() cost.Vector[int64] {
	c := x.cost
	for _, p := range []cost.Part{cost.Sync, cost.Inflight, cost.Uploaded, cost.State} {
		c.Add(p, 0) // none is known to be none
	}
	c.Set(cost.Async, x.writing-x.begun).Set(cost.Put, x.stored-x.writing)
	return c
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
	if l.state == nil {
		l.state = map[id.TaskID]int64{}
	}
	c := Checkpoint{Epoch: e.Epoch, Triggered: r.triggered, Completed: e.Time}
	var tasks []cost.Vector[int64]
	longest := int64(-1)
	for k, x := range l.parts { // a fold: order is not seen
		if k.epoch != e.Epoch || x.begun == 0 {
			continue
		}
		t := x.roundCost(r)
		tasks = append(tasks, t)
		l.state[k.task] = t.Get(cost.State)
		if sync := t.Get(cost.Sync); sync > longest || sync == longest && k.task < c.LongestSync {
			longest, c.LongestSync = sync, k.task
		}
	}
	state, metadata := int64(0), int64(0)
	for _, n := range l.state { // a sum
		state += n
	}
	if r.allAcked != 0 {
		metadata = e.Time - r.allAcked
	}
	c.Tasks, c.Cost = len(tasks), cost.Fold(tasks)
	c.Cost.Set(cost.Total, e.Time-r.triggered).Set(cost.Metadata, metadata).Set(cost.State, state)
	l.completed = append(l.completed, c)
	l.forget(e.Epoch)
}

// roundCost is the cost of a task's share in a round.
func (x *part) roundCost(r *round) cost.Vector[int64] {
	c := x.taskCost()
	heard := x.firstBarrier
	if heard == 0 {
		heard = x.begun
	}
	c.Set(cost.Travel, heard-r.triggered).Set(cost.Alignment, x.lastBarrier-x.firstBarrier).Set(cost.Ack, 0)
	if x.acked != 0 && x.stored != 0 {
		c.Set(cost.Ack, x.acked-x.stored)
	}
	return c
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
