// Package seed is the only place a simulated run gets randomness from: named
// streams derived from one seed, and the tape on which every decision drawn
// from them can be recorded, replayed, shortened and read.
//
// # Streams
//
// A [Source] is built from a seed. Source.Stream names a [Stream] by purpose
// and key, for example Stream("link.delay", from, to). The k-th draw of a stream is a
// function of (seed, name, key, k) and of its own bound only: a draw added in
// one stream moves nothing in any other, nor does a changed bound move the
// draws behind it.
//
// # Zero is quiet
//
// Every decision is a number below some n, and 0 is always the quiet choice:
// deliver in order, no delay, no fault, nothing survives by luck. Callers must number
// their options accordingly. Hence a run whose tape has run out is a calm run,
// and setting positions of a tape to 0 makes a failing run simpler.
//
// # The tape
//
// A [Tape] holds one [Decision] per draw, in draw order, each with the identity
// of its stream. Replay looks decisions up per stream, in order, so that a tape
// with decisions deleted from one stream stays in step in all the others; a
// value that does not fit the bound asked for is reduced modulo it.
//
// Data that has no quiet choice (the records of a workload) is better drawn
// from a Source of its own, which is neither recorded nor replayed.
//
// Nothing here is safe for concurrent use: a run is one goroutine.
package seed
