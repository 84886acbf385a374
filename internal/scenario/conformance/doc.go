// Package conformance runs what an algorithm declares. Try takes a Spec and runs
// it on the jobs, channels and settings that its properties admit, under drawn
// faults and the oracles of package check. What was declared and did not hold is
// refuted; what was declared and no run showed is idle. Both fail: a property is
// neither believed nor a matter of luck. The same holds of what every algorithm
// must have been through: each topology, failures that meet, ends of input in
// several orders.
//
// A promise that an algorithm could have made and did not is shown too: the runs
// that would break it must break it, else what is declared is weaker than needed.
//
// The channels of a loop are FIFO also for an algorithm whose channels may reorder.
// Where a promise would be vacuous it is not declared: see NoneUseless. Not
// judged are a MaxConcurrent, Topologies and Channels that are narrower than they
// need be: to refuse is a choice.
package conformance
