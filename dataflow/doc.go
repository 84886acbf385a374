// Package dataflow is the core of weir: graphs, tasks, buffers and the contract
// between tasks, snapshot algorithms and drivers. It is sans-I/O: a Task is a
// step machine (one Event in, effects to its Host), and so is a Coordinator. It
// starts no goroutine, reads no clock, draws no random number and takes no lock.
//
// # Parties
//
// The driver (package sim or live) moves buffers, credits, timers and
// storage operations, and starts and fences incarnations; it knows no algorithm.
// The kernel (Task) owns queues, positions, the operator, snapshot assembly and
// restore. A Protocol is the per-task half of an algorithm and is called by the
// kernel only; a Coordinator is the other half and is called by the driver only.
//
// # What a driver must do
//
// Start. Build the coordinator and call Start. It makes a durable plan and calls
// Execute. A restarted coordinator does the same.
//
// Execute(plan), in one step of the driver's order: plans whose number is not
// above the last one executed are ignored. For each task with Restart: drop its
// incarnation if there is one (Close it; its timers, connections and completions
// die with it), restart its worker if that is down, build a new Task and give it
// EvStart with the plan's number as attempt and, for sources, the offset that the
// source log has handed out. For each task with Keep: EvKeep.
//
// Connections. A channel's connection consists of the sender's output queue, the
// wire and the receiver's input queue. When either end's incarnation is replaced
// or has failed, the driver empties the wire and gives the surviving end
// EvCutOutput or EvCutInput, at once. When both ends have called Host.Ready for
// the newest plan, it gives the sender EvConnected with the position that the
// receiver reported for that input. A connection between two kept tasks stays as
// it is. Credits, replies and buffers of an older connection are dropped.
//
// Failures. A driver that notices that tasks have failed (their worker crashed,
// or Host.Fail) first cuts the survivors off from them, then calls
// Coordinator.Failed. Every Host.Ready becomes Coordinator.Ready with the number
// of the newest plan; Host.Left becomes Coordinator.Left.
//
// Messages. A message between coordinator and task belongs to the incarnation
// that the task had when it was sent and is dropped when another one runs. It
// may be delayed, reordered against other messages, or lost only if one end dies.
//
// Turns. After every Step the driver asks Task.Runnable and sees to it that an
// EvTurn follows while that is so. Everything else is delivered when it happens.
//
// Storage and external operations complete at most once to the incarnation that
// issued them; when that is gone, the operation itself may still take effect.
//
// Recycling. A buffer passed to Host.Credit is the driver's again; NewBuffer may
// hand out its memory. Buffers with Shared set are never passed there.
package dataflow
