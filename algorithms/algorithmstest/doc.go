// Package algorithmstest has algorithms for tests: families that use what no
// algorithm of the catalog does (lai-yang over channels that reorder, causal with
// restart of a single task, strong productions with replies), so that no part of
// the contract is there on paper only, and liars, which declare what is not so.
// Package scenario/conformance runs them.
package algorithmstest
