package dataflow

import (
	"weir/id"
	"weir/trace"
)

// Operator is user code as a step machine over whole encoded buffers. All calls
// come from the task, one at a time. Anything it knows about time, randomness,
// state and its neighbours it gets from its Context; it keeps nothing in its own
// fields that must survive a crash. A returned error fails the task.
type Operator interface {
	// Open is called once, before state is restored: declare tables and lists here.
	Open(c *Context) error
	// Process handles every record of b, which arrived on input port port. b is
	// borrowed: keep no part of it.
	Process(port int, b *Buffer) error
	// Finish is called when every input has ended and before the task reports
	// itself drained: emit what is left. The watermark is EndOfTime by then. Where the
	// job has gone on with another parallelism it may have been called for some of the
	// keys before: Context.Finished tells.
	Finish() error
}

// TimerHandler is an Operator that registers event-time timers.
type TimerHandler interface {
	// OnTimer is called once for each registered (at, key), in that order, when
	// the watermark has reached at. key is borrowed.
	OnTimer(at int64, key []byte) error
}

// ProcessingTimerHandler is an Operator that registers processing-time timers.
// When they fire depends on the clock, so what comes of them differs from run to
// run.
type ProcessingTimerHandler interface {
	// OnProcessingTimer is called once for each registered (at, key), those that
	// are due together in that order, when the clock has reached at. key is borrowed.
	OnProcessingTimer(at int64, key []byte) error
}

// Source is the role of an operator that reads splits of a replayable log. Which
// of the TaskInfo.Splits of its vertex, and from where on, says the plan; how far
// each is handed out, and the watermark, is the task's affair. Process and Finish
// are never called with records.
type Source interface {
	Operator
	// Seek makes a split ready to be read from offset o on. It is called once for
	// each split of the task, before anything is emitted.
	Seek(split int, o id.Offset) error
	// Emit emits at most most records of a split from where it stands, in order.
	// It may emit fewer at the end of the split only.
	Emit(split, most int) (Batch, error)
}

// Batch is what a source has emitted of a split at once.
type Batch struct {
	Records int
	// Watermark is the event time that no later record of the split is older than;
	// NoWatermark: the source knows none.
	Watermark int64
	Done      bool // the split is at its end
}

// Sink is the role of an operator that writes to an external store. Rows are
// handed to the store by operations; the task issues and repeats them.
//
// What an instance has sealed stands outside under the name of its task. Where the job
// goes on with another parallelism, that is settled before anything else by an operator
// made for it alone, in the name of that task: it is opened, gets the lists of the old
// instance, and is asked to Recover and to Commit. Lists that hold what is sealed have
// mode state.Sealed, so that nobody else gets them.
type Sink interface {
	Operator
	// Flush returns the operations due at the end of a turn.
	Flush() []ExtOp
	// Seal closes the open transaction as that of snapshot e and returns the
	// operation that must succeed before e may count as stored; ok false: none.
	// It comes before operator lists are saved.
	Seal(e id.Epoch) (op ExtOp, ok bool)
	// Commit returns the operations that make everything up to e visible.
	Commit(e id.Epoch) []ExtOp
	// Committed says that the commit of transaction e is acknowledged.
	Committed(e id.Epoch)
	// Pending appends the transactions that are sealed and not known committed:
	// they are part of the snapshot.
	Pending(dst []id.Epoch) []id.Epoch
	// Recover is called once before any record, with the restored pending
	// transactions and lists; it returns the operation that fences older attempts
	// and aborts everything else that is open. An error: what was restored is not
	// what the sink had saved.
	Recover(a id.Attempt, pending []id.Epoch) (ExtOp, error)
}

// ExtKind is an operation on an external store. What each does stands in trace,
// where all have their names.
type ExtKind = trace.Op

// The operations of the first sinks, under the names that operators use.
const (
	ExtAppend    = trace.ExtAppend
	ExtWrite     = trace.ExtWrite
	ExtPreCommit = trace.PreCommit
	ExtCommit    = trace.Commit
	ExtRecover   = trace.Recover
)

// ExtOp is one operation on the external store, as a value.
type ExtOp struct {
	Kind    ExtKind
	Task    id.TaskID
	Attempt id.Attempt
	Txn     id.Epoch
	Number  uint64     // ExtAppend, ExtWrite: counts both from 1 per incarnation; ExtPreCommit: the last one
	From    uint64     // ExtPreCommit: the last write that belongs to an earlier transaction
	Keep    []id.Epoch // ExtRecover; and, if Txn is not 0, everything up to that is left alone
	Rows    []byte     // rows in the framing of AppendRecord; immutable
	Count   int        // rows in Rows
}

// ExtStatus is the outcome of an external operation.
type ExtStatus uint8

const (
	ExtOK     ExtStatus = iota + 1
	ExtFailed           // outcome unknown; repeat
	ExtFenced           // a newer attempt owns this task's transactions
	ExtAbsent           // the store does not have what the operation builds on: output is lost
)

// Outcome returns the outcome as the trace has it; none for 0.
func (s ExtStatus) Outcome() trace.Outcome {
	switch s {
	case ExtOK:
		return trace.OK
	case ExtFailed:
		return trace.Failed
	case ExtFenced:
		return trace.Fenced
	case ExtAbsent:
		return trace.Absent
	}
	return trace.NoOutcome
}

// External is an external store: it carries operations out, and OK means durable.
type External interface {
	Do(op ExtOp) ExtStatus
}
