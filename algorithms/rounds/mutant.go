package rounds

import "weir/dataflow"

// The mistakes of coordinated rounds; see dataflow.Mutant.
const (
	MutantAckBeforeDurable   dataflow.Mutant = "ack-before-durable"   // a task acknowledges a snapshot as it begins, not when it is stored
	MutantCommitBeforeRecord dataflow.Mutant = "commit-before-record" // completion is announced before the checkpoint's record is durable
	MutantLateRecordCounts   dataflow.Mutant = "late-record-counts"   // a record that landed after the recovery that missed it is believed
	MutantFilesNeverListed   dataflow.Mutant = "files-never-listed"   // garbage is looked for among records and snapshots only, not among state files
	MutantFirstAttemptOnly   dataflow.Mutant = "first-attempt-only"   // after a recovery no rounds are scheduled any more but the last one
	MutantThreeRoundsOnly    dataflow.Mutant = "three-rounds-only"    // after the third round of an attempt none is scheduled any more but the last one
	MutantRecordGivenUp      dataflow.Mutant = "record-given-up"      // a record of whose making nobody knows what came is given up, with what it refers to
	MutantCarriedUnmarked    dataflow.Mutant = "carried-unmarked"     // a share that is carried over does not say that its task has left
	MutantPlansStay          dataflow.Mutant = "plans-stay"           // the plans of older attempts are never deleted
)
