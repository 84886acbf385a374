// Package conformance runs what an algorithm declares. Try takes a Spec and runs
// it on the jobs, channels and settings that its properties admit, under drawn
// faults and the oracles of package check. What was declared and did not hold is
// refuted; what was declared and no run showed is idle. Both fail: a property is
// neither believed nor a matter of luck.
package conformance
