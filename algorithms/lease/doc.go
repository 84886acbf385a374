// Package lease decides which of several processes is the coordinator of a job:
// the one that holds the newest lease in checkpoint storage.
//
// A lease is an object lease/N, made by conditional create; a renewal is the next
// number. Nothing else is asked of storage than to create, list, read and delete. Of
// clocks nothing is believed but that two of them differ by at most Config.Drift over
// the duration of a lease: no time is ever compared with another process's.
//
// A holder counts from before it asked for its lease, a candidate from when it first
// knew of it; so the holder has stopped, by anybody's clock, before the candidate asks
// for the next. A lease that was created counts only once its maker has seen that no
// higher number stands: below it a number that was deleted may be free again.
//
// Where clocks break the bound, two processes may both believe to hold the lease. That
// does no harm: what a coordinator does to checkpoints is fenced by the numbers alone
// (coordinator.Client.Confirm). See docs/rfcs/0007-availability.md.
//
// The way is that of C. Gray and D. Cheriton, Leases: An Efficient Fault-Tolerant
// Mechanism for Distributed File Cache Consistency, SOSP 1989, with a log of numbered
// objects in place of the server.
package lease
