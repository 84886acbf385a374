// Package rounds is what algorithms share that take job-wide snapshots in rounds:
// triggering, acknowledgements, the durable record that makes a checkpoint true,
// retention, deletion of what nothing refers to, and recovery of the whole job
// as durable numbered plans. Coordinated is the coordinator, Participant the
// half of one task, Alignment the wait for barriers.
//
// # What is durable before what
//
// A task's snapshot object and files -> its acknowledgement. All
// acknowledgements -> the checkpoint's record, by one conditional create -> its
// completion is announced -> sinks commit, older checkpoints are let go. A plan,
// by conditional create under its number -> Execute.
//
// # Which record counts
//
// A record can land after a recovery that did not see it (its create was under
// way when the coordinator died, or was delayed). That recovery has aborted the
// transactions of the round, so the record must never count. The durable plan
// therefore names the checkpoints it found; besides these only records of
// epochs begun by that very plan count. Every other record is garbage.
package rounds
