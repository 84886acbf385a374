package mutants

import (
	"weir/algorithms/rounds"
	"weir/dataflow"
)

// inRegions are the mistakes of coordinators that restart a job by region.
func inRegions() []Case {
	regional := those(func(p *dataflow.Properties) bool { return p.Rollback == dataflow.ScopeRegion })
	given, apart := dataflow.Given{"restart.failover-strategy": "region"}, []string{"pipelines"}
	return []Case{
		{
			Mutant: rounds.MutantRegionTooSmall, Description: "a region is taken to end in front of its sinks, so that these are kept when what feeds them goes back",
			Source: "own trial", Needs: "two pipelines that restart by region; a failure in one of them",
			Algorithms: regional, Workloads: apart, Given: given, Oracle: byRollback,
		},
		{
			Mutant: rounds.MutantKeptShareCounts, Description: "what a task that is kept had stored for the round that was given up counts in the next one",
			Source: "own trial", Needs: "two pipelines that restart by region; a failure in one of them while a round is under way",
			Algorithms: regional, Workloads: apart, Given: given, Oracle: byStorage,
		},
		{
			Mutant: rounds.MutantKeptLeftUnknown, Description: "a task that has left and is kept is taken to be there again",
			Source: "own trial", Needs: "two pipelines that restart by region, one of which has ended when the other fails",
			Algorithms: regional, Workloads: apart, Given: given, Oracle: byProgress, Stalls: true,
		},
	}
}
