// Package live is the real driver of package dataflow: the tasks of a job on
// goroutines, the wall clock, real storage. It runs the same Task, Protocol and
// Coordinator objects as the simulator and knows no algorithm.
//
// # Goroutines
//
// Each task incarnation has one goroutine and an inbox; only that goroutine
// steps the task. The coordinator and the roster of incarnations and connections
// (package roster) belong to one more goroutine, the control loop.
// Storage operations run on a bounded pool of workers, operations on the
// external store on another, each state transfer on a goroutine of its own (a
// bounded number at a time). All of them have ended when Job.Wait returns.
//
// # Order and fencing
//
// An inbox is FIFO, so what control posts to a task (a cut, then a message) is
// seen in that order. Every connection is an object of its own and every
// incarnation too: what arrives for a connection or an incarnation that is no
// longer the current one is dropped by comparing pointers. Nothing ever waits
// for a dead incarnation; the attempt fences it at the storage.
//
// # Bounds
//
// Data in an inbox is bounded by credits. A task with more than
// Config.Outstanding operations under way gets no turns until some complete,
// which is how slow storage becomes back-pressure.
//
// # Change
//
// A job can go on as another graph (Job.Change): the coordinator ends it with one more checkpoint, all
// tasks end, those of the other graph take their place, and a coordinator starts, which goes on from
// that checkpoint. What lies between two changes is a leg; what is said by, or asked of, tasks of a
// leg that is over is dropped.
//
// # Speed
//
// Costs are per buffer and per wakeup, never per record. Messages to a task are
// taken from its inbox all at once; a sleeping task is woken once; credits
// return in batches together with the buffers they stand for, which the sender
// uses again.
package live
