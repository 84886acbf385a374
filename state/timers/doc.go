// Package timers holds the timers of one task in memory, and stores them as a
// log of segments: what every state backend does with timers.
//
// # In memory
//
// A [Queue] is ordered by (time, key) for whoever fires timers, and divided into
// key groups for whoever stores them.
//
// # Snapshots
//
// The time between two snapshots is a delta. An incremental snapshot writes one
// segment: the timers set since its base that are still there, and the older
// ones that were cancelled. A timer that fired is written nowhere: timers fire
// in order, so that with the one that fired last all older ones up to it are
// gone, and a snapshot only has to name that one. What a snapshot holds is the
// list of segments of its base, and its own.
//
// A segment leaves the list when it is the oldest and all its timers are gone:
// timers that fire in about the order in which they were set clean up after
// themselves, for nothing. What else dies stays until the list has [maxStored]
// times the bytes of what lives, or too many segments; the next snapshot is
// a full one then. Each rewrite is of at most 1/maxStored of what was written
// since the one before and what that left, so rewriting adds at most
// 1/(maxStored-1), a fifth, to what is uploaded, and a restore reads at most
// maxStored times what it needs. A bound on the number of segments is one on the
// size of the handle that names them; it costs more than that fifth where a
// snapshot changes less than about 1/500 of the timers.
//
// A few timers are no segment but a part of the manifest, whole in each.
//
// # Ownership
//
// A Queue belongs to one goroutine. A [Capture] may be carried out on another: it
// shares with the set copies of trees, which are copied on write, and one flag.
package timers
