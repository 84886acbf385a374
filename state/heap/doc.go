// Package heap keeps working state in memory, with copy-on-write snapshots that
// are written out while processing goes on.
//
// # Layout
//
// A value, list or reducing state is a flat hash table per key group: an index
// of four-byte slots (the upper bits are hash bits, the lower ones the position
// of an entry) with linear probing, and the entries themselves, dense and in
// order of insertion, in pages of up to 8 KiB. Eight-byte keys with values of
// fixed size lie inline in the pages; everything else is a cell that refers to
// one allocation for key and value. Up to smallEntries entries and smallBytes
// bytes a table is one segment for all groups; beyond that each group has its
// own, so that growth only ever rehashes one group. A map state is one B-tree
// in order of (group, key, field). Timers are those of package timers.
//
// # Snapshots
//
// Snapshot counts up a generation and remembers the page directories. A page
// older than the newest living capture is copied before it is written to for
// the first time; the capture reads the old one, on another goroutine if the
// driver likes. The page comes back for use when the captures that may hold it
// have encoded everything or were discarded, which they say through one atomic
// flag. Tables in one small segment are encoded on the spot instead. Every
// snapshot has all entries of them; only timers are written incrementally, and
// refer to segments of the base.
//
// # Memory
//
// Inline entries cost 8 bytes of key, the value, and 8 to 16 bytes of index;
// at most one page per group is not full. Cells cost 40 to 48 bytes and one
// allocation each; map fields 40 bytes, one allocation, and the slack of the
// B-tree. While captures live, pages written to exist twice (once more for each
// further overlapping capture), and retired pages are kept for the next
// snapshot: at most twice the state if captures do not overlap. A capture being
// carried out holds two chunks of about 4 MiB, a restore four. Indexes do not
// shrink when keys are deleted.
package heap
