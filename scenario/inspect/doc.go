// Package inspect reads what jobs have left in checkpoint storage, without the job:
// checkpoints of every algorithm and savepoints, damaged ones too. cmd/state prints
// what it finds.
//
// A [Snapshot] is either, opened: operators, their tasks, and of each task the states
// as state.Content, whatever backend wrote them. A checkpoint is read by the backend
// that wrote it, into a store of its own; a savepoint needs none.
//
// Nothing here changes what it reads. Only [Convert] writes, to another place.
package inspect
