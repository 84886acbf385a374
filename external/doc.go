// Package external is the world outside a job, as state machines over a file
// system: Store, the transactional store that sinks write to, and SourceLog,
// which knows how far each split of the replayable source was handed out.
// Both drivers use them; with no file system they keep everything in memory,
// for simulated runs, and are durable by definition.
//
// # The journal
//
// Both keep a journal of their own: append-only segments of checksummed
// records, one segment per time the journal was opened. Nothing is ever
// overwritten or truncated: a new segment begins with a record that says how
// much of the one before it counts, and that record is synced before anything
// else happens. A record carries the length that was durable when it was
// written, which tells a torn tail (unacknowledged bytes that a crash left
// behind, cut off) from damage to what was acknowledged (an error).
//
// Values are for one goroutine at a time. A failed write or sync is sticky: it
// leaves open what the disk holds, so every later operation fails until the
// journal is opened again.
package external
