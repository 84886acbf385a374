// Package faults describes what goes wrong in a run as data: a [Plan] is a list
// of faults, and of operations beside them, each with the condition at which it strikes, and has a text form
// that parses ([Parse]) and prints back ([Plan.String]). Conditions are
// predicates over trace events, so that a fault can be aimed at the window
// between two durable steps; an [Injector] watches a run and hands the driver
// the faults that are due. [Sweep] crashes at the k-th event for every k.
// docs/faults.md has every fault with what comes of it.
//
// # Text form
//
// A plan is one fault or (plan FAULT...); everything from a semicolon to the end
// of the line is a comment.
//
//	(crash worker=1 at (nth 7 barrier-received))
//	(crash coordinator at (nth 2 all-acked))
//	(crash worker=0 at (time 40ms))
//	(crash worker=2 at (nth 1 task-restored task=3 epoch=1.2))
//	(crash storage at (nth 3 store-issued))
//	(wipe worker=1 at (nth 1 completed))
//	(suspect worker=1 for 30ms at (nth 2 barrier-received))
//	(stall storage for 50ms at (nth 1 triggered))
//	(fail storage put outcome=applied at (nth 3 store-issued text="put snap/"))
//	(fail storage list outcome=stale at (nth 1 coordinator-crashed))
//	(delay storage create key="ckpt/" for 500ms at (nth 1 all-acked))
//	(delay control=1 down times=3 for 4ms at (nth 1 triggered))
//	(repeat control=1 up times=2 at (nth 1 snapshot-stored))
//	(cut control=1 up at (nth 1 snapshot-stored))
//	(slow link c3 by 20 for 10ms at (time 0s))
//	(slow worker=1 by 10 at (nth 1 triggered))
//	(corrupt storage key="snap/t3/" at (nth 2 completed))
//	(cut link c5 at (nth 4 barrier-received))
//	(stop coordinator at (nth 3 completed))
//	(abort sink at (nth 1 all-acked))
//	(jump worker=1 by -40ms at (time 5ms))
//	(drift worker=1 by 3 for 20ms at (time 5ms))
//	(drift coordinator=1 by 3 for 20ms at (time 5ms))
//	(crash worker=1 at (after (nth 1 worker-restarted) (nth 4 storage-event)))
//
// An operation is something that somebody does with the job, and stands among the
// faults; it hits the job and names no target. An operator is called by its name in the graph.
//
//	(rescale to=3 at (nth 2 completed))
//	(rescale operator=count to=4 at (nth 5 completed))
//	(failover at (nth 3 acked))
//	(failover for 80ms at (nth 3 acked))
//	(upgrade to=2 at (nth 3 completed))
//	(savepoint at (nth 9 emitted))
//	(stop-with-savepoint at (time 8ms))
//	(plan (stop-with-savepoint at (nth 3 completed)) (resume algorithm=uncoordinated state=pebble to=3))
//	(plan (rescale to=3 at (nth 2 completed)) (crash coordinator at (nth 1 stopped)))
//	(query operator=count at (nth 3 completed))
//
// A condition is (nth N EVENT FILTER...), (time D), or (after C1 C2 ...), in which
// each condition counts from when the one before it fired. EVENT is the name of
// a trace event, (any EVENT...), or one of the sets protocol-event,
// storage-event, external-event and sweep-event (all of these). Filters are
// task=N (or task=coordinator), channel=cN, epoch=A.K, attempt=N and
// text="PART"; tasks and channels are numbered by the graph of the moment, which an
// operation may change. Targets are worker=N, control=N (the connection between worker N
// and the coordinator), coordinator, coordinator=N (the clock of one of several processes), storage,
// source, sink and link cN. Durations are those of Go: 500us, 40ms, 1.5s.
//
// A fault strikes when the step in which its condition fired is over: to hit an
// operation that is issued together with an event, aim at an earlier one.
package faults
