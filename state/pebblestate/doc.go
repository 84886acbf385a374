// Package pebblestate keeps the working state of a task in Pebble, behind a
// write-back cache, and takes full or incremental snapshots of it.
//
// # Where an entry is
//
// A store has up to three layers: entries in memory (a flat hash table for
// values and lists, an ordered tree for maps); the frozen entries of a snapshot
// on its way to the database; the database. A read looks at them in this order.
// Writes reach the database only as whole sorted runs, written as a table file
// and ingested; its memtable and log are never used. That makes errors
// synchronous, and table files a function of the operations.
//
// # Snapshots
//
// Snapshot freezes: it copies the entries changed since the last run, and no
// more. The capture, off the processing path, writes them as a table file,
// ingests it and notes which table files make up the database at that moment:
// this is flush-first, as RocksDB in Flink does it. It then uploads the files
// that the base snapshot did not have. Until the frozen run is in the database,
// entries changed since then stay in memory; if memory runs out earlier, the task
// finishes that step itself. So the snapshot holds exactly the state at the instant.
//
// # Timers
//
// Timers are in memory, in the order in which they fire, and in no database: a
// snapshot has them as segments of their own (package timers). A timer takes
// about 100 bytes of memory and its key for as long as it is set.
//
// A table file is known by its number in this incarnation's database together
// with the epoch of a complete snapshot that holds it; in storage it has a name
// that is never used again. A number alone means nothing across incarnations:
// the next one gives the same numbers to other content.
//
// The handle has no copy of Pebble's MANIFEST (it holds times of day and
// grows), but a list of the tables with levels, bounds and sequence numbers, from
// which Restore writes a new one.
//
// # Local files
//
// The local directory is scratch space: recovery starts from checkpoint storage
// and nothing else, so nothing local is ever synced. A deterministic store (see
// [Config]) compacts only at defined moments and deletes files only then.
// Until it needs to read or compact, its first tables lie in the directory
// without a database, as the tables that they would be in it.
package pebblestate
