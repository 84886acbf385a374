// Package savepoint holds the state of a whole job in one standard format,
// whatever backend and algorithm it comes from: docs/snapshot-format.md has it
// byte by byte.
//
// A savepoint is a set of objects in checkpoint storage below one prefix, its
// root. Each task writes data objects and an index of them ([Writer]), and whoever
// asked for the savepoint names the indexes in the manifest, whose creation makes it
// true. An index has the sections of each state and key group with their checksums,
// so that a task of another parallelism reads the groups that it owns and little
// else ([Restore]), and who looks for damage can tell what it has hit ([Part]).
//
// It has no channel state and no positions in channels, and it owns its bytes:
// nothing in it refers to anything outside it.
//
// Writer and Restore are state.Transfer: they work in slices and leave storage
// operations to the driver. [Open] and [Part] read on the spot, for tools.
package savepoint
