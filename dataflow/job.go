package dataflow

import (
	"weir/state"
	"weir/trace"
)

// TraceKind is trace.Kind, named here so that protocols need not import the trace.
type TraceKind = trace.Kind

// Guarantee is what is promised of effects.
type Guarantee uint8

// The guarantees, weakest first.
const (
	AtMostOnce  Guarantee = iota + 1 // effects may be lost
	AtLeastOnce                      // effects may count again after a recovery
	ExactlyOnce
)

// Scope is what a failure rolls back.
type Scope uint8

// The scopes, widest first.
const (
	ScopeAll    Scope = iota + 1 // every task
	ScopeRegion                  // those that edges connect with a failed one, or every task: see RestartConfig.Failover
	ScopeLine                    // the tasks behind a recovery line
	ScopeTask                    // the failed tasks only
)

// Snapshots says how an algorithm's snapshots come about.
type Snapshots uint8

const (
	NoSnapshots    Snapshots = iota
	LocalSnapshots           // each task decides for itself; there is no record of a whole
	Rounds                   // the coordinator begins job-wide ones; a durable record makes each of them true
)

// Order says what an algorithm needs of channels.
type Order uint8

const (
	FIFO     Order = iota // what was sent first arrives first
	AnyOrder              // items may overtake each other
)

// Topology says for which graphs an algorithm is.
type Topology uint8

const (
	Acyclic     Topology = iota // graphs without back-edges
	AnyTopology                 // also graphs with marked back-edges
)

// NonDeterminism says what an algorithm makes of operators that do not give the
// same effects when they process the same input again.
type NonDeterminism uint8

const (
	Refused   NonDeterminism = iota // its promises hold for deterministic operators only
	Tolerated                       // what such an operator did is rolled back with all that depends on it
	Recorded                        // every choice is recorded and made again
)

// Captures says which in-flight buffers are part of an algorithm's snapshots.
type Captures struct{ Inputs, Outputs bool }

// Properties are what an algorithm declares. Each is read by code that would go
// wrong without it, and exercised by internal/scenario/conformance.
type Properties struct {
	State, Output  Guarantee
	Topologies     Topology
	Channels       Order
	NonDeterminism NonDeterminism
	Snapshots      Snapshots
	Captures       Captures
	// Logs: channels are logged durably, and recovery reads the logs.
	Logs     bool
	Rollback Scope
	// MaxConcurrent is how many rounds, or local snapshots of one task, may be
	// under way at once; 0: any number.
	MaxConcurrent int
	// NoneUseless: every stored snapshot belongs to some consistent global one.
	// Whoever runs on acyclic graphs only does not declare it: there no zigzag path
	// comes back to where it began, and it holds whatever an algorithm does.
	NoneUseless bool
}

// HasRounds reports that there are job-wide checkpoints.
func (p *Properties) HasRounds() bool { return p.Snapshots == Rounds }

// Algorithm makes the two halves and declares what they promise.
type Algorithm interface {
	Properties() Properties
	NewProtocol(info *TaskInfo, c *Config) Protocol
	NewCoordinator(c *Config) Coordinator
}

// Config holds the settings of a job that the core reads. Validate it once.
type Config struct {
	// Batching: a buffer is sealed when it holds BatchRecords records or
	// BatchBytes bytes, at the end of a turn when BatchTimeout is 0, else
	// BatchTimeout after its first record.
	BatchRecords int
	BatchBytes   int
	BatchTimeout Nanos
	// QueueBuffers is how many sealed buffers an output may hold before its task
	// stops; Credits how many unconsumed ones a receiver lets its sender have.
	QueueBuffers int
	Credits      int
	// SourceBatch is the number of records a source emits in a turn.
	SourceBatch int
	// TimersPerTurn is how many due timers fire in a turn. More are fired in turns
	// of their own, between which a barrier may pass. 64, the default, are 0.1 to
	// 0.2 ms of work for windows that do not fit the caches.
	TimersPerTurn int
	Groups        int
	Checkpoint    CheckpointConfig
	Restart       RestartConfig
	// HashContents keeps the running hash of contents per task.
	HashContents bool
	// CheckState hashes the logical state at every snapshot and restore (slow on large state).
	CheckState bool
	// Mutant is a deliberate mistake for testing the checkers.
	Mutant Mutant
}

// CheckpointConfig says when coordinated snapshots are taken and kept. Local
// snapshots of uncoordinated algorithms use Interval.
type CheckpointConfig struct {
	Interval      Nanos
	MinPause      Nanos // least time from the end of one round to the next trigger
	MaxConcurrent int
	Timeout       Nanos // a round that takes longer is aborted; 10 min by default
	// AlignmentTimeout is how long a barrier that may overtake waits in queues and for
	// others before it does; 0: not at all. 100 ms by default. Other algorithms than those whose
	// barriers turn do not read it.
	AlignmentTimeout Nanos
	Tolerated        int // failed rounds in a row with which the job goes on; one more, and it starts again from its newest checkpoint; -1 = any number
	Retain           int // complete checkpoints kept
	// Fallback lets recovery go to an older retained checkpoint when the newest is
	// damaged. What was committed since that checkpoint is then computed, and
	// committed, again: a choice for people, never made silently.
	Fallback bool
	// OnCancel says what a job that is stopped, or has ended, leaves in storage.
	OnCancel OnCancel
	// AfterFinished: rounds begin also when some tasks have finished. Else only the last one
	// does, with which all that are left finish.
	AfterFinished bool
	// LocalRecovery: tasks keep copies of the files of their newest snapshots on the worker's disk,
	// and are restored from those that are good.
	LocalRecovery bool
	// Changelog: tasks write the changes of their keyed state to checkpoint storage as they happen, and
	// a snapshot writes the end of them.
	Changelog bool
	// ChangelogSegment is how many bytes of changes are written at once between snapshots.
	ChangelogSegment int
}

// Job is what both drivers take.
type Job struct {
	Name      string
	Graph     *Graph
	Algorithm Algorithm
	Backend   state.Backend
	Config    Config
	// From is the savepoint that it begins from; nil: it begins empty.
	From *Origin
}
