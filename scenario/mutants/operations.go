package mutants

import (
	"slices"

	"weir/algorithms/coordinator"
	"weir/algorithms/lease"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario/inspect"
)

// inOperations returns the mistakes of what somebody does with a job that goes on as it is, or
// as another version of itself: savepoints, queries, upgrades, failovers.
func inOperations() []Case {
	coordinated := those(func(p *dataflow.Properties) bool { return p.HasRounds() })
	storing := those(func(p *dataflow.Properties) bool { return p.Snapshots != dataflow.NoSnapshots })
	exact := those(func(p *dataflow.Properties) bool { return p.Output == dataflow.ExactlyOnce })
	return slices.Concat(inSavepoints(coordinated, storing, exact), inQueriesAndUpgrades(coordinated, storing, exact), inLeases(coordinated), inAdoptions(coordinated))
}

func inSavepoints(coordinated, storing, exact []string) []Case {
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

func inQueriesAndUpgrades(coordinated, storing, exact []string) []Case {
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

// inLeases returns the mistakes of who leads. Storage fences whoever leads without a lease, so that
// most cost checkpoints and not what those are worth. Without rounds jobs that stand still take
// millions of events.
func inLeases(coordinated []string) []Case {
	failover := []faults.Kind{faults.Failover}
	const escapes = "none of 1,000 runs: two lead at once in some, and storage fences the older; the histories of package lease show it"
	return []Case{
		{
			Mutant: lease.MutantActsOn, Description: "a coordinator goes on when its lease has ended, and nobody takes its place when it is given up",
			Source: "own trial", Needs: "rounds; a failover",
			Algorithms: coordinated, Workloads: stateful, Operations: failover, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: lease.MutantOverwrites, Description: "the renewal of a lease is written over whatever stands there",
			Source: "own trial", Needs: "rounds; a failover",
			Algorithms: coordinated, Workloads: stateful, Operations: failover, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: lease.MutantCountsLate, Description: "a coordinator counts its lease from when it hears that it has it",
			Source: "own trial", Needs: "rounds; a failover; storage that answers late",
			Algorithms: coordinated, Operations: failover, Oracle: byStorage, Escapes: escapes,
		},
		{
			Mutant: lease.MutantUnverified, Description: "a lease counts as soon as it is created",
			Source: "own trial", Needs: "rounds; a failover; a lease that is created late",
			Algorithms: coordinated, Operations: failover, Oracle: byStorage, Escapes: escapes,
		},
	}
}

// inAdoptions returns the mistakes of a coordinator that takes over tasks that run.
func inAdoptions(coordinated []string) []Case {
	failover := []faults.Kind{faults.Failover}
	return []Case{
		{
			Mutant: rounds.MutantAdoptsUnasked, Description: "a coordinator that takes over believes that all tasks live",
			Source: "own trial", Needs: "rounds; a failover, and a task that dies while nobody leads",
			Algorithms: coordinated, Workloads: stateful, Operations: failover, Oracle: byRollback,
		},
		{
			Mutant: rounds.MutantAdoptsNumbers, Description: "a coordinator that takes over numbers its rounds on from those of the one before",
			Source: "own trial", Needs: "rounds; a failover",
			Algorithms: coordinated, Workloads: stateful, Operations: failover, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantLeftOnce, Description: "a task that has left does not say so again to a coordinator that takes over",
			Source: "own trial", Needs: "rounds; a failover when some tasks have left",
			Algorithms: coordinated, Workloads: stateful, Operations: failover, Oracle: byProgress, Stalls: true,
		},
	}
}
