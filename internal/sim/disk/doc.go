// Package disk is a simulated file system for one fault domain: a vfs.FS that
// knows, for every byte and every directory entry, whether it would survive a
// crash, and that crashes as a drawn decision says.
//
// A [Volume] is the medium. Volume.Mount gives the [FS] through which a process
// uses it; Volume.Crash ends that process's use and leaves what a restart would see.
//
// # What survives a crash
//
//   - Bytes written and then synced survive. Bytes written but not synced are
//     lost, unless the draw says that all of them, or the first few 512-byte sectors
//     of them (a torn write), or an arbitrary set of sectors (written back out of
//     order) survived. A sector is atomic: it holds what was last synced or what was
//     last written, or zeros where the file had no durable bytes and a later sector survived.
//   - Creations, renames, removals and links survive once the directory that
//     holds the entry is synced. Of the later ones a prefix per directory survives,
//     drawn; the quiet choice is none. A rename within a directory is atomic; of a rename
//     between directories the removal never survives without the insertion.
//   - Syncing a file makes no directory entry durable, and syncing a directory
//     makes no bytes durable, as POSIX permits and careful programs assume.
//   - Handles, mounts and locks do not survive: they give [ErrStale].
//
// The draws of a crash are, in path order, one or two per directory with pending changes and
// then one or two per surviving file with unsynced bytes. Their bounds are constants: none depends on
// how many changes or bytes there are.
//
// # Determinism and concurrency
//
// Nothing here reads a clock, draws a number of its own or ranges over a map.
// A mutex guards each Volume, which the rest of the simulator has no need of,
// because Pebble calls its file system from goroutines of its own. What it does there,
// the deletion of obsolete files, lands at a moment that no seed decides: open
// simulated Pebble stores on FS.Retaining.
package disk
