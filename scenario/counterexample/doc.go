// Package counterexample is the file form of one run: all that made it what it
// was, and what it showed. A run is replayed from it without drawing.
//
// # Format
//
// A file is text, a line a fact, so that two can be compared and one can be edited:
//
//	weir 1
//	revision 4f0c...
//	build 91ab...
//	go go1.26.1
//	algorithm aligned
//	...
//	oracle commit
//	where step=output-committed round=begun task=running coordinator=up job=running
//	...
//	setting batch.records 7
//	plan (plan (crash worker=1 at (time 12ms)))
//	decision delay.link/3 17 41/500
//	...
//	end
//
// The first line has the version, the last is "end": a file without it was cut
// off. Empty lines, and those that begin with "#", mean nothing. A decision is the stream,
// how many draws of that stream came before it, the value, and how many it was
// chosen among; all that are not listed are 0, the quiet choice. Decisions
// stand in the order in which they were drawn. Those of a job that begins where another one has ended
// with a savepoint stand behind them, as lines "decision-resumed".
//
// # Pins
//
// A pin is a file with a line "expect": "ok" of a failure that is mended, "failing"
// of one that a mutant makes, which must go on being seen. go test replays those
// under sim/testdata/found.
//
// # Another build
//
// Settings and decisions are found again by name. A setting that the file lacks
// has the value of the build; one that the build lacks, and a stream it does
// not have, are errors that list the known. A stream that the file lacks is quiet.
package counterexample
