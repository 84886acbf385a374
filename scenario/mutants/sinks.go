package mutants

import (
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
)

// inSinks returns the mistakes of sinks and the store behind them.
func inSinks() []Case {
	transactional := those(func(p *dataflow.Properties) bool { return p.Output == dataflow.ExactlyOnce })
	logs := those(func(p *dataflow.Properties) bool { return p.Logs })
	consistent := those(func(p *dataflow.Properties) bool { return p.State == dataflow.ExactlyOnce })
	outputs := those(func(p *dataflow.Properties) bool { return p.Captures.Outputs })
	return []Case{
		{
			Mutant: external.MutantKeepForeignTxn, Description: "recovery of the sink commits the transactions it should abort",
			Source: "own trial", Needs: "transactions",
			Algorithms: transactional, Oracle: byCommit,
		},
		{
			Mutant: external.MutantNoFence, Description: "the sink store does not fence older attempts",
			Source: "own trial", Needs: "transactions; an old attempt whose operations land late",
			Algorithms: transactional, Oracle: byContiguity,
		},
		{
			Mutant: external.MutantRepeatedPreCommitAdds, Description: "a pre-commit that is repeated adds its rows once more",
			Source: "RisingWave 25690", Needs: "transactions; a pre-commit whose answer is lost",
			Algorithms: transactional, Oracle: byOutput,
		},
		{
			Mutant: external.MutantRepeatedCommitTakesNext, Description: "a commit that is repeated commits the writer's next transaction",
			Source: "KAFKA-17754", Needs: "transactions; a commit whose answer is lost",
			Algorithms: transactional, Oracle: byCommit,
		},
		{
			Mutant: external.MutantNothingAborted, Description: "recovery of the sink leaves the transactions open that it should abort",
			Source: "own trial", Needs: "transactions of a two-phase sink",
			Algorithms: transactional, Sinks: []string{"two-phase"}, Oracle: byCommit,
		},
		{
			Mutant: external.MutantAbortOwn, Description: "a late recovery of the sink aborts transactions of its own attempt",
			Source: "KAFKA-17754", Needs: "transactions; a recovery that lands late",
			Algorithms: transactional, Oracle: byContiguity,
		},
		{
			Mutant: dataflow.MutantReleaseBeforeStored, Description: "output is committed as soon as it is pre-committed",
			Source: "own trial", Needs: "transactions",
			Algorithms: transactional, Oracle: byCommit,
		},
		{
			Mutant: dataflow.MutantDrainedCommitsAll, Description: "a drained sink commits all that its snapshot holds when it is restored",
			Source: "trial: long windows", Needs: "message logs; transactions",
			Algorithms: logs, Oracle: byCommit,
		},
		{
			Mutant: dataflow.MutantEndCommits, Description: "a sink commits all it has when its input ends, whatever may be rolled back",
			Source: "FLINK-21132", Needs: "transactions; a failure after the end of the input",
			Algorithms: transactional, Oracle: byCommit,
		},
		{
			Mutant: dataflow.MutantLastRowsUnsealed, Description: "what a sink got after its last barrier is in no transaction",
			Source: "FLINK-34117", Needs: "transactions",
			Algorithms: transactional, Oracle: byOutput,
		},
		{
			Mutant: sinks.MutantFirstCommitMarksAll, Description: "the first of several commits marks all as done",
			Source: "trial: long windows", Needs: "transactions; several commits at once",
			Algorithms: transactional, Oracle: byOutput,
		},
		{
			Mutant: sinks.MutantEmptyIsPending, Description: "a transaction without rows is committed, which the store has never heard of",
			Source: "FLINK-31363", Needs: "transactions; an epoch without rows",
			Algorithms: transactional, Oracle: byContiguity,
		},
		{
			Mutant: sinks.MutantRestoredNotCommitted, Description: "what was pending in the restored snapshot is not taken over, and aborted",
			Source: "Arroyo 224; FLINK-8086", Needs: "transactions; a crash between checkpoint and commit",
			Algorithms: transactional, Oracle: byOutput,
		},
		{
			Mutant: sinks.MutantFirstInsertMarksAll, Description: "the first of several inserts marks all as done",
			Source: "trial: long windows", Needs: "rows held back until their snapshot is complete",
			Algorithms: consistent, Sinks: []string{"write-ahead", "committer"}, Oracle: byOutput,
		},
		{
			Mutant: sinks.MutantLateCommittables, Description: "a committer skips what overtaking barriers have left behind",
			Source: "Iceberg 15846", Needs: "queued output is captured; a writer and a committer",
			Algorithms: outputs, Sinks: []string{"committer"}, Oracle: byOutput,
		},
		{
			Mutant: sinks.MutantSealBeforeStaged, Description: "a writer's snapshot does not wait for what it has staged",
			Source: "own trial", Needs: "a writer and a committer",
			Algorithms: consistent, Sinks: []string{"committer"}, Oracle: byHandover,
		},
		{
			Mutant: sinks.MutantSealOneShort, Description: "a writer's snapshot waits for all that it has staged but the last",
			Source: "own trial", Needs: "a writer and a committer; an operation that stages rows is late",
			Algorithms: consistent, Sinks: []string{"committer"}, Oracle: byHandover,
		},
	}
}
