package trace

import "fmt"

// The kinds. "Range" is (From, To] in positions of Channel unless said otherwise.
const (
	// Data path, per buffer.
	Emitted   Kind = iota // source turn: offsets (From, To] of Split handed out by Task
	Sealed                // output buffer sealed: Range, Data, Sum, At = the watermark behind its records
	Delivered             // buffer about to be processed: Range, Data, At; Way Reinjected when it comes from a snapshot or a log
	Dropped               // duplicate dropped on arrival: Range

	// Event time, at the boundary between a task and its operator.
	WatermarkSaid  // a source says that no later record of Split is older than At; EndOfTime: it has none left
	WatermarkSeen  // an operator sees At as its watermark for the first time
	TimerSet       // an operator asks to be told at At: Data = key. At most one is kept for (At, key); Way ByClock: At is processing time
	TimerCancelled // and no longer: likewise
	TimerFired     // it is told now: likewise
	TimerAwaited   // the task asks its driver to be woken at At, for its first timer of processing time
	RecordLate     // an operator gives a record up as too late: At = its watermark, Data = the record

	// Protocol transitions of a task.
	BarrierSent      // Channel, Epoch; Way InBand or Overtaking
	BarrierReceived  // Channel, Epoch; Way likewise
	ChannelBlocked   // alignment: Channel
	ChannelUnblocked // Channel
	SnapshotBegun    // the instant of Epoch: From = records a source has handed out, Sum = logical state when hashing is on, To = the part of it that does not add up over instances
	PositionIn       // right after SnapshotBegun, per input: Channel, To = delivered
	PositionOut      // per output: Channel, To = sealed
	PositionSplit    // per split of a source: Split, To = offset
	CapturedIn       // input buffer made part of Epoch: Range, Data
	CapturedOut      // output buffer made part of Epoch: Range, Data
	SnapshotWriting  // the object of Epoch is handed to storage: Key
	SnapshotStored   // durable and pre-committed: Key, To = bytes
	SnapshotFailed   // Cause; Text = reason
	TaskStarting     // a new incarnation began to restore: Key of the snapshot restored ("" none)
	TaskRestored     // its state is rebuilt: Epoch, From, Sum and To as for SnapshotBegun
	SplitTaken       // right after TaskRestored, per split of a source: Split, To = offset that it goes on from
	Injected         // restored buffer put back: Channel, Range; Way FromInput, FromOutput or FromLog
	TaskReady        // its part of a plan is carried out
	TaskDrained      // last record processed
	TaskLeft         // finished and gone
	CommitAsked      // Kernel.Commit(Epoch)

	// Coordinator.
	Triggered    // round Epoch began
	Acked        // Task's part of Epoch is known durable
	AllAcked     // every part is
	Completed    // the record of Epoch is durable: the checkpoint is true
	Aborted      // Epoch given up: Text = reason
	Subsumed     // Epoch is no longer retained
	LineAdvanced // uncoordinated: Task's snapshot Epoch can never be rolled back
	PlanDurable  // plan Attempt is durable
	PlanExecuted // and handed to the driver; Text lists modes
	Forced       // communication-induced snapshot; Useless: given up by a recovery line
	JobDone

	// Checkpoints that fail, and jobs that end, by themselves. Aborted or a plan follows.
	TimedOut   // round Epoch takes longer than Checkpoint.Timeout
	Declined   // Task cannot store its share of Epoch: Text = reason; Coordinator: a savepoint that is asked for is not taken, or does not end the job
	FailedOver // more rounds than tolerated failed in a row, the last one Epoch: everything restarts
	FellBack   // Epoch is damaged and passed over by a recovery; Task's, where snapshots are local
	Stopped    // the job was told to end before its input did: Epoch = checkpoint, or savepoint, from which it can go on

	// Storage and the outside world.
	StoreIssued  // Op, Key; To = bytes, From = last position that an Append or Trim is about; Cause FencedOff: see Cause
	StoreApplied // took effect at the storage; likewise
	StoreDone    // outcome reached its caller: Op, Key, Outcome
	ExtIssued    // Op; Epoch = transaction, From = number, To = rows; likewise ExtApplied and, with Outcome, ExtDone
	ExtApplied
	ExtDone
	OutputCommitted // rows became visible to a read-committed reader: Task, Epoch = transaction, To = number of rows, Data = framed rows

	// Faults.
	WorkerCrashed      // Worker; Text = its name
	WorkerRestarted    // likewise
	CoordinatorCrashed //
	CoordinatorStarted // Text = in which of several processes, and after which; To = how many others hold their lease still, by their own clocks
	FaultInjected      // To = nanoseconds by which it may hold the run up (NoBound: any time); Cause Damage if it destroys bytes in checkpoint storage, OutputLost if in the external store; Text says which. With a Key: what stands there is destroyed now
	TaskFailed         // the task gave up by itself: Cause; Text = reason

	// Operations.
	Saved    // savepoint Epoch is complete: its manifest is durable, and its maker still leads
	Rescaled // the job goes on with another graph: To = its number of tasks; Text says how
	Queried  // somebody outside has an answer about key Data: of Task, live, or of checkpoint Epoch, committed (with a Task: of its snapshot); Sum = hash of the entries, To = that of those there were by the driver's own view

	Kinds // number of kinds
)

var kindNames = [Kinds]string{
	"emitted", "sealed", "delivered", "dropped",
	"watermark-said", "watermark-seen", "timer-set", "timer-cancelled", "timer-fired", "timer-awaited", "record-late",
	"barrier-sent", "barrier-received", "channel-blocked", "channel-unblocked",
	"snapshot-begun", "position-in", "position-out", "position-split", "captured-in", "captured-out",
	"snapshot-writing", "snapshot-stored", "snapshot-failed",
	"task-starting", "task-restored", "split-taken", "injected", "task-ready", "task-drained", "task-left", "commit-asked",
	"triggered", "acked", "all-acked", "completed", "aborted", "subsumed", "line-advanced",
	"plan-durable", "plan-executed", "forced", "job-done",
	"timed-out", "declined", "failed-over", "fell-back", "stopped",
	"store-issued", "store-applied", "store-done", "ext-issued", "ext-applied", "ext-done", "output-committed",
	"worker-crashed", "worker-restarted", "coordinator-crashed", "coordinator-started", "fault-injected", "task-failed",
	"savepoint-complete", "rescaled", "queried",
}

// String returns the name used in fault plans and text traces.
func (k Kind) String() string {
	if k < Kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of String; the error lists the known names.
func ParseKind(s string) (Kind, error) {
	for k, n := range kindNames {
		if n == s {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("unknown event %q; known: %v", s, kindNames[:])
}
