// Package storage holds the places where checkpoints stand: [Memory], the
// coordinator's own memory with a size limit per object, and [Dir], a directory
// on any file system. Both implement state.Storage with the same meaning of
// every operation, kept by one conformance suite (state/statetest).
//
// # Logs
//
// A channel log is a set of entries, each covering positions (first-1, last]
// and tagged with the attempt that wrote it. An append of attempt a at position
// From removes every entry of a lower attempt that ends behind From: the history
// of a branches off there. The rule speaks of positions and tags, not of the
// order of arrival, so appends of one attempt may overtake each other, be
// repeated, or race a process that does not know yet that it has been replaced.
// Entries are never split: the positions where a later attempt branches off must
// be entry boundaries, which holds because entries are whole buffers and
// snapshots are taken between buffers.
package storage
