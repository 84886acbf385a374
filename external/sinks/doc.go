// Package sinks holds everything that a job can end in: the operators, the
// catalog of them, and what a job may promise of its output with each. A sink is
// a coordinate of a run, as state is, and no property of an algorithm: For is the
// one place that says which an algorithm gets unless it is told, and Promise the
// one that says what comes of algorithm, sink and determinism of the job.
// docs/guarantees.md is the whole of Promise as a table; a test makes it.
//
// The package stands beside external because its operators speak the operations
// of external.Store, and below algorithms, whose catalog refuses what a sink
// cannot be served with.
//
// A sink's fields hold configuration, scratch space and the rows of the open
// transaction, which a crash may take: what is not sealed is produced again from
// the restored snapshot.
package sinks
