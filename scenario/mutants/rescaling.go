package mutants

import (
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/faults"
)

// inRescaling returns the mistakes of a job that goes on with another parallelism.
func inRescaling() []Case {
	exact := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.Output == dataflow.ExactlyOnce })
	inputs := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.Captures.Inputs && p.Captures.Outputs })
	rescaled := []faults.Kind{faults.Rescale}
	return []Case{
		{
			Mutant: rounds.MutantFormerSplitLost, Description: "a split is read by nobody when splits are dealt out anew",
			Source: "own trial", Needs: "a rescaling; sources of several splits",
			Algorithms: exact, Operations: rescaled, Oracle: byRestore,
		},
		{
			Mutant: rounds.MutantFormerSplitTwice, Description: "a split is read by two when splits are dealt out anew",
			Source: "own trial", Needs: "a rescaling; sources of several splits",
			Algorithms: exact, Operations: rescaled, Oracle: byConservation,
		},
		{
			Mutant: rounds.MutantFormerInputsUnread, Description: "what the receivers of another shape had captured is sent again by nobody",
			Source: "FLINK-35351", Needs: "a rescaling; queued input is captured",
			Algorithms: inputs, Operations: rescaled, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantSentToOldPlace, Description: "records that were under way go to the instance that had them, whoever owns their keys",
			Source: "FLINK-31963, FLINK-38267", Needs: "a rescaling; records under way are captured",
			Algorithms: inputs, Operations: rescaled, Oracle: byOutput,
			Escapes: "in one run of four as a panic, in none by an oracle: a keyed store refuses what is of no key group of its own",
		},
		{
			Mutant: dataflow.MutantVanishedForgotten, Description: "what sinks that are no more had sealed is forgotten",
			Source: "own trial", Needs: "a rescaling to fewer sinks; transactions",
			Algorithms: exact, Operations: rescaled, Oracle: byOutput,
		},
		{
			Mutant: dataflow.MutantAheadForgotten, Description: "records are taken that the former owner of their keys would have given up",
			Source: "a defect of this code before 32bc2ca", Needs: "a rescaling; late records",
			Algorithms: inputs, Workloads: []string{"sessions"}, Operations: rescaled, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantOrderForgotten, Description: "a receiver takes what new senders send before what others of them send again",
			Source: "own trial", Needs: "a rescaling; records under way are captured; an operator to which the order of a key's records matters",
			Algorithms: inputs, Operations: rescaled, Oracle: byOutput,
			Escapes: "no workload has an answer that depends on the order of a key's records, which come from all splits; a test of package sim has an operator that minds",
		},
	}
}
