// Package recoveryline is what algorithms share whose tasks snapshot for
// themselves and find the whole afterwards: Elnozahy, Alvisi, Wang, Johnson, "A
// Survey of Rollback-Recovery Protocols in Message-Passing Systems", ACM
// Computing Surveys 34(3), 2002, section 4.1. Participant is the half of one
// task with its message logs, Coordinator keeps the histories and finds the
// lines.
//
// # What is durable before what
//
// Every sent buffer is appended to the durable log of its channel. A snapshot
// becomes visible only when the logs are durable up to the positions it says it
// has sent.
//
// # Recovery
//
// The survivors stop, make their logs durable and report where they stand.
// Starting from the newest snapshot of each failed task and the live end of each
// survivor, the receiver of an orphan (it has delivered what its sender, as it
// will be, has not sent) goes back to its newest snapshot that has not, until
// nothing changes: the recovery line. Survivors that stand on the line are kept;
// the others restart from their snapshot; what lies between a receiver's and its
// sender's position is replayed from the log.
//
// # Output and collection
//
// Sink transactions up to a snapshot are committed once that snapshot is on the
// line of a total failure: no failure can roll it back any more. Snapshots and
// logs are collected only behind that line, which is advanced at every
// acknowledgement and only moves forward.
//
// # Which snapshots count
//
// A snapshot can land after the recovery that rolled its task back. The durable
// plan therefore carries each task's lineage: the attempts whose snapshots
// count, and up to which epoch.
//
// # Damage
//
// With checkpoint.fallback a snapshot that cannot be read is left out, and the line
// is found among the others: ahead of the line of a total failure there is all that it
// takes. Behind it is garbage. Some of that may still be there, and a coordinator that
// starts knows neither how far the line had come nor which logs were trimmed for
// it: that stands nowhere but in storage itself. So it tries. Nothing left to begin
// with, or a log that is gone, ends the job, and the error names the snapshot that is
// damaged: nothing makes up for a log.
//
// # Deviation
//
// Appends are asynchronous and may trail what is sent: the receiver of an
// unlogged message is then an orphan if its sender dies.
package recoveryline
