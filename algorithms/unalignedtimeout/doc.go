// Package unalignedtimeout is Flink's aligned checkpoint with a timeout (FLIP-76,
// part 3; aligned-checkpoint-timeout): a round begins with aligned barriers, and a
// barrier that has waited too long turns into one that overtakes, at each task
// and queue on its own.
//
// What was read: FLIP-76 as it is summed up in Flink's documentation, the threads of
// FLINK-19680 (announcements), FLINK-19681 and 19682 (the timer), FLINK-23041 (from when
// it counts), FLINK-27251 (barriers in output queues), FLINK-33693 (forbidden edges),
// and the states of the barrier handler in Flink's source.
//
// Guarantee: exactly once on state, and on output with a transactional sink.
// Channels: FIFO, and their delivery can be blocked. Persisted per task: state,
// timers, positions, and what barriers have overtaken: of the inputs whose barrier
// had not had its turn, and of the outputs. Where nothing was overtaken that is nothing.
// Recovery: every task restarts from the newest complete checkpoint: state first, then
// output and input buffers, only then new data.
//
// Rules. Barriers are in-band and have no number, so that one can leave its place. The
// time of a round (CheckpointConfig.AlignmentTimeout) begins at a task with the first barrier
// that is queued on an input, or with the trigger.
//
// Aligned: on barrier n from input c, at its turn: block c. When every live input has
// brought n: send it on, behind what is queued; fix the state; unblock. The snapshot is not
// written before the barrier has left the output queues.
//
// Turned: when the time is over, or a barrier arrives that overtakes already: send the
// barrier ahead of everything queued on the outputs; fix the state; take the queued
// output; lift the barriers that wait on the inputs and take what they overtake;
// record the other inputs until their barrier; unblock. An input that has brought its
// barrier adds nothing.
//
// A queue turns alone: if the time is over after the state was fixed, the barrier is
// lifted in each output queue that still holds it, and what it overtakes there is added to
// the snapshot. Its receivers turn with it.
//
// Forbidden edges (pointwise and broadcast) are aligned even so: no barrier is lifted
// there, and a task with such an input aligns all its inputs. If the time is over
// when it has, its barrier overtakes on the outputs.
//
// Cycles, which Flink has not: back-edges are not waited for; what they bring
// until the barrier has come round is part of the snapshot in either form. As in
// package alignedcyclic a share of a round that was given up may be useless.
//
// Deviations. Time counts at each task from its first barrier, as at first in
// FLINK-19681, and not from the trigger at the coordinator: clocks of workers
// are not compared. One round at a time: a lifted barrier would pass those of older rounds.
// An input whose sender has left counts as complete when the end of its stream
// reaches its turn. A barrier that is queued is announced by the kernel on arrival, not by an
// item of its own.
package unalignedtimeout
