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
// Incarnations, plans, connections, failures. Tell the roster (package roster) what
// happens to tasks, connections and the coordinator, and carry out, in order, what it
// asks for. Its documentation is the contract. EvStart of a source has the offset that
// the source log has handed out.
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
