package mutants

import (
	"weir/algorithms/unalignedtimeout"
	"weir/dataflow"
	"weir/dataflow/operators"
)

// inKernel returns the mistakes of the kernel: what a snapshot holds and what a restore does.
func inKernel() []Case {
	transactional := those(func(p *dataflow.Properties) bool { return p.Output == dataflow.ExactlyOnce })
	outputs := those(func(p *dataflow.Properties) bool { return p.Captures.Outputs })
	inputs := those(func(p *dataflow.Properties) bool { return p.Captures.Inputs })
	// Where channels may reorder there are no barriers.
	recording := those(func(p *dataflow.Properties) bool {
		return p.Captures.Inputs && p.MaxConcurrent != 1 && p.Channels == dataflow.FIFO
	})
	turning := []string{unalignedtimeout.Spec().Name}
	concurrent := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.MaxConcurrent != 1 })
	// Without rounds it is the same, and takes millions of events.
	loops := those(func(p *dataflow.Properties) bool { return p.HasRounds() && p.Topologies == dataflow.AnyTopology })
	cycles := those(func(p *dataflow.Properties) bool {
		return p.Topologies != dataflow.Acyclic && p.State == dataflow.ExactlyOnce
	})
	return []Case{
		{
			Mutant: dataflow.MutantReuseTableName, Description: "table files are named without the epoch",
			Source: "FLINK-29095; SPARK-43404", Needs: "state in table files",
			Algorithms: transactional, States: tables, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: dataflow.MutantSkipOutputQueue, Description: "queued output is not captured",
			Source: "own trial", Needs: "queued output is captured",
			Algorithms: outputs, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantSkipInputQueue, Description: "queued input is not captured",
			Source: "own trial", Needs: "queued input is captured; a loop for those that capture back-edges only",
			Algorithms: inputs, Workloads: []string{cyclic}, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantOlderBarrierEnds, Description: "the barrier of an older round ends the recording of an input",
			Source: "FLINK-20645", Needs: "two rounds at once; inputs are recorded",
			Algorithms: recording, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantCapturedOutOfOrder, Description: "what was queued on an input is captured behind what came later",
			Source: "FLINK-17564", Needs: "queued input is captured",
			Algorithms: inputs, Workloads: []string{cyclic}, Oracle: byContiguity,
		},
		{
			Mutant: dataflow.MutantOvertakesForbidden, Description: "a barrier overtakes on an edge where nothing can be captured",
			Source: "FLINK-22815, FLINK-33693", Needs: "barriers that overtake; a forward or broadcast edge",
			Algorithms: outputs, Workloads: []string{"enrichment"}, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantLiftTakesNothing, Description: "a barrier that is made to overtake in an output queue leaves out what it overtakes",
			Source: "own trial", Needs: "barriers that turn",
			Algorithms: turning, Oracle: byCut,
		},
		{
			Mutant: unalignedtimeout.MutantUnannounced, Description: "a task that turns does not record inputs whose barrier is still to come",
			Source: "own trial", Needs: "barriers that turn",
			Algorithms: turning, Oracle: byCut,
		},
		{
			Mutant: unalignedtimeout.MutantBehindBarrier, Description: "a task that turns takes what waits behind the barrier of a blocked input",
			Source: "own trial", Needs: "barriers that turn",
			Algorithms: turning, Oracle: byCut,
		},
		{
			Mutant: unalignedtimeout.MutantStaleTimer, Description: "a timer whose round is taken takes it again",
			Source: "own trial", Needs: "barriers that turn",
			Algorithms: turning, Oracle: byCut,
		},
		{
			Mutant: dataflow.MutantAbandonedTakesFiles, Description: "a snapshot that is given up deletes the files it refers to, those of others among them",
			Source: "FLINK-36125, FLINK-35379; trial: a round that fails by itself", Needs: "incremental state; a round fails",
			Algorithms: concurrent, States: incremental, Workloads: stateful, Oracle: byStorage,
		},
		{
			Mutant: dataflow.MutantForgetTimers, Description: "timers do not come back from the snapshot",
			Source: "own trial", Needs: "timers",
			Algorithms: transactional, Workloads: windows, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantForgetClock, Description: "timers of processing time do not come back from the snapshot",
			Source: "own trial", Needs: "timers of processing time",
			Algorithms: transactional, Workloads: []string{"sampling"}, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantForgetWatermark, Description: "watermarks do not come back from the snapshot",
			Source: "trial: event time under exactly-once", Needs: "event time",
			Algorithms: transactional, Workloads: windows, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantSilentPastTimer, Description: "a timer set at or behind the watermark never fires",
			Source: "trial: event time under exactly-once", Needs: "timers behind the watermark",
			Algorithms: transactional, Workloads: past, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantFireTwice, Description: "the last timer of a slice stays in the state until the next one",
			Source: "trial: event time under exactly-once", Needs: "timers",
			Algorithms: transactional, Workloads: past, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantSilentClock, Description: "restored timers of processing time wait until another one is set",
			Source: "own trial", Needs: "timers of processing time",
			Algorithms: transactional, Workloads: []string{"sampling"}, Oracle: byClock,
		},
		{
			Mutant: operators.MutantLateByOne, Description: "a record that is as late as is allowed is given up",
			Source: "trial: event time under exactly-once", Needs: "late records that are allowed",
			Algorithms: transactional, Workloads: []string{"sessions"}, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantForgetMoved, Description: "a head of a loop forgets that a record came round",
			Source: "own trial", Needs: "a loop",
			Algorithms: loops, Workloads: []string{cyclic}, Oracle: byProgress, Stalls: true,
		},
		{
			Mutant: dataflow.MutantSwapSplitOffsets, Description: "a restored source goes on in each split where another one stood",
			Source: "own trial", Needs: "sources of several splits",
			Algorithms: transactional, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantIgnoreSilentSplit, Description: "a split that has said nothing yet does not hold the watermark back",
			Source: "own trial", Needs: "event time; sources of several splits",
			Algorithms: transactional, Workloads: windows, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantBackEdgeHolds, Description: "a back-edge holds the watermark back",
			Source: "own trial", Needs: "event time; a loop",
			Algorithms: cycles, Workloads: []string{cyclic}, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantBackEdgeTells, Description: "a back-edge carries watermarks",
			Source: "own trial", Needs: "event time; a loop",
			Algorithms: cycles, Workloads: []string{cyclic}, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantEndedSplitHolds, Description: "a split without records left holds the watermark back",
			Source: "own trial", Needs: "event time; sources of several splits",
			Algorithms: transactional, Workloads: past, Oracle: byEventTime,
		},
		{
			Mutant: dataflow.MutantExpiryBehind, Description: "while a timer fires, state expires by the watermark before it",
			Source: "own trial", Needs: "state that expires by event time",
			Algorithms: transactional, Workloads: expiring, Oracle: byOutput,
		},
		{
			Mutant: dataflow.MutantForgetExpiry, Description: "in what comes back from a snapshot nothing expires any more",
			Source: "own trial", Needs: "state that expires; a restore",
			Algorithms: transactional, Workloads: expiring, Oracle: byOutput,
		},
		{
			Mutant: dataflow.MutantForgetBroadcast, Description: "broadcast state does not come back from the snapshot",
			Source: "own trial", Needs: "broadcast state; a restore",
			Algorithms: transactional, Workloads: expiring, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantLocalStale, Description: "a local copy is known by the number of its file, which another incarnation gives to another one",
			Source: "SPARK-46796, SPARK-52637", Needs: "local copies; state in table files; a restore",
			Algorithms: transactional, States: tables, Workloads: []string{"keyedcount"}, // windows that come back wrong fire for millions of events
			Given: dataflow.Given{"checkpoint.local-recovery": "true"}, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantChangelogGap, Description: "a log of changes is cut at the materialisation that was begun last, not at the one that the snapshot refers to",
			Source: "own trial", Needs: "a log of changes; a snapshot while a materialisation is under way; a restore",
			Algorithms: transactional, Workloads: stateful, Given: logged, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantChangelogLate, Description: "the change noted last before a snapshot is in the segment behind it",
			Source: "own trial", Needs: "a log of changes; a restore",
			Algorithms: transactional, Workloads: stateful, Given: logged, Oracle: byRestore,
		},
		{
			Mutant: dataflow.MutantChangelogForgets, Description: "segments that a materialisation has overtaken are listed by no snapshot any more",
			Source: "own trial", Needs: "a log of changes; a segment that no complete checkpoint has when a materialisation overtakes it",
			Algorithms: transactional, Workloads: stateful, Given: logged, Oracle: byStorage,
		},
		{
			Mutant: dataflow.MutantChangelogGroup, Description: "the removal of a timer that fires is logged under the key group of the one before",
			Source: "FLINK-26063", Needs: "a log of changes; timers; a restore",
			Algorithms: transactional, Workloads: windows, Given: logged, Oracle: byRestore,
		},
	}
}
