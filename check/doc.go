// Package check decides whether a run was right. It is told what to expect (an
// [Expect]: guarantees, the graph's shape, the reference answer) and watches the
// trace of a run through a [Checker]; nothing here knows an algorithm, a
// workload or a driver.
//
// # Oracles
//
//	effect        every source record stands in the surviving state as often as promised
//	output        what a read-committed reader saw is the reference answer
//	cut           each complete checkpoint, and each recovery line, is a consistent cut
//	restore       a restored task is what its snapshot was, on its own history
//	commit        recovery never goes behind output that is visible, and nothing
//	              becomes visible that could still be rolled back
//	storage       every retained checkpoint is readable in full at every instant,
//	              and what nothing refers to is deleted in time and in the end
//	progress      after the last fault checkpoints complete and the job ends
//	conservation  offsets, positions and epochs go on without gap or repetition
//	contiguity    no live task found its channel or its output broken
//	useless       for an algorithm that promises none, every stored snapshot belongs to
//	              some consistent global one
//	aborts        no snapshot is abandoned whose round was not given up
//	logs          message logs do not grow with the job
//	rollback      a recovery restarts as much as the algorithm declares
//	handover      a stored snapshot stands on output that the external store has
//	clock         timers of processing time fire once, and are waited for after a restore
//	queries       a reader outside sees what the job has, or had at a complete checkpoint
//	leaders       nobody takes the lead whose predecessor holds its lease still
//	event-time    watermarks are what sources said and inputs delivered, and never go
//	              back; a timer fires once, and none that is due is left
//	determinism   the same tape gives the same run
//
// All but the last watch one run, in a file of their own each, whose header says
// what the oracle does not verify; list.go is the list. They read one model of the
// run (model.go) and never each other. [Determinism] compares runs. Progress is
// counted apart: a run that does not end has violated no safety property.
//
// # What stands in a lineage
//
// A task's history is a tree: an incarnation goes on from the snapshot that it
// restored. For each task that sources feed, the checker keeps the record ids
// delivered along the branch that survives; a restore cuts it back to what it
// was when the snapshot began. The effect oracle counts ids on the surviving
// branch at the end, the cut oracle those of a checkpoint together with what was
// captured in flight, which must be exactly the prefix that the sources had
// handed out.
//
// Event time has a clock per task beside it, kept with each snapshot: watermarks by
// input and split, and the timers that are set.
//
// # Another graph
//
// Behind a change of the graph ([Checker.Reshape]) tasks and channels have other
// numbers, and which task has what of which former one nobody can tell from the trace.
// The checkpoint that the job goes on from is inherited as a whole: its records count
// once, whoever goes on with them; state, splits and timers are compared by operator.
// A former graph and its tasks' histories are kept: its transactions may still
// become visible, its checkpoints may be gone back to.
package check
