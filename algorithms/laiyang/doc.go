// Package laiyang is the snapshot for channels that reorder: Lai, Yang, "On Distributed
// Snapshots", Information Processing Letters 25(3), 1987. The paper's own text was not at
// hand. The rules agree with the account of Nesterenko, who has read the original (course list cs63201, Kent
// State University, 13 March 2010): one snapshot with two colours; a number in the place of the
// colour for more; a process submits the messages sent and received since the snapshot before; what was
// both sent and received need not be kept; how long a message stays in a channel has no bound.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: any order. Nothing is blocked, and nothing waited for that is under way. Persisted
// per task: state, timers, positions (of a channel that reorders as a set), and of every output the
// messages that its receiver had not had. Recovery: every task restarts from the newest complete
// checkpoint, and sends those messages again before new ones.
//
// Rules. Every message has the colour of its sender: white before its snapshot, red after. A
// task may turn red at any time, and does so before it handles the first red message. It keeps
// the white messages that it has sent, and what it has received. The state of a channel
// is the difference of the two histories: what was sent white and not received white.
//
// The colour is the number of the round, so that white and red mean older and newer. A history
// of what was received is its positions. The coordinator collects those of a round and tells every
// task what its receivers had; the task, which has the messages, writes those that they had
// not had and forgets the others. So the difference is taken where the messages are, and only
// it is stored.
//
// Deviations from the paper. It leaves open how all get to turn red, and how histories come
// together: the coordinator does both, as its initiator would. A
// task that has sent its last message stays until nobody lacks any of it: nobody else could
// send it again. Two rounds at once are apart by their numbers; one that some task has not
// taken before the newer is given up.
package laiyang
