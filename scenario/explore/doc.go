// Package explore looks for violations: a [Policy] proposes one run after the other, and
// may learn from what came of those before.
//
// What a run can vary is its settings (sizes, times, skew, how often operations fail), its
// plan of faults, and its order: which input a task serves and how late everything is.
//
//	policy       settings  plan                                     order
//	fifo         plain     1 to 3 crashes at uniform times          of arrival
//	random       plain     1 to 3 crashes at uniform times          uniform
//	swarm        drawn     drawn, with aimed groups                 uniform
//	pct          drawn     drawn, with aimed groups                 priorities, 1 to 3 deep
//	crash-every  drawn     drawn, and a crash at each transition    uniform
//	rare         drawn     drawn, and crashes behind rare states    kept up to there, then uniform
//	storm        drawn     drawn, of up to twelve runs in one       uniform or priorities, in turns
//
// Plain settings are those of [scenario.Runner.Plain]: the middle of what is drawn, the
// same in every run. swarm is what the default sweep does: as in Swarm testing (Groce,
// Zhang, Eide, Chen and Regehr, ISSTA 2012) each run has other settings, so that a mistake
// that needs small queues, say, finds its run.
//
// Whatever a policy proposes is deterministic in its seed and in what it was told, and
// can be saved: settings, plan and decisions are all there is to a run.
package explore
