// Package operators holds the operator code of jobs: a replayable partitioned
// source, record-wise transformations, keyed and windowed aggregates, a
// two-input window join, and sinks. Both drivers run exactly this code.
//
// Operators take whole encoded buffers. Types come in through codecs and
// functions, never through reflection, and nothing is allocated per record
// once scratch buffers have grown. A value of one of the exported struct types
// is one instance of an operator and belongs to one task: Vertex.New must
// return a new one each time.
//
// What an operator knows of the past stands in state of its Context: keyed
// tables and timers. Fields hold configuration, scratch space and, in sinks,
// the rows of the open transaction, all of which a crash may take: whatever a
// sink has not sealed is produced again from the restored snapshot.
package operators
