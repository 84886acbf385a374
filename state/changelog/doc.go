// Package changelog wraps the store of a task so that its changes are written to checkpoint
// storage as they happen, and a snapshot has only the end of them left to write.
//
// # The log
//
// The log is a sequence of segments, numbered without gap. A table of a wrapped store hands every
// access to the one within and notes the entry that is written. A segment has, for each entry
// noted since the one before it, what stands there when the segment is made: an entry written
// a hundred times between two segments is in the second one once. It is made between turns of the task,
// when enough is noted ([Store.Stream]), and at each snapshot, of what is left.
//
// # Snapshots
//
// A snapshot is a materialisation, which is one of the store within, taken at some instant M, and
// the segments from M to its own instant, in order. Its handle names both; which segments
// those are is checked to be without gap when it is read. Operator state and clocks are of the
// instant of the snapshot alone. A snapshot without a base is a materialisation itself.
//
// # Materialisations
//
// When the log since the newest one is as long as what it would be replayed over, and no shorter
// than a few segments, the next one begins, off the processing path. Its instant begins a new
// segment, so that the log can be cut there; only a snapshot whose instant is behind its end
// refers to it, and leaves out what it covers. There is no clock in that: a restore reads at most twice
// what the state has, and a byte that is written to the log is written once more.
//
// # Who deletes what is overtaken
//
// Never the task. It goes on listing the files of an overtaken materialisation, and the
// segments in front of the newer one, until a snapshot that lists them is released as a base, which
// says that it is complete: from then on the coordinator has a record that names them, and lets them
// go with the last such record. So a file of a round that was given up is found too.
package changelog
