// Package scenario is one experiment of the simulator: an algorithm, a state
// backend, a workload, faults and a seed, run and judged by the oracles of
// package check. It is the one place of sim that knows algorithms and workloads.
package scenario
