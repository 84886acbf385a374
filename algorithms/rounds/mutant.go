package rounds

import "weir/dataflow"

// The mistakes of coordinated rounds; see dataflow.Mutant.
const (
	MutantAckBeforeDurable    dataflow.Mutant = "ack-before-durable"    // a task acknowledges a snapshot as it begins, not when it is stored
	MutantCommitBeforeRecord  dataflow.Mutant = "commit-before-record"  // completion is announced before the checkpoint's record is durable
	MutantLateRecordCounts    dataflow.Mutant = "late-record-counts"    // a record that landed after the recovery that missed it is believed
	MutantFilesNeverListed    dataflow.Mutant = "files-never-listed"    // garbage is looked for among records and snapshots only, not among state files
	MutantFirstAttemptOnly    dataflow.Mutant = "first-attempt-only"    // after a recovery no rounds are scheduled any more but the last one
	MutantPlansStay           dataflow.Mutant = "plans-stay"            // the plans of older attempts are never deleted
	MutantBaseUnderWay        dataflow.Mutant = "base-under-way"        // a round is based on the one before it, which is not complete yet
	MutantBaseNotPinned       dataflow.Mutant = "base-not-pinned"       // a checkpoint that a round under way is based on is deleted
	MutantSharedNotCounted    dataflow.Mutant = "shared-not-counted"    // a checkpoint goes with files that newer ones refer to
	MutantRestoredNotCounted  dataflow.Mutant = "restored-not-counted"  // files from before a recovery are in no account, and go with the checkpoint that was restored
	MutantRetireBeforeRecord  dataflow.Mutant = "retire-before-record"  // the oldest checkpoint goes before the record of the newest is durable
	MutantSweepsUnderWay      dataflow.Mutant = "sweeps-under-way"      // cleaning up after a failed round takes what the other one under way has stored
	MutantFailoverKeepsRound  dataflow.Mutant = "failover-keeps-round"  // the round whose record is being made outlives the failure of a task
	MutantFailoverKeepsSplits dataflow.Mutant = "failover-keeps-splits" // splits stay assigned to tasks that failed before the first checkpoint
	MutantSilentFallback      dataflow.Mutant = "silent-fallback"       // the checkpoint before a damaged one is restored although nobody has allowed it
	MutantThreeRoundsOnly     dataflow.Mutant = "three-rounds-only"     // after the third round of an attempt none is scheduled any more but the last one
	MutantCarriedUnmarked     dataflow.Mutant = "carried-unmarked"      // a share that is carried over does not say that its task has left
	MutantLeavingUnheard      dataflow.Mutant = "leaving-unheard"       // a round under way waits for the answer of a task that has left
	MutantEndIsNoBarrier      dataflow.Mutant = "end-is-no-barrier"     // an alignment waits for the barrier of an input that has ended meanwhile
	MutantEndedCountsLive     dataflow.Mutant = "ended-counts-live"     // an alignment waits for the barrier of an input that had ended before
	MutantAbortHitsNewest     dataflow.Mutant = "abort-hits-newest"     // a task that hears that a round failed abandons its newest snapshot
	MutantForgetGivenUp       dataflow.Mutant = "forget-given-up"       // a barrier of a round that was given up begins it all the same
	MutantForgetPassed        dataflow.Mutant = "forget-passed"         // a task begins a round that some input has passed already
)
