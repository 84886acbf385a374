package faults

import "weir/trace"

// CrashAt returns the plan that crashes victim (a Fault of which only Target and
// Worker matter) at the k-th event of the given kinds, counting from 1.
func CrashAt(victim Fault, k int, kinds trace.Mask) Plan {
	return Plan{Faults: []Fault{{Kind: Crash, Target: victim.Target, Worker: victim.Worker, When: At(Nth(k, kinds))}}}
}

// Victims returns what a sweep crashes: every worker, and the coordinator.
func Victims(workers int) []Fault {
	var vs []Fault
	for w := range workers {
		vs = append(vs, Fault{Kind: Crash, Target: Worker, Worker: w})
	}
	return append(vs, Fault{Kind: Crash, Target: Coordinator})
}
