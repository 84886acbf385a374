package check

import (
	"iter"

	"weir/id"
	"weir/state"
)

// Guarantee is what is promised of effects.
type Guarantee uint8

// The guarantees, in the order of dataflow's.
const (
	AtMostOnce Guarantee = iota + 1
	AtLeastOnce
	ExactlyOnce
)

// Expect is what a run is measured against. It is read only and may be shared
// by checkers.
type Expect struct {
	// State and Output are what the algorithm promises of effects on state and of
	// committed output. In a run without failures all guarantees are one: exactly once.
	State, Output Guarantee
	// Coordinated: snapshots are job-wide rounds; all shares have the same epoch,
	// and Completed makes the checkpoint true.
	Coordinated bool
	// Captures are the in-flight buffers that snapshots may have.
	Captures Captures
	// Rollback is which tasks a recovery restarts; 0: not looked at.
	Rollback Scope
	// AtOnce: output becomes visible when it is written; there are no transactions.
	AtOnce bool
	// Values: rows are values of keys, and a reader sees the newest of each. AtOnce
	// and Key are set.
	Values bool
	// Resends: the sender of a channel keeps what it has sent, and sends what its
	// receiver misses again. Replays: a restarted task makes its choices again, so
	// that its receivers may be ahead of it.
	Resends, Replays bool
	// Logs: the storage's logs are the message logs of channels; what is left in one
	// when the job has ended is garbage.
	Logs bool
	// MayFail: the job may end with an error (a damaged checkpoint, a full disk).
	MayFail bool

	Tasks    []Task    // by TaskID
	Splits   []Split   // by SplitID
	Channels []Channel // by ChannelID

	// Records is the number of source records; RecordID returns the number of a
	// record, below Records, from its bytes on a channel that leaves a source.
	Records  int
	RecordID func(rec []byte) uint64
	// TooLate says whether the operators behind the sources are to give up a record
	// that comes at a watermark. nil: nobody knows.
	TooLate func(rec []byte, watermark int64) bool
	// Group returns the key group, below Groups, that such a record belongs to: behind a
	// change of the graph it may be too late although its watermark is not that far. Both go
	// with TooLate. nil: nobody knows, and behind such a change lateness is not judged.
	Group  func(rec []byte) uint16
	Groups int
	// Copies says how often a record is delivered behind the sources when nothing
	// fails. nil: once.
	Copies func(record uint64) int

	// Reference is the right answer in canonical form, in any order; Canonical
	// turns committed rows into that form. The rows it gets are borrowed.
	Reference [][]byte
	// NoReference: nobody knows the answer. Output is then judged by itself: rows
	// must be readable, and none may come again or be replaced by an older one.
	NoReference bool
	Canonical   func(rows [][]byte) ([][]byte, error)
	// PerRecord: each row depends on one source record only, so that repeated
	// records repeat rows and lost ones lack theirs, and other rows stay as they are.
	PerRecord bool

	// Alone appends the canonical form of one row, where rows stand in the answer
	// one by one; nil: several make one row of it.
	Alone func(dst, row []byte) []byte
	// Key returns what a row is a value of, and which: of two the one of the higher
	// version is newer. nil: rows do not tell. The key is borrowed.
	Key func(row []byte) (key []byte, version uint64)

	// Origin is the savepoint that the job begins from; nil: it begins empty.
	Origin *Origin

	// Open appends the transactions of a task that the external store holds, neither
	// visible nor aborted; nil: not looked at.
	Open func(t id.TaskID, dst []id.Epoch) []id.Epoch

	// Storage is checkpoint storage; nil: not looked at.
	Storage Storage
	Layout  Layout

	// NoneUseless: every stored snapshot belongs to some consistent global one.
	NoneUseless bool
	// Pace is how fast things must go; see Checker.SetPace.
	Pace Pace
}

// Captures says on which end of a channel in-flight buffers are captured.
type Captures struct{ Inputs, Outputs bool }

// Task is what the checker must know of one task.
type Task struct {
	Name   string
	Sink   bool
	Source bool // it reads splits
	// Operator names what it is an instance of. It outlives a change of the graph,
	// which numbers of tasks do not; see Checker.Reshape.
	Operator string
}

// Split is what the checker must know of one split: it holds the records with
// id mod Modulus = Residue, in order.
type Split struct{ Residue, Modulus int }

// Channel is a channel's two ends.
type Channel struct {
	From, To id.TaskID
	Reorders bool // items may arrive in any order
	Back     bool // a back-edge: what comes round holds no watermark back
}

// Storage is what the checker reads of checkpoint storage; reading must have no
// effect. Get verifies checksums.
type Storage interface {
	Do(op state.Op) state.Result
	// Objects ranges over all objects by key.
	Objects() iter.Seq2[string, []byte]
}

// LogStorage is a Storage that tells of its logs; see Expect.Logs.
type LogStorage interface {
	// LogLengths ranges over all logs by key with the number of their entries.
	LogLengths() iter.Seq2[string, int]
	// LogStart returns the last position of the first entry of a log; false: it has none.
	LogStart(key string) (last uint64, ok bool)
}

// Layout says how to find the way about checkpoint storage.
type Layout struct {
	// RecordKey returns where the record of a job-wide checkpoint stands. nil:
	// there are none.
	RecordKey func(e id.Epoch) string
	// Left returns by task whose shares of a checkpoint a record says to be carried
	// over, as their tasks had left. nil: not looked at.
	Left func(record []byte) ([]bool, error)
	// References returns the keys of all objects that the object needs; nothing
	// for an object that needs none.
	References func(key string, data []byte) ([]string, error)
	// Roots returns those of keys, which it must not change, that are kept for their own sake at the end
	// of a job (records, plans); everything that they do not refer to must be
	// gone. nil: not checked.
	Roots func(keys []string) []string
	// EpochOf returns the epoch that the name of an object has; nil, or false: unknown.
	// What belongs to an attempt and no round, such as a plan, has index 0.
	EpochOf func(key string) (id.Epoch, bool)
	// OwnerOf returns whose snapshot an object belongs to; nil, or false: to none in
	// particular. Without it a recovery line cannot be computed, and is believed.
	OwnerOf func(key string) (Owner, bool)
	// SnapshotKey returns where a snapshot stands. It goes with OwnerOf.
	SnapshotKey func(t id.TaskID, e id.Epoch) string
	// Over tells an object that says that the job is over, and needs nothing any more; nil: there is none.
	Over func(key string, data []byte) bool
	// SavepointRoot returns below which name savepoint e stands: ROOT/manifest and what that
	// names, as docs/snapshot-format.md says. nil: not looked at.
	SavepointRoot func(e id.Epoch) string
	// Apart tells objects that are neither garbage nor needed: those of savepoints, complete or
	// not; nil: there are none.
	Apart func(key string) bool
	// Segment tells objects that a task writes between snapshots: each snapshot that it begins when one is
	// there refers to it, until a complete one has. nil: there are none.
	Segment func(key string) bool
	// LogKey returns where the message log of a channel stands. nil: there are none.
	LogKey func(ch id.ChannelID) string
}

// Owner is whose an object in checkpoint storage is.
type Owner struct {
	Task  id.TaskID
	Epoch id.Epoch
	Whole bool // the snapshot itself: without it what else belongs to it is worth nothing
}

// size returns how many records a split holds.
func (x *Expect) size(s id.SplitID) uint64 {
	p := x.Splits[s]
	if p.Modulus == 0 || p.Residue >= x.Records {
		return 0
	}
	return uint64((x.Records - p.Residue + p.Modulus - 1) / p.Modulus)
}

// copies returns how often record r is delivered behind the sources.
func (x *Expect) copies(r int) int32 {
	if x.Copies == nil {
		return 1
	}
	return int32(x.Copies(uint64(r)))
}
