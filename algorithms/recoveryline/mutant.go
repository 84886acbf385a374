package recoveryline

import "weir/dataflow"

// The mistakes of message logs and recovery lines; see dataflow.Mutant.
const (
	MutantSnapshotBeforeLog dataflow.Mutant = "snapshot-before-log" // a snapshot becomes visible before its message log
	MutantNeverForced       dataflow.Mutant = "never-forced"        // a communication-induced algorithm takes no forced snapshots; shows on graphs with a cycle only
	MutantForcedKeepsBase   dataflow.Mutant = "forced-keeps-base"   // a snapshot is incremental against one that is deleted when the one under way moves the line
	MutantTrimmedAtEnd      dataflow.Mutant = "trimmed-at-end"      // message logs grow as long as the job runs
	MutantNeverTrimmed      dataflow.Mutant = "never-trimmed"       // message logs keep everything
	MutantTrimmedAhead      dataflow.Mutant = "trimmed-ahead"       // message logs are trimmed one item too far
	MutantPassedStays       dataflow.Mutant = "passed-stays"        // snapshots that the line has passed stay until the job ends
	MutantNeverSwept        dataflow.Mutant = "never-swept"         // a recovery does not look for what rolled-back attempts have left
	MutantLineAhead         dataflow.Mutant = "line-ahead"          // the newest snapshots are taken for the line, whether or not they fit together
	MutantTrimmedToSender   dataflow.Mutant = "trimmed-to-sender"   // a message log is trimmed up to what its sender has sent, not to what its receiver has had
	MutantDurableOneAhead   dataflow.Mutant = "durable-one-ahead"   // a snapshot is stored when all but the last item of its log is durable
	MutantRestoredIsStable  dataflow.Mutant = "restored-is-stable"  // whatever a task is restored from counts as the line of a total failure
)
