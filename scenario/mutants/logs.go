package mutants

import (
	"weir/algorithms/recoveryline"
	"weir/dataflow"
)

// inLogs returns the mistakes of message logs and recovery lines.
func inLogs() []Case {
	logs := those(func(p *dataflow.Properties) bool { return p.Logs })
	induced := those(func(p *dataflow.Properties) bool { return p.Logs && p.NoneUseless })
	return []Case{
		{
			Mutant: recoveryline.MutantSnapshotBeforeLog, Description: "a snapshot becomes visible before its message log",
			Source: "own trial", Needs: "message logs",
			Algorithms: logs, Oracle: byLogs,
		},
		{
			Mutant: recoveryline.MutantDurableOneAhead, Description: "a snapshot is stored when all but the last item of its log is durable",
			Source: "trial: the durability of logs", Needs: "message logs",
			Algorithms: logs, Oracle: byLogs,
		},
		{
			Mutant: recoveryline.MutantTrimmedAhead, Description: "message logs are trimmed one item too far",
			Source: "trial: the durability of logs", Needs: "message logs",
			Algorithms: logs, Oracle: byLogs,
		},
		{
			Mutant: recoveryline.MutantPassedStays, Description: "snapshots that the recovery line has passed stay until the job ends",
			Source: "trial: a leak that the code does not list itself", Needs: "local snapshots",
			Algorithms: logs, Oracle: byStorage,
		},
		{
			Mutant: recoveryline.MutantNeverSwept, Description: "a recovery does not look for what rolled-back attempts have left",
			Source: "trial: a leak that the code does not list itself", Needs: "local snapshots; a recovery",
			Algorithms: logs, Oracle: byStorage,
		},
		{
			Mutant: recoveryline.MutantLineAhead, Description: "the newest snapshots are taken for the recovery line of a total failure",
			Source: "trial: a line that the code reports itself", Needs: "local snapshots",
			Algorithms: logs, Oracle: byCommit,
		},
		{
			Mutant: recoveryline.MutantTrimmedToSender, Description: "a message log is trimmed up to what its sender has sent, not to what its receiver has had",
			Source: "trial: the durability of logs", Needs: "message logs",
			Algorithms: logs, Oracle: byLogs,
		},
		{
			Mutant: recoveryline.MutantNeverTrimmed, Description: "message logs keep what no recovery needs any more",
			Source: "own trial", Needs: "message logs",
			Algorithms: logs, Oracle: byLogs,
		},
		{
			Mutant: recoveryline.MutantTrimmedAtEnd, Description: "message logs are trimmed when the job has ended, and grow until then",
			Source: "own trial", Needs: "message logs",
			Algorithms: logs, Oracle: byLogs,
		},
		{
			Mutant: recoveryline.MutantNeverForced, Description: "a message that should force a snapshot forces none",
			Source: "own trial", Needs: "snapshots that messages force; a loop",
			Algorithms: induced, Workloads: []string{cyclic}, Oracle: byUseless,
		},
		{
			Mutant: recoveryline.MutantForcedKeepsBase, Description: "a snapshot is incremental while the one before it is under way",
			Source: "FLINK-6533", Needs: "snapshots that messages force; incremental state; a loop",
			Algorithms: induced, States: incremental, Workloads: []string{cyclic}, Oracle: byStorage,
		},
		{
			Mutant: recoveryline.MutantRestoredIsStable, Description: "whatever a task is restored from counts as the line of a total failure",
			Source: "trial: a line that the code reports itself", Needs: "message logs; a task restored ahead of the line",
			Algorithms: logs, Oracle: byCommit,
		},
		{
			Mutant: dataflow.MutantReplacedLogsTaken, Description: "what was read of message logs for a plan that is replaced counts as read for the newer one",
			Source: "trial: a second failure during recovery", Needs: "message logs; a second failure while survivors read them",
			Algorithms: logs, Oracle: byContiguity,
			Escapes: "none of 1,300 runs: a second failure while survivors read logs is rare",
		},
	}
}
