// Package pipelines is a job of two pipelines that nothing connects: each is
// source -> count per key -> sink over half of the records. They are two regions
// of one job: a failure in one need not touch the other.
//
// # Records
//
// A source record has 16 bytes, numbers little-endian: sequence from 0, and key.
// A record belongs to pipeline sequence mod 2; of a pipeline's P splits,
// split p holds those with (sequence / 2) mod P = p. The key is a hash of
// sequence and seed, below keys. Pipeline 0 spreads its counts over the sinks in
// turn, pipeline 1 has each count task feed the sink beside it.
//
// # Rows
//
// Every record makes one row at the sink of its pipeline, 24 bytes: pipeline, key,
// and the number of records of that key so far. Which rows there are does not
// depend on the order of records. A canonical row is
// {"pipeline":P,"key":K,"count":C}.
package pipelines
