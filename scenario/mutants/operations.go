package mutants

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario/inspect"
)

// inOperations returns the mistakes of what somebody does with a job that goes on as it is, or
// as another version of itself: savepoints, queries, upgrades.
func inOperations() []Case {
	return append(inSavepoints(), inQueriesAndUpgrades()...)
}

func inSavepoints() []Case {
	coordinated := those(func(p *dataflow.Properties) bool { return p.HasRounds() })
	storing := those(func(p *dataflow.Properties) bool { return p.Snapshots != dataflow.NoSnapshots })
	exact := those(func(p *dataflow.Properties) bool { return p.Output == dataflow.ExactlyOnce })
	return []Case{
		{
			Mutant: coordinator.MutantSavepointNotDrained, Description: "shares of a savepoint are written whatever is under way between the tasks",
			Source: "own trial", Needs: "a savepoint",
			Algorithms: storing, Workloads: stateful, Operations: []faults.Kind{faults.Savepoint, faults.StopSaved}, Oracle: bySavepoint,
		},
		{
			Mutant: coordinator.MutantSavepointCollected, Description: "a savepoint goes with the checkpoints that are older than those retained",
			Source: "own trial", Needs: "rounds; a savepoint, and checkpoints after it",
			Algorithms: coordinated, Workloads: stateful, Operations: []faults.Kind{faults.Savepoint}, Oracle: bySavepoint,
		},
		{
			Mutant: coordinator.MutantSavepointCommits, Description: "who stops with a savepoint commits by it, and takes no checkpoint first",
			Source: "own trial", Needs: "exact output; a stop with a savepoint",
			Algorithms: exact, Workloads: stateful, Operations: []faults.Kind{faults.StopSaved}, Oracle: byCommit,
		},
	}
}

func inQueriesAndUpgrades() []Case {
	coordinated := those(func(p *dataflow.Properties) bool { return p.HasRounds() })
	storing := those(func(p *dataflow.Properties) bool { return p.Snapshots != dataflow.NoSnapshots })
	exact := those(func(p *dataflow.Properties) bool { return p.Output == dataflow.ExactlyOnce })
	return []Case{
		{
			Mutant: inspect.MutantQueryHalfWritten, Description: "who reads from outside takes a round that has no record for a checkpoint",
			Source: "own trial", Needs: "rounds; a query",
			Algorithms: coordinated, Workloads: stateful, Operations: []faults.Kind{faults.Query}, Oracle: byQueries,
		},
		{
			Mutant: dataflow.MutantQueryWrongGroup, Description: "a key that is asked for from outside is looked for where its hash says, whatever the key groups",
			Source: "own trial", Needs: "a query",
			Algorithms: storing, Workloads: stateful, Operations: []faults.Kind{faults.Query}, Oracle: byQueries,
		},
		{
			Mutant: dataflow.MutantUnmigrated, Description: "a value that another version of the job has written is read as if this one had",
			Source: "own trial", Needs: "an upgrade; exact output",
			Algorithms: exact, Workloads: versioned, Operations: []faults.Kind{faults.Upgrade}, Oracle: byOutput,
		},
	}
}
