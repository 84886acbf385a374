// Package mutants is the bank of deliberate mistakes: what each of them is and
// which combinations can show it. A mistake stands in the production code of the
// package that would make it, which declares its name; here is one line each.
package mutants

import (
	"fmt"
	"slices"
	"strings"

	"weir/algorithms/aligned"
	"weir/algorithms/catalog"
	"weir/algorithms/recoveryline"
	"weir/algorithms/rounds"
	"weir/algorithms/unalignedtimeout"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external"
	"weir/external/sinks"
	"weir/state/pebblestate"
)

// Case is one mistake with the combinations that can show it: every algorithm
// with every state, sink and workload of the lists. The first of each is the
// combination that is hunted by default.
type Case struct {
	Mutant      dataflow.Mutant
	Description string
	Algorithms  []string
	States      []string // nil: every one
	Sinks       []string // nil: what goes with the algorithm
	Workloads   []string // nil: every one
	// Oracle is the one that must see the mistake; "": any.
	Oracle string
	// Stalls: the mistake shows as a job that does not end, and cannot show as a
	// broken promise.
	Stalls bool
}

// cyclic is the workload with a loop: back-edges are the only inputs that every
// algorithm with channel state captures, and without them no snapshot is useless.
const cyclic = "reachability"

// The oracles that must see a mistake, where one is plain: package check says what
// each of them knows.
const (
	byClock      = "clock"
	byCommit     = "commit"
	byContiguity = "contiguity"
	byCut        = "cut"
	byEventTime  = "event-time"
	byHandover   = "handover"
	byLogs       = "logs"
	byOutput     = "output"
	byRestore    = "restore"
	byStorage    = "storage"
)

// All returns the bank in the order of reports.
func All() []Case {
	tables := []string{pebblestate.NameIncremental, pebblestate.NameFull}
	stateful := []string{"keyedcount", "nexmark-q5", "nexmark-q8"}
	windows := []string{"nexmark-q5", "nexmark-q8", "sessions"}
	past := []string{"reminders", "sessions"} // have timers at or behind the watermark
	coordinated := those(func(p *dataflow.Properties) bool { return p.HasRounds() })
	exact := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.Output == dataflow.ExactlyOnce })
	transactional := those(func(p *dataflow.Properties) bool { return p.Output == dataflow.ExactlyOnce })
	consistent := those(func(p *dataflow.Properties) bool { return p.State == dataflow.ExactlyOnce })
	inputs := those(func(p *dataflow.Properties) bool { return p.Captures.Inputs })
	outputs := those(func(p *dataflow.Properties) bool { return p.Captures.Outputs })
	logs := those(func(p *dataflow.Properties) bool { return p.Logs })
	induced := those(func(p *dataflow.Properties) bool { return p.Logs && p.NoneUseless })
	loops := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.Topologies == dataflow.AnyTopology }) // without rounds it is the same, and takes millions of events
	turning := []string{unalignedtimeout.Spec().Name}
	return []Case{
		{Mutant: rounds.MutantAckBeforeDurable, Description: "a task acknowledges a snapshot as it begins, not when it is stored", Algorithms: coordinated},
		{Mutant: aligned.MutantForgetChannel, Description: "alignment is one input short", Algorithms: []string{aligned.Spec().Name}},
		{Mutant: rounds.MutantCommitBeforeRecord, Description: "completion is announced before the checkpoint's record is durable", Algorithms: exact, Oracle: byCommit},
		{Mutant: dataflow.MutantReuseTableName, Description: "table files are named without the epoch", Algorithms: transactional, States: tables, Workloads: stateful},
		{Mutant: external.MutantKeepForeignTxn, Description: "recovery of the sink commits the transactions it should abort", Algorithms: transactional, Oracle: byCommit},
		{Mutant: dataflow.MutantSkipOutputQueue, Description: "queued output is not captured", Algorithms: outputs, Oracle: byCut},
		{Mutant: dataflow.MutantSkipInputQueue, Description: "queued input is not captured", Algorithms: inputs, Workloads: []string{cyclic}},
		{Mutant: dataflow.MutantLiftTakesNothing, Description: "a barrier that is made to overtake in an output queue leaves out what it overtakes", Algorithms: turning, Oracle: byCut},
		{Mutant: unalignedtimeout.MutantUnannounced, Description: "a task that turns does not record inputs whose barrier is still to come", Algorithms: turning, Oracle: byCut},
		{Mutant: unalignedtimeout.MutantBehindBarrier, Description: "a task that turns takes what waits behind the barrier of a blocked input", Algorithms: turning},
		{Mutant: unalignedtimeout.MutantStaleTimer, Description: "a timer whose round is taken takes it again", Algorithms: turning},
		{Mutant: dataflow.MutantReleaseBeforeStored, Description: "output is committed as soon as it is pre-committed", Algorithms: transactional, Oracle: byCommit},
		{Mutant: recoveryline.MutantSnapshotBeforeLog, Description: "a snapshot becomes visible before its message log", Algorithms: logs, Oracle: byLogs},
		{Mutant: recoveryline.MutantNeverTrimmed, Description: "message logs keep what no recovery needs any more", Algorithms: logs, Oracle: byLogs},
		{Mutant: recoveryline.MutantTrimmedAtEnd, Description: "message logs are trimmed when the job has ended, and grow until then", Algorithms: logs, Oracle: byLogs},
		{Mutant: rounds.MutantLateRecordCounts, Description: "a checkpoint record that lands after the recovery that missed it is believed", Algorithms: exact},
		{Mutant: rounds.MutantFilesNeverListed, Description: "state files that no handle names are never looked for", Algorithms: coordinated, States: tables, Workloads: stateful},
		{Mutant: rounds.MutantPlansStay, Description: "the plans of older attempts are never deleted", Algorithms: coordinated, Oracle: byStorage},
		{Mutant: rounds.MutantFirstAttemptOnly, Description: "after a recovery no checkpoints are scheduled any more", Algorithms: coordinated, Stalls: true},
		{Mutant: external.MutantNoFence, Description: "the sink store does not fence older attempts", Algorithms: transactional},
		{Mutant: recoveryline.MutantNeverForced, Description: "a message that should force a snapshot forces none", Algorithms: induced, Workloads: []string{cyclic}},
		{Mutant: recoveryline.MutantForcedKeepsBase, Description: "a snapshot is incremental while the one before it is under way", Algorithms: induced, States: []string{pebblestate.NameIncremental}, Workloads: []string{cyclic}},
		{Mutant: dataflow.MutantDrainedCommitsAll, Description: "a drained sink commits all that its snapshot holds when it is restored", Algorithms: logs, Oracle: byCommit},
		{Mutant: sinks.MutantFirstCommitMarksAll, Description: "the first of several commits marks all as done", Algorithms: transactional, Oracle: byOutput},
		{Mutant: sinks.MutantFirstInsertMarksAll, Description: "the first of several inserts marks all as done", Algorithms: consistent, Sinks: []string{"write-ahead", "committer"}, Oracle: byOutput},
		{Mutant: sinks.MutantLateCommittables, Description: "a committer skips what overtaking barriers have left behind", Algorithms: outputs, Sinks: []string{"committer"}, Oracle: byOutput},
		{Mutant: sinks.MutantSealBeforeStaged, Description: "a writer's snapshot does not wait for what it has staged", Algorithms: consistent, Sinks: []string{"committer"}, Oracle: byHandover},
		{Mutant: dataflow.MutantForgetTimers, Description: "timers do not come back from the snapshot", Algorithms: transactional, Workloads: windows, Oracle: byRestore},
		{Mutant: dataflow.MutantForgetClock, Description: "timers of processing time do not come back from the snapshot", Algorithms: transactional, Workloads: []string{"sampling"}, Oracle: byRestore},
		{Mutant: dataflow.MutantForgetWatermark, Description: "watermarks do not come back from the snapshot", Algorithms: transactional, Workloads: windows, Oracle: byEventTime},
		{Mutant: dataflow.MutantSilentPastTimer, Description: "a timer set at or behind the watermark never fires", Algorithms: transactional, Workloads: past, Oracle: byEventTime},
		{Mutant: dataflow.MutantFireTwice, Description: "the last timer of a slice stays in the state until the next one", Algorithms: transactional, Workloads: past, Oracle: byEventTime},
		{Mutant: dataflow.MutantSwapSplitOffsets, Description: "a restored source goes on in each split where another one stood", Algorithms: transactional, Oracle: byRestore},
		{Mutant: dataflow.MutantIgnoreSilentSplit, Description: "a split that has said nothing yet does not hold the watermark back", Algorithms: transactional, Workloads: windows, Oracle: byEventTime},
		{Mutant: recoveryline.MutantPassedStays, Description: "snapshots that the recovery line has passed stay until the job ends", Algorithms: logs, Oracle: byStorage},
		{Mutant: recoveryline.MutantNeverSwept, Description: "a recovery does not look for what rolled-back attempts have left", Algorithms: logs, Oracle: byStorage},
		{Mutant: recoveryline.MutantLineAhead, Description: "the newest snapshots are taken for the recovery line of a total failure", Algorithms: logs, Oracle: byCommit},
		{Mutant: recoveryline.MutantTrimmedAhead, Description: "message logs are trimmed one item too far", Algorithms: logs, Oracle: byLogs},
		{Mutant: rounds.MutantThreeRoundsOnly, Description: "after three rounds of an attempt no checkpoints are scheduled any more", Algorithms: coordinated, Stalls: true},
		{Mutant: rounds.MutantCarriedUnmarked, Description: "the share of a task that has left does not say so when it is carried over", Algorithms: coordinated, Oracle: byStorage},
		{Mutant: dataflow.MutantSilentClock, Description: "restored timers of processing time wait until another one is set", Algorithms: transactional, Workloads: []string{"sampling"}, Oracle: byClock},
		{Mutant: operators.MutantLateByOne, Description: "a record that is as late as is allowed is given up", Algorithms: transactional, Workloads: []string{"sessions"}, Oracle: byEventTime},
		{Mutant: dataflow.MutantForgetMoved, Description: "a head of a loop forgets that a record came round", Algorithms: loops, Workloads: []string{cyclic}, Stalls: true},
		{Mutant: external.MutantAbortOwn, Description: "a late recovery of the sink aborts transactions of its own attempt", Algorithms: transactional, Oracle: byContiguity},
		{Mutant: rounds.MutantRecordGivenUp, Description: "a record of whose making nobody knows what came is given up, and what it refers to deleted", Algorithms: coordinated, Oracle: byStorage},
		{Mutant: recoveryline.MutantDurableAhead, Description: "a message log is taken to be durable one item further than it is", Algorithms: logs, Oracle: byLogs},
	}
}

// Has tells whether the code that a combination runs has the mistake. Workloads do
// not tell: those of the list show it soonest.
func (c *Case) Has(algorithm, state, sink string) bool {
	return slices.Contains(c.Algorithms, algorithm) && among(c.States, state) && among(c.Sinks, sink)
}

// Where says in which combinations it is.
func (c *Case) Where() string {
	text := "it is in the algorithms " + strings.Join(c.Algorithms, ", ")
	if c.States != nil {
		text += " with the states " + strings.Join(c.States, ", ")
	}
	if c.Sinks != nil {
		text += " with the sinks " + strings.Join(c.Sinks, ", ")
	}
	return text
}

// among tells whether a list that may be nil, for every one, has name.
func among(names []string, name string) bool { return names == nil || slices.Contains(names, name) }

// those returns the algorithms of the catalog with a property.
func those(has func(p *dataflow.Properties) bool) (names []string) {
	for _, a := range catalog.All() {
		if has(&a.Declared) {
			names = append(names, a.Name)
		}
	}
	return names
}

// Names returns the names of All.
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, string(c.Mutant))
	}
	return names
}

// Lookup returns the mistake called name; the error lists the known ones.
func Lookup(name string) (Case, error) {
	for _, c := range All() {
		if string(c.Mutant) == name {
			return c, nil
		}
	}
	return Case{}, fmt.Errorf("unknown mutant %q; known: %s", name, strings.Join(Names(), ", "))
}
