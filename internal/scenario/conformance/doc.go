// Package conformance runs what an algorithm declares. Try takes a Spec and runs
// it on the jobs, channels and settings that its properties admit, under drawn
// faults and the oracles of package check. What was declared and did not hold is
// refuted; what was declared and no run showed is idle. Both fail: a property is
// neither believed nor a matter of luck. The same holds of what every algorithm
// must have been through: each topology, failures that meet, ends of input in
// several orders.
//
// Not exercised: cycles of an algorithm whose channels may reorder. Those of a loop
// are FIFO, and it would have to run one job with both.
package conformance
