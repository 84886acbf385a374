package trace

import "fmt"

// Op is an operation on checkpoint storage or on the external store behind the
// sinks: what StoreIssued, StoreApplied, StoreDone and ExtIssued, ExtApplied,
// ExtDone are about.
type Op uint8

// The operations. Storage and the external store both append. What each does to
// the external store, and when it may be repeated, stands here: sinks, the store
// and fault plans have it from one place.
const (
	NoOp Op = iota
	Put
	Create
	Get
	List
	Delete
	Append // to a log
	ReadLog
	Trim
	Fence
	// ExtAppend makes rows visible at once. A repeated (Task, Attempt, Number) is
	// ignored.
	ExtAppend
	// ExtWrite adds rows to the open transaction, whose epoch nobody knows yet;
	// they are not durable. A repeated Number is ignored.
	ExtWrite
	// PreCommit makes transaction Txn durable but invisible: the rows of the
	// writes numbered (From, Number], then its own. While a write, a stage or an
	// append up to Number has not arrived it is Failed, so that operations may
	// overtake each other; Absent says that one is lost. With Txn 0 it makes no
	// transaction: OK says that everything up to Number is durable.
	PreCommit
	// Commit makes a pre-committed transaction visible. Committing again is harmless.
	Commit
	// Recover fences attempts below Attempt of this task and aborts its
	// transactions that are not in Keep, in one atomic step. Those up to Txn are left
	// alone: of another shape of the job, they are settled in the name of their task there.
	Recover
	// Insert makes the rows of transaction Txn visible, unless they are.
	Insert
	// Stage makes rows durable and invisible, under (Task, Attempt, Number); again
	// is harmless.
	Stage
	// Publish makes staged rows visible as transaction Txn, unless it is: those that
	// its own rows name, in one step. Absent says that some are not there.
	Publish
	// Upsert makes rows visible at once, each as the value of a key unless the key
	// has one of that version or a higher one. An entry of its rows is the version,
	// the key's length (uvarints), key and row.
	Upsert
	Ops // number of operations
)

// opNames is the one table of operation names: state, dataflow and fault plans
// take theirs from here.
var opNames = [Ops]string{
	"", "put", "create", "get", "list", "delete", "append", "read log", "trim", "fence",
	"append", "write", "precommit", "commit", "recover", "insert", "stage", "publish", "upsert",
}

// String returns the name of the operation, for example "put".
func (o Op) String() string {
	if o > NoOp && o < Ops {
		return opNames[o]
	}
	return fmt.Sprintf("operation %d", uint8(o))
}

// Outcome is what came of an operation.
type Outcome uint8

// The outcomes. The first ones are those of storage, in the order of state.Status.
const (
	NoOutcome Outcome = iota // not known yet
	OK                       // done and durable
	Failed                   // unknown: it may or may not have taken effect
	Lost                     // another writer was first, or has fenced this one
	NotFound
	Refused // the storage cannot do this, for good
	Corrupt
	Fenced // the external store serves a newer attempt only
	Absent // the external store lacks what the operation builds on
	Outcomes
)

var outcomeNames = [Outcomes]string{"no result", "ok", "failed", "lost", "not found", "refused", "corrupt", "fenced", "absent"}

// String returns the outcome in words, for example "not found".
func (o Outcome) String() string {
	if o < Outcomes {
		return outcomeNames[o]
	}
	return fmt.Sprintf("status %d", uint8(o))
}

// Cause is why a task failed, or a snapshot; for FaultInjected, what it destroys: Damage or OutputLost;
// FencedOff for a storage operation of a coordinator that another one has replaced.
type Cause uint8

// The causes.
const (
	NoCause       Cause = iota
	Gap                 // a channel lost or repeated an item
	RestoredGap         // a restored item does not follow the one before it
	OutputLost          // the external store lacks rows or transactions that it has confirmed
	FencedOff           // a newer attempt, or another coordinator, has taken over
	Unreadable          // an object of the snapshot, or a log, is missing or damaged
	StateError          // the state backend cannot go on
	OperatorError       // an operator, a timer or a source returned an error
	Panic               // the code of the task panicked
	Abandoned           // the protocol gave the snapshot up
	Unstored            // storage refuses the snapshot for good
	Damage              // the fault destroys bytes that were stored
	Struck              // a fault ended the task, not anything that it did
	Causes
)

var causeNames = [Causes]string{
	"no cause", "gap", "restored gap", "output lost", "fenced off", "unreadable", "state error", "operator error", "panic", "abandoned", "unstored", "damage", "struck",
}

// String returns the cause in words.
func (c Cause) String() string {
	if c < Causes {
		return causeNames[c]
	}
	return fmt.Sprintf("cause %d", uint8(c))
}

// Way is how a control item travels, or where a restored buffer comes from.
type Way uint8

// The ways.
const (
	NoWay      Way = iota
	InBand         // BarrierSent, BarrierReceived: behind the data in front of it
	Overtaking     // ahead of it
	FromInput      // Injected: from captured input
	FromOutput     // from captured output
	FromLog        // from a message log
	Reinjected     // Delivered: the buffer came from a snapshot or a log
	ByClock        // TimerSet, TimerCancelled, TimerFired: of processing time
	Ways
)

var wayNames = [Ways]string{"", "in-band", "overtaking", "input", "output", "log", "injected", "clock"}

// String returns the way in the word that transcripts use.
func (w Way) String() string {
	if w < Ways {
		return wayNames[w]
	}
	return fmt.Sprintf("way %d", uint8(w))
}

// Words returns in words what the event's fields beside numbers say: "put
// snap/t4/1.3 ok", "overtaking", a reason. People read it, and the text= filter of
// a fault plan, which a person wrote, looks into it; nothing else may depend on it.
func (e *Event) Words() string {
	switch {
	case e.Op != NoOp:
		s := e.Op.String()
		if e.Key != "" {
			s += " " + e.Key
		}
		if e.Outcome != NoOutcome {
			s += " " + e.Outcome.String()
		}
		return s
	case e.Way != NoWay:
		return e.Way.String()
	case e.Key != "":
		return e.Key
	}
	return e.Text
}
