package check

// Oracle names a property that is checked.
type Oracle uint8

// The oracles in the order of reports; see the package documentation.
const (
	Effect Oracle = iota
	Output
	Cut
	Restore
	Commit
	StorageWhole
	Progress
	Conservation
	Contiguity
	Useless
	Aborts
	EventTime
	MessageLogs
	Rollback
	Handover
	WallClock
	Queries
	Savepoints
	Leaders
	SameRun // compares runs: see Determinism
	Oracles // number of oracles
)

// entry is one line of the list: an oracle's name and how it is made; nil for one
// that does not watch a run.
type entry struct {
	name string
	make func(j judge) watcher
}

// list is the one place that knows all oracles. A new one is a file of its own
// and, here, a constant and a line.
func list() [Oracles]entry {
	return [Oracles]entry{
		Effect:       {"effect", newEffect},
		Output:       {"output", newOutput},
		Cut:          {"cut", newCut},
		Restore:      {"restore", newRestore},
		Commit:       {"commit", newCommit},
		StorageWhole: {"storage", newStorage},
		Progress:     {"progress", newProgress},
		Conservation: {"conservation", newConservation},
		Contiguity:   {"contiguity", newContiguity},
		Useless:      {"useless", newUseless},
		Aborts:       {"aborts", newAborts},
		EventTime:    {"event-time", newEventTime},
		MessageLogs:  {"logs", newLogs},
		Rollback:     {"rollback", newRollback},
		Handover:     {"handover", newHandover},
		WallClock:    {"clock", newWallClock},
		Queries:      {"queries", newQueries},
		Savepoints:   {"savepoint", newSavepoints},
		Leaders:      {"leaders", newLeaders},
		SameRun:      {"determinism", nil},
	}
}
