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
//	crash-every  drawn     a crash at a transition x durable step   uniform
//	rare         drawn     drawn, and crashes behind rare states    kept up to there, then uniform
//
// Plain settings are those of [scenario.Runner.Plain]: the middle of what is drawn, the
// same in every run. swarm is what the default sweep does: Groce, Zhang,
// Eide, Chen and Regehr (Swarm testing, ISSTA 2012) vary the settings of each run so that
// one that needs small queues, say, finds its run.
//
// Whatever a policy proposes is deterministic in its seed and in what it was told, and
// can be saved: settings, plan and decisions are all there is to a run.
package explore
