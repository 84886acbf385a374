// Package mattern is the snapshot for channels that reorder which counts messages instead of
// keeping them: Mattern, "Efficient Algorithms for Distributed Snapshots and Global Virtual Time
// Approximation", Journal of Parallel and Distributed Computing 18(4), 1993. The paper's own text
// was not at hand. What was read is an implementation of its other half, the approximation of virtual time, in
// the Time Warp kernel warped of the University of Cincinnati (TimeWarpMatternGVTManager), which has one counter and a
// token: a white send adds one, a white receipt takes one off, and all that is white has been received when the sum over
// all processes, which are red then, is 0. That the counters form a vector, with an entry for each receiver, and that
// late messages are the channel's state, could not be checked against a second source.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: any order. Nothing is blocked. Persisted per task: state, timers, positions (of a channel
// that reorders as a set), and of every input the messages sent before their sender's snapshot
// and handled after the task's own. Recovery: every task restarts from the newest
// complete checkpoint: its state, then those messages, then new ones.
//
// Rules. As Lai and Yang have it, every message has the colour of its sender, and a task takes its
// snapshot, and turns red, before it handles the first red message. A vector V counts at
// each task: V[j] is the number of white messages sent to j, less one for every one received by j
// itself. The vectors of all are added up at their snapshots: the sum for j is what was under way
// to it. A white message that a red task handles is a message that crosses the cut: it
// is the channel's state, and counts. A task has its share when as many have come.
//
// The colour is the number of the round. Messages are counted in items (records, watermarks, ends):
// positions are counts.
//
// Deviations from the paper. The coordinator is the initiator, and adds the vectors up in a star; its
// control message goes out and comes back once, where a token would visit one process after
// the other. A task keeps the messages that cross the cut itself, in its share, where the paper has copies
// sent to the initiator. A message counts when it is handled, not when it arrives. Two rounds at once
// are apart by their numbers; one that some task has not taken before the newer is given up.
package mattern
