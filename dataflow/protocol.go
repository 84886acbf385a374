package dataflow

import (
	"weir/id"
	"weir/state"
)

// Ref is the storage key of a task's snapshot object; "" is the initial state.
type Ref string

// Nanos is a duration in nanoseconds of the driver's clock.
type Nanos int64

// Place says where Broadcast puts a control item.
type Place uint8

const (
	InBand   Place = iota // behind what is queued; numbered
	Overtake              // ahead of it; unnumbered
	// Marker is behind what is queued and unnumbered: what a receiver records up
	// to it, and what it gets after it, then follow each other without a gap.
	Marker
)

// Choice is a kind of non-determinism: what a task would not do again by itself
// when it gets the same input again.
type Choice uint8

const (
	PickInput  Choice = iota + 1 // index of the input served in a turn
	EmitCount                    // most records that a source was asked for in a turn
	RandomDraw                   // a random number given to the operator
	ClockRead                    // processing time given to the operator, nanoseconds
	TimerFire                    // how late the algorithm sets a timer of its own (Kernel.Draw); no Decider is asked
	PickSplit                    // number of the split that a source reads in a turn, where several have records left
)

// Protocol is the per-task half of an algorithm. The kernel (Task) calls it
// inside Step, never re-entered, never before Start. It is a step machine: it
// acts only through its Kernel.
type Protocol interface {
	// Start: everything is restored and injected; nothing was delivered or sent yet.
	Start(k Kernel, s Start)
	// Control: an in-band item at its turn, an overtaking one on arrival.
	Control(in int, b *Buffer)
	// InputEnded: EndData (stream false) or EndStream (stream true) at its turn.
	InputEnded(in int, stream bool)
	// Drained: the last record is processed, Finish has run, EndData is queued everywhere.
	Drained()
	// AtLimit: the source reached Kernel.Limit, at a turn's end.
	AtLimit()
	// Message from the coordinator; may be lost or late, never for another attempt.
	Message(data []byte)
	// Reply from the receiver of an output, against the stream; lost with the connection.
	Reply(out int, data []byte)
	// Timer of Kernel.After.
	Timer(t id.Ticket)
	// Stored: draft e is durable and its sink transaction pre-committed.
	Stored(e id.Epoch, s Stored)
	// StoreFailed: draft e can never be stored; it is gone.
	StoreFailed(e id.Epoch, err error)
	// Done: outcome of Kernel.Store.
	Done(t id.Ticket, r state.Result)
	// Connected: a new, empty connection; the receiver has everything up to seen.
	Connected(out int, seen id.Seq)
	// Thawed: plan a, which keeps this task, is carried out. Its attempt stays what it was.
	Thawed(a id.Attempt)
	// Left: the task is gone; only Tell is of use.
	Left()
}

// The optional per-buffer hooks. The kernel looks for them once; an algorithm
// without one pays a nil test.
type (
	// Announcer is told of an in-band control item as it is queued on an input,
	// before it is its turn.
	Announcer interface{ Announce(in int, b *Buffer) }
	// Deliverer is called before a numbered data item is delivered; it may snapshot first.
	Deliverer interface{ Deliver(in int, b *Buffer) }
	// Afterer is called last in a turn that delivered data or its end, emitted some,
	// or fired timers: everything that comes of it is done, EndData and Drained
	// included, unless Kernel.Firing says that timers are left; in = -1: a turn of
	// a source, or of timers alone. Without Config.BatchTimeout it is sealed too; with one,
	// records may lie in open buffers, which Kernel.Flush seals.
	Afterer interface{ After(in int) }
	// Stamper gives the piggyback of a buffer as it is sealed, controls too; of what is sent again
	// from another shape before Start.
	Stamper interface{ Stamp(out int) []byte }
	// Sealer sees each numbered, stamped buffer before it can be sent, and may keep it. What is
	// restored to be sent, or sent again from another shape, it sees before Start.
	Sealer interface{ Sealed(out int, b *Buffer) }
	// Holder: numbered items wait for Kernel.Release.
	Holder interface{ HoldsOutput() bool }
	// Deduper: the kernel drops what it has already on arrival, trimming a partly known buffer.
	Deduper interface{ Dedups() bool }
	// Decider records every choice of a task and can have it made again: the
	// same snapshot, the same inputs and the same choices give the same outputs at
	// the same positions. With one, a turn's output is sealed at its end whatever
	// Config.BatchTimeout is (a flush timer would be one more choice), and channels
	// must be FIFO (an order of arrival would be another).
	Decider interface {
		// Recall returns the answer to the next choice, which is of kind c, if it is
		// recorded; it may be asked again before Record. A recorded input with
		// nothing to serve makes the task wait for the next arrival.
		Recall(c Choice) (v uint64, ok bool)
		// Record is told each choice as it is made, freely or as recalled.
		Record(c Choice, v uint64)
	}
)

// Start is what a new incarnation begins with.
type Start struct {
	Plan  TaskPlan
	Epoch id.Epoch // restored snapshot, 0 = none
	Saved []byte   // Draft.Save of that snapshot
}

// Stored describes a durable snapshot of one task: what an acknowledgement carries.
type Stored struct {
	Ref     Ref
	Size    int64 // of the snapshot object, bytes
	State   int64 // logical bytes of keyed state
	Changed int64 // logical bytes changed since the base
	InBytes int64 // captured input, bytes
	OutByte int64 // captured output, bytes
	Files   []state.FileRef
	Header  Header
}

// Kernel is the bookkeeping and the effects that a protocol may use. All calls
// are synchronous and valid only during a callback.
type Kernel interface {
	Info() *TaskInfo
	Attempt() id.Attempt
	Config() *Config
	// IsDrained reports that the task has processed its last record.
	IsDrained() bool
	// Firing reports that due timers are left: what was delivered has not had all
	// its effects yet. After is called when more of them have come. Timers that
	// HoldClock keeps do not count.
	Firing() bool
	// Ended reports that input in has delivered EndData, or EndStream when stream.
	Ended(in int, stream bool) bool
	// Block and Unblock stop and resume delivery from an input.
	Block(in int)
	Unblock(in int)
	// Pause stops turns; arrivals, messages, timers and completions still come in.
	Pause(on bool)
	// HoldClock keeps processing-time timers from firing until it is off again: then
	// a task does only what its inputs, and timers of event time, make it do. A new
	// incarnation is not held.
	HoldClock(on bool)
	// Limit lets a source hand out records up to the o-th, counted over all its
	// splits, and no further; true: it has already and AtLimit will not be called.
	Limit(o id.Offset) bool
	// Broadcast seals what is open and puts a control item on every output.
	Broadcast(op uint8, e id.Epoch, p Place, data []byte)
	// Reply sends data to the sender of an input.
	Reply(in int, data []byte)
	// Flush seals what is open.
	Flush()
	// Demote queues an overtaking item behind what has arrived on its input; it
	// comes back through Control at its turn, in-band and unnumbered.
	Demote(in int, b *Buffer)
	// LiftInput takes the barrier of snapshot e, which has begun, out of the queue of
	// an input; what was ahead of it there becomes part of the snapshot. false: it is
	// not queued there.
	LiftInput(in int, e id.Epoch) bool
	// LiftOutput has the barrier of snapshot e, a Marker that Draft.Hold waits for,
	// overtake what is ahead of it in the queue of an output, which becomes part of the
	// snapshot. false: it has been sent, or may not overtake there.
	LiftOutput(out int, e id.Epoch) bool
	// Mark returns where an input stands now, for Draft.Rewind.
	Mark(in int) Mark
	// Begin fixes the instant of snapshot e, incremental against base (0 = full).
	Begin(e, base id.Epoch) *Draft
	// Abandon drops draft e if it is not stored yet.
	Abandon(e id.Epoch)
	// ReleaseBase: no snapshot before base will be named as a base again.
	ReleaseBase(base id.Epoch)
	// Commit: snapshot e can never be rolled back. Idempotent.
	Commit(e id.Epoch)
	// Finish leaves once all commits are through and all drafts are stored or given up.
	Finish()
	// Release lets numbered items up to upTo go (Holder).
	Release(out int, upTo id.Seq)
	// Resend replaces the queue of an output; only in Connected.
	Resend(out int, bs []*Buffer)
	// Delivered is how many positions of an input were delivered: on a FIFO
	// channel the last one.
	Delivered(in int) id.Seq
	// SealedUpTo is the last position sealed on an output.
	SealedUpTo(out int) id.Seq
	// Tell sends a message to the coordinator, tagged with the attempt.
	Tell(data []byte)
	// After asks for Timer after d.
	After(d Nanos) id.Ticket
	// Store asks for a storage operation. The kernel repeats it while the outcome is unknown.
	Store(op state.Op) id.Ticket
	// Draw is an arbitrary choice by the driver, below n.
	Draw(c Choice, n int) int
	// Observe reports a protocol event to the trace, filled in with task and attempt.
	Observe(k TraceKind, e id.Epoch, text string)
}

// Coordinator is the other half: one step machine per job, rebuilt from storage
// after its own crash.
type Coordinator interface {
	// Start: first start and every restart alike; what happened before stands in storage only.
	Start(h CoordHost, j *JobInfo)
	// Message from a task of the current attempt.
	Message(from id.TaskID, data []byte)
	Timer(t id.Ticket)
	Done(t id.Ticket, r state.Result)
	// Failed: these tasks are dead; survivors are already cut off from them.
	// cause is what Host.Fail said, nil for a crash.
	Failed(tasks []id.TaskID, cause error)
	// Ready: the task has carried out its part of plan a.
	Ready(task id.TaskID, a id.Attempt)
	// Left: the task has finished and gone.
	Left(task id.TaskID)
}

// CoordHost is what a coordinator may do.
type CoordHost interface {
	Tell(to id.TaskID, data []byte)
	After(d Nanos) id.Ticket
	Store(op state.Op) id.Ticket
	// Execute: p is durable under p.Number. The driver ignores a plan whose number is not above the last one's.
	// Of tasks that it keeps and that run no more Failed tells before Execute returns.
	Execute(p *Plan)
	// JobDone ends the job well; JobFailed ends it with an error the user must see.
	JobDone()
	JobFailed(err error)
	// Deposed: another coordinator has taken the lead in storage, and this one does
	// nothing any more. A driver that takes this one for the one that leads starts another.
	Deposed()
	Draw(n int) int
	Observe(k TraceKind, t id.TaskID, a id.Attempt, e id.Epoch, text string)
}

// JobInfo is what a coordinator knows of the job.
type JobInfo struct {
	Name   string
	Tasks  []TaskInfo
	Config *Config
	From   *Origin // nil: it begins empty
	// Adopt: tasks may run that another coordinator process has started. They can go on under a
	// plan of this one that keeps them.
	Adopt bool
	// Nonce differs between all coordinator incarnations that ever touch the
	// same storage: it tells a writer its own bytes from another's.
	Nonce uint64
}

// Mode says what a plan does with a task.
type Mode uint8

// The modes of a plan.
const (
	Restart Mode = iota // a new incarnation from a snapshot, or from nothing
	Keep                // the incarnation goes on
)

// Plan is a recovery: durable and numbered. A job start is a recovery from nothing.
type Plan struct {
	Number id.Attempt // taken by conditional create; the attempt of everything it starts
	Tasks  []TaskPlan // by TaskID
}

// TaskPlan is one task's part of a plan.
type TaskPlan struct {
	Mode Mode
	Ref  Ref // Restart: the snapshot to restore; its captured buffers are replayed by the kernel
	// Former are the snapshots of another shape of the job that the task is made of
	// instead of one of its own (Ref is "" then): of the instances of its operator, in
	// their order, and of receivers behind its outputs. Stable is the checkpoint that
	// they are of.
	Former []Former
	// Saved is what the task begins with if neither Ref nor Former say anything else; nil:
	// nothing. It stays the same through all plans of a job that go back so far.
	Saved *Saved
	// Vanished are names of tasks under which sinks of other shapes may have left something
	// outside that no snapshot tells of. A sink aborts what goes beyond Stable there.
	Vanished []id.TaskID
	// Splits are those that a source reads, by their index in its vertex. Their
	// offsets are those of the snapshot, which has the same ones; without one they
	// begin at 0.
	Splits []int
	// Resume: splits without a snapshot go on from where the source log last handed out.
	Resume bool
	// Left: the task had left before this line: restore, send EndStream, stay gone. With Keep:
	// one that has left says so once more, to a coordinator that may not have heard it.
	Left   bool
	Inject []LogRange // before anything else; also with Keep
	Stable id.Epoch   // commit restored transactions up to here
	Data   []byte     // for the protocol
}

// Former is a snapshot of one task of another shape. Its numbers mean something in
// that shape only.
type Former struct {
	Ref                Ref
	Task               id.TaskID
	Name               string // of the vertex
	Index, Parallelism int
	// Receiver: it is of a receiver behind an output, and the task sends again what that
	// had captured of it; otherwise it is of an instance of the task's own vertex.
	Receiver bool
	// Left: it had left before this line, and has nothing under way.
	Left bool
}

// LogRange is a part of a durable channel log: positions (From, To].
type LogRange struct {
	In       int // input of the task
	Log      string
	From, To id.Seq
}
