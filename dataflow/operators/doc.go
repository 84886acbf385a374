// Package operators holds the operator code of jobs: a replayable partitioned
// source, record-wise transformations, keyed and windowed aggregates, a
// two-input window join. Both drivers run exactly this code; sinks stand in
// external/sinks.
//
// Operators take whole encoded buffers. Types come in through codecs and
// functions, never through reflection, and nothing is allocated per record
// once scratch buffers have grown. A value of one of the exported struct types
// is one instance of an operator and belongs to one task: Vertex.New must
// return a new one each time.
//
// What an operator knows of the past stands in state of its Context: keyed
// tables and timers. Fields hold configuration and scratch space, which a crash
// may take.
package operators
