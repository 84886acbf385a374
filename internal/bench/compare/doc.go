// Package compare tells whether one build of a program is slower than another.
//
// Two builds, A and B, are measured in blocks of four short repetitions, A B B A
// and B A A B in turn, so that a machine that slows down or speeds up within a
// block does so for both. A block gives one ratio: what B took over what A took,
// two repetitions over two. The result is the median of the blocks' ratios with a
// 95 % bootstrap interval over blocks: a block is the unit that is drawn, because
// repetitions next to each other are not independent.
//
// What a repetition takes is processor time per operation. Where the benchmark
// reports a rate per CPU-second of its own loop (a unit that ends in /cpu-s), that
// is it: no start, no set-up, and the operations are those that were done.
// Otherwise it is the processor time of the whole process, children included,
// minus that of a process that does two operations, over the operations between:
// start and set-up cancel, and their noise stays. Both builds run the same number
// of iterations, which is found out once.
package compare
