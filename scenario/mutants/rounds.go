package mutants

import (
	"weir/algorithms/aligned"
	"weir/algorithms/alignedcyclic"
	"weir/algorithms/atleastonce"
	"weir/algorithms/coordinator"
	"weir/algorithms/laiyang"
	"weir/algorithms/mattern"
	"weir/algorithms/rounds"
	"weir/algorithms/unalignedtimeout"
	"weir/dataflow"
)

// inRounds returns the mistakes of rounds: the coordinator, the records, alignment.
func inRounds() []Case {
	coordinated := those(func(p *dataflow.Properties) bool { return p.HasRounds() })
	concurrent := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.MaxConcurrent != 1 })
	exact := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.Output == dataflow.ExactlyOnce })
	blocking := []string{aligned.Spec().Name, alignedcyclic.Spec().Name, unalignedtimeout.Spec().Name}
	return []Case{
		{
			Mutant: rounds.MutantAckBeforeDurable, Description: "a task acknowledges a snapshot as it begins, not when it is stored",
			Source: "own trial", Needs: "rounds",
			Algorithms: coordinated, Oracle: byStorage,
		},
		{
			Mutant: aligned.MutantForgetChannel, Description: "alignment is one input short",
			Source: "own trial", Needs: "inputs that are blocked; several of them",
			Algorithms: []string{aligned.Spec().Name}, Oracle: byCut,
		},
		{
			Mutant: rounds.MutantCommitBeforeRecord, Description: "completion is announced before the checkpoint's record is durable",
			Source: "own trial", Needs: "rounds; exact output",
			Algorithms: exact, Oracle: byCommit,
		},
		{
			Mutant: rounds.MutantLateRecordCounts, Description: "a checkpoint record that lands after the recovery that missed it is believed",
			Source: "Jet 2503, 2824", Needs: "rounds; exact output; a record that lands late",
			Algorithms: exact, Oracle: byRestore,
		},
		{
			Mutant: rounds.MutantFilesNeverListed, Description: "state files that no handle names are never looked for",
			Source: "trial: a leak that the code does not list itself", Needs: "rounds; state in files of its own",
			Algorithms: coordinated, States: tables, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantPlansStay, Description: "the plans of older attempts are never deleted",
			Source: "trial: a leak that the code does not list itself", Needs: "rounds; a recovery",
			Algorithms: coordinated, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantFirstAttemptOnly, Description: "after a recovery no checkpoints are scheduled any more",
			Source: "trial: checkpoints that do not go on", Needs: "rounds; a recovery",
			Algorithms: coordinated, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: rounds.MutantBaseUnderWay, Description: "a round is based on the one before it, which is not complete yet",
			Source: "FLINK-6533; trial: a round that fails by itself", Needs: "two rounds at once; incremental state; the older one is given up",
			Algorithms: concurrent, States: incremental, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantBaseNotPinned, Description: "a checkpoint that a round under way is based on is deleted",
			Source: "HZ-2415", Needs: "two rounds at once; incremental state",
			Algorithms: concurrent, States: incremental, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantSharedNotCounted, Description: "a checkpoint goes with files that newer ones refer to",
			Source: "FLINK-7268", Needs: "rounds; incremental state",
			Algorithms: coordinated, States: incremental, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantRestoredNotCounted, Description: "files from before a recovery are in no account, and go with the checkpoint that was restored",
			Source: "FLINK-26985", Needs: "rounds; incremental state; a recovery",
			Algorithms: coordinated, States: incremental, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantRetireBeforeRecord, Description: "the oldest checkpoint goes before the record of the newest is durable",
			Source: "HZ-2415", Needs: "rounds",
			Algorithms: coordinated, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantSweepsUnderWay, Description: "cleaning up after a failed round takes what the other one under way has stored",
			Source: "FLINK-35379; trial: a round that fails by itself", Needs: "two rounds at once; one fails",
			Algorithms: concurrent, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantFailoverKeepsRound, Description: "the round whose record is being made outlives the failure of a task",
			Source: "FLINK-10712; Jet 2503", Needs: "rounds; a task fails while a record is made",
			Algorithms: exact, Oracle: byCommit,
		},
		{
			Mutant: rounds.MutantFailoverKeepsSplits, Description: "splits stay assigned to tasks that failed before the first checkpoint",
			Source: "FLINK-20222", Needs: "rounds; a failure before the first checkpoint",
			Algorithms: coordinated, Oracle: byOutput,
		},
		{
			Mutant: rounds.MutantSilentFallback, Description: "the checkpoint before a damaged one is restored although nobody has allowed it",
			Source: "FLINK-5940", Needs: "rounds; a damaged record; several checkpoints retained",
			Algorithms: exact, Oracle: byCommit,
		},
		{
			Mutant: rounds.MutantCarriedUnmarked, Description: "the share of a task that has left does not say so when it is carried over",
			Source: "trial: a mistake planted by hand", Needs: "rounds; a task leaves while others go on",
			Algorithms: coordinated, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantThreeRoundsOnly, Description: "after three rounds of an attempt no checkpoints are scheduled any more",
			Source: "trial: checkpoints that do not go on", Needs: "rounds; an attempt of more than three",
			Algorithms: coordinated, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: rounds.MutantLeavingUnheard, Description: "a round under way waits for the answer of a task that has left",
			Source: "Jet 18530", Needs: "rounds; a task leaves while one is under way",
			Algorithms: coordinated, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: rounds.MutantEndIsNoBarrier, Description: "an alignment waits for the barrier of an input that has ended meanwhile",
			Source: "FLINK-21086", Needs: "inputs that are blocked; one ends while another waits",
			Algorithms: blocking, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: rounds.MutantEndedCountsLive, Description: "an alignment waits for the barrier of an input that had ended before",
			Source: "FLINK-24068", Needs: "inputs that are blocked; one has ended",
			Algorithms: blocking, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: rounds.MutantAbortHitsNewest, Description: "a task that hears that a round failed abandons its newest snapshot",
			Source: "trial: a job that checkpoints badly", Needs: "two rounds at once; one fails",
			Algorithms: concurrent, Oracle: byAborts,
		},
		{
			Mutant: rounds.MutantForgetGivenUp, Description: "a barrier of a round that was given up begins it all the same",
			Source: "trial: an abort that is not remembered", Needs: "rounds that fail; a barrier that comes after the abort",
			Algorithms: coordinated, Oracle: byProgress, Stalls: true,
			Escapes: "none of 600 runs: it costs time, less than the progress oracle allows",
		},
		{
			Mutant: rounds.MutantForgetPassed, Description: "a task begins a round that some input has passed already",
			Source: "trial: a late barrier of an old round", Needs: "two rounds at once; triggers that overtake each other",
			Algorithms: concurrent, Oracle: byProgress, Stalls: true,
			Escapes: "found at run 501 of one search, and in none of 2,000 since a coordinator looks before it completes a checkpoint: triggers overtake each other in few; the stories hold it",
		},
		{
			Mutant: atleastonce.MutantPassedRoundWaits, Description: "a round that an input has passed is waited for",
			Source: "a defect of this code before d1b2fc7", Needs: "two rounds at once; triggers that overtake each other",
			Algorithms: []string{atleastonce.Spec().Name}, Oracle: byProgress, Stalls: true,
			Escapes: "found at run 501 of one search, and in none of 2,100 runs of earlier draws: triggers overtake each other in few",
		},
		{
			Mutant: coordinator.MutantLostAnswerFails, Description: "a record whose creation was not answered counts as not there",
			Source: "trial: storage that becomes unsafe before a crash", Needs: "rounds; a create whose answer is lost",
			Algorithms: exact, Oracle: byStorage,
		},
		{
			Mutant: coordinator.MutantUnfenced, Description: "a coordinator that was replaced and does not know goes on completing and deleting checkpoints",
			Source: "a defect of this code before RFC 0007", Needs: "rounds; two coordinators at once",
			Algorithms: exact, Oracle: byStorage,
		},
		{
			Mutant: mattern.MutantNewestOnly, Description: "a late message is channel state of the newest round under way only",
			Source: "own trial", Needs: "two rounds at once; messages that are late for both",
			Algorithms: []string{mattern.Spec().Name}, Oracle: byCut,
		},
		{
			Mutant: laiyang.MutantGoneInTransit, Description: "a task leaves although what it has sent may not have been received",
			Source: "own trial", Needs: "channel state that its sender keeps; a task leaves while others go on",
			Algorithms: []string{laiyang.Spec().Name}, Oracle: byCut,
		},
	}
}
