// Package algorithmstest has algorithms for tests: families that use what no
// algorithm of the catalog does (causal with restart of a single task, with and without
// recorded draws, strong productions with replies, micro-batch with planned offsets), so
// that no part of the contract is there on paper only, and liars, which declare what is not so. Package
// internal/scenario/conformance runs them. And an [Agenda], for tests with several
// processes.
package algorithmstest

import "weir/algorithms"

// Families returns the algorithms that must keep what they declare.
func Families() []*algorithms.Spec {
	return []*algorithms.Spec{StrongProductions(), Causal(), CausalInputs(), MicroBatch()}
}
