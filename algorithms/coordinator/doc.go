// Package coordinator is what the coordinators of all snapshot algorithms
// share, whether they take snapshots in rounds or each task for itself: the
// client that issues storage operations and timers, the messages between
// coordinator and tasks, the durable records and plans, and where they stand in
// storage. What algorithms in rounds share is package rounds, what those with a
// recovery line share package recoveryline.
package coordinator
