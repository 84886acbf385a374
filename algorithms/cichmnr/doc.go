// Package cichmnr is the fully informed protocol of communication-induced
// checkpointing: Helary, Mostefaoui, Netzer, Raynal, "Communication-Based
// Prevention of Useless Checkpoints in Distributed Computations", Distributed
// Computing 13(1), 2000, pages 29-43. The second condition and the merge of ckpt
// and taken were compared with the implementation in BlackSP, a research engine.
//
// Guarantee: exactly once on state and on output, and no snapshot is useless:
// each belongs to a consistent global one, as no zigzag path leads from it back
// to itself. Channels: FIFO. Persisted per task: that of package uncoordinated,
// and what the task knows. Recovery: package recoveryline, unchanged.
//
// Rules. A task has a clock lc, and knows of every task how many snapshots it has
// taken (ckpt), whether one lies on a way from there to here (taken), and whether
// its own clock is greater (greater). A snapshot adds one to lc and to its own
// ckpt and sets taken and greater for all others. Every message carries all of
// this. Before a delivery a snapshot is forced if a message has gone to some task
// k since the last one, the message's clock is higher than this task's, and its
// sender's than that of k; or if the message started from this very interval and
// passed a snapshot on its way. Then what the message knows is merged.
//
// Deviations. A message is a buffer; it is sent when it is sealed. The initial
// state is the first snapshot of everybody; of a task that was never heard of the
// entries are those that it gives. A task whose last snapshot is not stored yet
// takes no basic one, and a full one if it is forced. A forced snapshot that the
// storage refuses for good is not repeated: what depended on it may then be
// useless. A graph without cycles has no useless snapshots under any rule, and the
// second condition never holds there; the first one still costs its snapshots.
package cichmnr
