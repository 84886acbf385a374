// Package exhaustive searches all that can happen in a small job: every order of
// deliveries, completions, timers and turns of sources that is another one than those
// before, and crashes after every durable step.
//
// A run is a sequence of choices among what is pending (sim.Order says what is free).
// The search goes depth first. It keeps no state of a job but makes the run again up to
// the choice that it changes, so that what is searched is the production code and
// nothing else, and every violation is a list of choices that replays.
//
// # What is left out
//
// Steps that touch no party in common come to the same in either order. A sleep set
// holds the options of a point that were tried there, or before, and that nothing since has
// touched: to take one of them leads where the search has been (P. Godefroid,
// Partial-Order Methods for the Verification of Concurrent Systems, LNCS 1032, 1996,
// chapter 5). Which parties a step touches is seen when it happens, as in C. Flanagan and
// P. Godefroid, Dynamic Partial-Order Reduction for Model Checking Software, POPL 2005.
// That is sound here: what a step does depends on the parties that it touches, what
// is possible stays so until it happens (or has become void), and a step that may touch more
// than can be told counts as touching all.
//
// A point whose image was seen before is not searched again: what follows is the same.
// With sleep sets this needs care, as the first visit may have left out what the
// second must not (Godefroid, section 5.3): with each image stands what slept at all
// visits so far, and of a later visit the rest is tried.
//
// A crash can be chosen where the step before made something durable. A step that
// does so commutes with none as long as a crash is left, so that there is a crash between
// any two of them and at every volatile cut at which it can be found. Crashes at one
// image (bytes in storage, state of the sink store, all that is volatile and under way)
// are one.
//
// # What is not covered
//
// What oracles remember of the past is not in an image. A violation that needs both
// another past and a future that is the same would be missed; both were judged, but
// not together. Two images that collide (64 bits) would be taken for one. A continuation of a
// coordinator is a closure, of which only the code and the operation that it waits for are seen.
//
// What sim.Order lets follow at once is not delayed: a read answers with what is there when it
// is asked, a deletion is at once, a crash comes before the caller of a durable step hears of it or
// after the next one. With Bounds.Prompt what tasks tell the coordinator arrives in the order in
// which they say it, and behind a crash what the coordinator tells a task arrives before anything else happens. Timers behind the horizon, such as the timeout of a round, fire only when nothing else
// can. There is room for all buffers, so that nobody waits for credit. Failing operations and
// damage are not choices here.
package exhaustive
