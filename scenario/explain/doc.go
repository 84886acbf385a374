// Package explain makes of one run what a person can learn from: who did what
// in which order, which event broke a promise, and what led to it. The same
// [Run] is told as numbered sentences, drawn as a page, and written for Perfetto.
//
// # Causes
//
// An event is caused by what came before it on its line (a task's incarnation,
// the coordinator), by the message, buffer or barrier that it received, and by the issue, effect
// or answer of its operation. Storage and the sink store are no processes: operations on
// different objects, or of different tasks, have no order that matters there. The causal
// past of an event is all that reaches it by these steps. It is large; the chain that is
// shown is the part that is about the same epoch, key, channel, or life of a task.
//
// Messages between tasks and coordinator are no events of a trace. Their arrows go from
// what is told to what comes of it: a trigger to the snapshot that it begins, a stored
// snapshot to its acknowledgement, a completed checkpoint to the commit, a plan to the start of a task.
package explain
