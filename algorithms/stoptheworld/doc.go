// Package stoptheworld is the synchronous checkpoint of Naiad: Murray, McSherry,
// Isaacs, Isard, Barham, Abadi, "Naiad: A Timely Dataflow System", SOSP 2013,
// section 3.4: workers and message delivery are paused, queues are flushed,
// every stateful vertex is checkpointed, and only then does work go on. The paper's
// own text was not at hand: the rules agree with the account of it in Carbone et
// al., arXiv 1506.08603, section 2, of which the relevant part was read.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: FIFO. Persisted per task: state, timers, positions; channels are
// empty. Recovery: every task restarts from the newest complete checkpoint. The
// price is latency: nothing enters the job until its slowest task has stored
// its share.
//
// Rules. The coordinator probes all tasks. At the first probe of a round a source
// pauses, and every task holds its timers of processing time; everybody answers with the positions of its channels. Once every
// receiver has what its sender has sent, in one wave of answers, nothing is under
// way: the answers are a cut that leaves every channel empty, and nothing was
// received before it that was sent behind it, or that channel's counts would
// differ; so no task has anything left to do. This holds channel by channel, on
// cycles too: sums over channels would need a second wave.
// Every task is then told to snapshot. The completion of the round lets sources and
// timers go on, as does its end by failure.
//
// Deviations from the paper: the job is found to be drained by counting, as
// there is no progress tracker to ask; tasks between the sources are not paused:
// with their timers of processing time held they have nothing to do; each task's
// state is fixed at once and written behind, but sources and timers wait until it
// is durable: what a timer sent to a task whose share is still to come would be
// in no snapshot's past. A held timer fires late by as much as the round takes.
package stoptheworld
