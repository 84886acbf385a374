// Package conformance runs what an algorithm declares. Try takes a Spec and runs
// it on the jobs, channels and settings that its properties admit, under drawn
// faults and the oracles of package check. What was declared and did not hold is
// refuted; what was declared and no run showed is idle. Both fail: a property is
// neither believed nor a matter of luck. The same holds of what every algorithm
// must have been through: each topology, failures that meet, ends of input in
// several orders.
//
// Not exercised: cycles. An input that ends when everything before it has ended
// never ends on a back-edge, so that a job with one does not come to its end.
package conformance
