package mutants

import (
	"weir/algorithms/aligned"
	"weir/algorithms/atleastonce"
	"weir/algorithms/coordinator"
	"weir/algorithms/recoveryline"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external"
	"weir/external/sinks"
)

// Report is a mistake of the path of snapshots, recovery or commits that a system
// has shipped, or a kind of mistake that a trial of this project has shown to
// escape. It stands for one of three: it is in the bank, it waits for something that
// there is not yet, or it can change no output here.
type Report struct {
	// ID is A to G with a number for what was shipped, X with a number for trials; the
	// numbers are those of the list that was gathered, which has gaps.
	ID string
	// Tickets are where it was reported; "": nowhere, a trial.
	Tickets string
	What    string // the mechanism
	By      []dataflow.Mutant
	Waits   string // the feature that it waits for
	// Equivalent says why nothing that is judged can differ.
	Equivalent string
}

func by(ms ...dataflow.Mutant) []dataflow.Mutant { return ms }

// What several reports wait for.
const (
	merged   = "several snapshots' files merged into one"
	reopened = "a local database that the next incarnation of a task opens again: what outlives one are copies of stored files, by name and content"
	standby  = "standby replicas of state: standbys are of the coordinator, which has none"
	moving   = "splits that move between readers while the job runs"
	events   = "messages between the two halves of a source or sink, beside the data"
	timedOut = "a store that aborts transactions by itself"
	pooled   = "transactions whose names are used again"
	drains   = "a job that is stopped in such a way that its input ends: a stop with a savepoint ends none"
	threads  = "several threads in one task"
	walFiles = "a write-ahead log in the state backend"
)

// Reports returns them in the order of their IDs.
func Reports() []Report {
	return []Report{
		{ID: "A1", Tickets: "FLINK-29095, FLINK-29913", What: "a registry of shared files goes by local names: after a crash, or with two checkpoints at once, a second file is taken for the first", By: by(dataflow.MutantReuseTableName)},
		{ID: "A2", Tickets: "FLINK-7268", What: "deletions of an earlier attempt lower the counts of the new one, and a file in use goes", By: by(rounds.MutantSharedNotCounted)},
		{ID: "A4", Tickets: "FLINK-26985", What: "files of the checkpoint that a job began from are not counted, and go when the first of its own replaces it", By: by(rounds.MutantRestoredNotCounted)},
		{ID: "A5", Tickets: "FLINK-6533, FLINK-6504, FLINK-6534, FLINK-6535", What: "an increment refers to files of a checkpoint that is not confirmed yet", By: by(rounds.MutantBaseUnderWay, recoveryline.MutantForcedKeepsBase)},
		{ID: "A7", Tickets: "FLINK-12296", What: "two operators of one chain prepare the same local directory and delete each other's files", Waits: "several operators with state in one task"},
		{ID: "A8", Tickets: "FLINK-35803", What: "a merged file of the job before is written on", Waits: merged},
		{ID: "A9", Tickets: "FLINK-35379", What: "giving one checkpoint up takes files of another", By: by(rounds.MutantSweepsUnderWay, dataflow.MutantAbandonedTakesFiles)},
		{ID: "A10", Tickets: "FLINK-36125", What: "a file that a failed snapshot shares with others is let go, and is deleted under them", By: by(dataflow.MutantAbandonedTakesFiles)},
		{ID: "A11", Tickets: "FLINK-25524", What: "a log of changes and the backend under it number snapshots differently, so that the next increment has the wrong base", Equivalent: "a backend makes a full snapshot on a base that it does not know, and a changelog numbers what it asks of it by itself"},
		{ID: "A13", Tickets: "FLINK-26063", What: "the removal of a timer is logged under the key group of the key before", By: by(dataflow.MutantChangelogGroup)},
		{ID: "A14", Tickets: "FLINK-32908", What: "switching a log of changes on begins with a wrong number", Waits: "a backend that wraps another one"},
		{ID: "A15", Tickets: "SPARK-43404", What: "a second try writes a file of the same name and size, and the copy of the first is used again", By: by(dataflow.MutantReuseTableName, dataflow.MutantLocalStale)},
		{ID: "A16", Tickets: "SPARK-46796, SPARK-47036", What: "the map from local to stored files is stale after a version is loaded again", By: by(dataflow.MutantLocalStale)},
		{ID: "A18", Tickets: "SPARK-52637", What: "entries of newer versions stay in that map, and two files have one name", By: by(dataflow.MutantLocalStale)},
		{ID: "A19", Tickets: "RocksDB 3603, 7789, 10083, 12670; YugabyteDB 1491", What: "a checkpoint of the database catches its log or its list of files in between", Waits: walFiles},
		{ID: "A20", Tickets: "Arroyo 1086, 802", What: "garbage is deleted before it is noted that it is garbage", By: by(rounds.MutantRetireBeforeRecord)},
		{ID: "A21", Tickets: "HZ-2415", What: "snapshots are deleted although something still needs them", By: by(rounds.MutantBaseNotPinned, rounds.MutantRetireBeforeRecord)},

		{ID: "B2", Tickets: "FLINK-20645", What: "channel state is lost when barriers of a cancelled and a newer checkpoint come in an unusual order", By: by(dataflow.MutantOlderBarrierEnds)},
		{ID: "B4", Tickets: "FLINK-17564", What: "later buffers are captured ahead of earlier ones", By: by(dataflow.MutantCapturedOutOfOrder)},
		{ID: "B5", Tickets: "FLINK-17994, FLINK-18063", What: "the thread of the network and that of the task race over barriers, cancellation and ends", Waits: threads},
		{ID: "B7", Tickets: "FLINK-22815", What: "in-flight data of a broadcast edge is captured by one instance and applied again by the others", By: by(dataflow.MutantOvertakesForbidden)},
		{ID: "B8", Tickets: "FLINK-35351", What: "in-flight records of a partitioner of one's own are filtered away at another parallelism", By: by(rounds.MutantFormerInputsUnread)},
		{ID: "B9", Tickets: "FLINK-31963, FLINK-38267, FLINK-38483, FLINK-37870", What: "in-flight state of operators without state is given to the wrong instance at another parallelism", By: by(dataflow.MutantSentToOldPlace)},
		{ID: "B10", Tickets: "FLINK-33693", What: "a barrier overtakes on an edge that forbids it", By: by(dataflow.MutantOvertakesForbidden)},
		{ID: "B11", Tickets: "Iceberg 15846, 15913", What: "committables become channel state of a checkpoint whose committer believes that it has them", By: by(sinks.MutantLateCommittables)},

		{ID: "C2", Tickets: "FLINK-8086", What: "a producer that is fenced when it commits what was restored takes it for committed", By: by(sinks.MutantRestoredNotCommitted)},
		{ID: "C3", Tickets: "FLINK-23839, FLINK-24131", What: "a transaction that the broker has timed out is taken for committed", Waits: timedOut},
		{ID: "C4", Tickets: "FLINK-31363", What: "committing an empty transaction fails, again after each restart", By: by(sinks.MutantEmptyIsPending)},
		{ID: "C6", Tickets: "FLINK-21132", What: "a sink commits for good at what it takes for the end of its input, and the job goes on from before", By: by(dataflow.MutantEndCommits)},
		{ID: "C7", Tickets: "FLINK-40626", What: "an identifier is used again while a restored commit still has it, and readers wait for a transaction that nobody owns", Waits: pooled},
		{ID: "C8", Tickets: "FLINK-40689", What: "what is needed to commit after a change of the producer's epoch is not in the committable", Waits: pooled},
		{ID: "C9", Tickets: "Iceberg 11008, 10526", What: "files of an aborted checkpoint are committed as part of the next, which takes the order from deletions", Waits: "rows that delete others"},
		{ID: "C11", Tickets: "FLINK-34117", What: "what came after the last snapshot is never made part of a commit", By: by(dataflow.MutantLastRowsUnsealed)},
		{ID: "C12", Tickets: "KAFKA-17754; Jepsen on Bufstream", What: "a commit that is repeated or late ends the producer's next transaction", By: by(external.MutantRepeatedCommitTakesNext, external.MutantAbortOwn)},
		{ID: "C13", Tickets: "Arroyo 224", What: "nobody goes on with a transaction after a crash between checkpoint and commit", By: by(sinks.MutantRestoredNotCommitted)},
		{ID: "C15", Tickets: "RisingWave 25690, 26493", What: "a writer that missed an answer writes an epoch once more beside what is there", By: by(external.MutantRepeatedPreCommitAdds)},
		{ID: "C16", Tickets: "FLINK-37605; Iceberg 13714", What: "the checkpoint at the end of the input changes its number, and one number is flushed twice", Waits: "snapshots whose numbers the end of the input makes"},

		{ID: "D1", Tickets: "FLINK-21996, FLINK-18071", What: "a message to a reader is lost, or reaches its next incarnation", Waits: events},
		{ID: "D3", Tickets: "FLINK-28606", What: "messages between the snapshots of the two halves of an operator belong to neither", Waits: events},
		{ID: "D5", Tickets: "FLINK-20222", What: "after a failure before the first checkpoint splits count as assigned, and nobody reads them", By: by(rounds.MutantFailoverKeepsSplits)},
		{ID: "D6", Tickets: "FLINK-26726", What: "splits are assigned to a reader that has failed", Waits: moving},
		{ID: "D8", Tickets: "FLINK-31041; NATS connector 93, StarRocks connector 503, SeaTunnel 11677", What: "splits that come back are not given out again", Waits: moving},
		{ID: "D9", Tickets: "FLINK-10712, FLINK-25256", What: "a failover leaves pending checkpoints alone, and they complete over tasks that were replaced", By: by(rounds.MutantFailoverKeepsRound)},

		{ID: "E2", Tickets: "FLINK-5940, FLINK-5942", What: "where the newest checkpoint cannot be read, one before it is taken in silence", By: by(rounds.MutantSilentFallback)},
		{ID: "E4", Tickets: "Jet 2503, 2824", What: "the end of a snapshot of the execution before comes after the restart, and counts", By: by(rounds.MutantLateRecordCounts, rounds.MutantFailoverKeepsRound)},
		{ID: "E5", Tickets: "Jet 18530, 1435, 1234, 18675, 18604", What: "a snapshot waits for the answer of somebody who has left", By: by(rounds.MutantLeavingUnheard)},

		{ID: "F1", Tickets: "FLINK-21086", What: "the end of an input does not end an alignment that waits for it", By: by(rounds.MutantEndIsNoBarrier)},
		{ID: "F2", Tickets: "FLINK-24068", What: "an alignment begins when an input has ended already", By: by(rounds.MutantEndedCountsLive)},
		{ID: "F4", Tickets: "FLINK-23884", What: "operators have finished before the last snapshot of a job that drains is asked for", Waits: drains},
		{ID: "F5", Tickets: "FLINK-21133", What: "a source goes on behind the last snapshot of a job that is stopped", Waits: drains},
		{ID: "F6", Tickets: "FLINK-13275, FLINK-21028", What: "the thread of a source is interrupted while it does what must be whole", Waits: threads},
		{ID: "F8", Tickets: "Arroyo, operator.rs", What: "the end of one input leaves what waits behind the barrier of another there", By: by(rounds.MutantEndIsNoBarrier)},

		{ID: "G1", Tickets: "KAFKA-7192, KAFKA-9891, KAFKA-10247", What: "a local database with uncommitted writes is used again", Waits: reopened},
		{ID: "G3", Tickets: "KAFKA-20685", What: "a local checkpoint file outlives the restoration that wrote it", Waits: reopened},
		{ID: "G4", Tickets: "KAFKA-14172", What: "a standby that lags takes over with what it has", Waits: standby},

		{ID: "X1", What: "no round fails by itself: bases that are not complete, abandoned snapshots and sweeps that hit others", By: by(rounds.MutantBaseUnderWay, dataflow.MutantAbandonedTakesFiles, rounds.MutantSweepsUnderWay)},
		{ID: "X2", What: "a leak where the code under test does not list", By: by(rounds.MutantFilesNeverListed, rounds.MutantPlansStay, recoveryline.MutantPassedStays, recoveryline.MutantNeverSwept)},
		{ID: "X3", What: "a commit judged by the line that the code reports", By: by(recoveryline.MutantRestoredIsStable, recoveryline.MutantLineAhead)},
		{ID: "X4", What: "storage that is unsafe before a crash needs it", By: by(coordinator.MutantLostAnswerFails, rounds.MutantRetireBeforeRecord)},
		{ID: "X5", What: "checkpoints that do not go on", By: by(rounds.MutantFirstAttemptOnly, rounds.MutantThreeRoundsOnly)},
		{ID: "X6", What: "an older checkpoint is restored", By: by(rounds.MutantSilentFallback)},
		{ID: "X7", What: "logs that do not cover what the line needs", By: by(recoveryline.MutantSnapshotBeforeLog, recoveryline.MutantDurableOneAhead, recoveryline.MutantTrimmedAhead, recoveryline.MutantTrimmedToSender)},
		{ID: "X8", What: "a job that checkpoints badly", By: by(rounds.MutantAbortHitsNewest, rounds.MutantForgetPassed)},
		{ID: "X9", What: "an abort that is not remembered, and then the barrier of that round", By: by(rounds.MutantForgetGivenUp)},
		{ID: "X10", What: "event time under exact state: watermarks and timers behind them", By: by(dataflow.MutantForgetWatermark, dataflow.MutantSilentPastTimer, dataflow.MutantFireTwice, operators.MutantLateByOne)},
		{ID: "X11", What: "one durable step held back over a whole checkpoint or the end of a task", By: by(sinks.MutantFirstCommitMarksAll, sinks.MutantFirstInsertMarksAll, dataflow.MutantDrainedCommitsAll)},
		{ID: "X12", What: "a second failure during recovery", By: by(dataflow.MutantReplacedLogsTaken)},
		{ID: "X13", What: "triggers that overtake each other", By: by(atleastonce.MutantPassedRoundWaits, rounds.MutantForgetPassed)},
		{ID: "X14", What: "a task that asks whether a round is over only when a barrier comes takes one snapshot too many as it leaves", Equivalent: "the share is of no round that can complete: the coordinator has carried the task over, a sweep deletes what was stored, and no output is sealed by it that the last share had not; time and bytes are all that differ"},
		{ID: "X15", What: "mistakes in cuts, which fall early", By: by(aligned.MutantForgetChannel, dataflow.MutantSkipOutputQueue, dataflow.MutantSkipInputQueue)},
	}
}
