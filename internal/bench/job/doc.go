// Package job is one measured job in a process of its own, and what its parent
// needs to talk to it.
//
// The measuring process starts itself again as the child ([Start], [Child]) with
// a [Spec]. Both map the same file of [Counters]: how far each source has got,
// the phase, the moments that matter. The counters outlive a SIGKILL. What the
// child measures in detail it writes to a [Report] when its job has ended; a
// killed child leaves counters only.
//
// # Load
//
// A closed loop offers records as fast as the sources take them and gives
// throughput alone. An open loop offers them by a schedule: record n is
// intended at start + n/rate, whatever happened to the records before it, and a
// source that has fallen behind emits all that is due. Latency counts from the
// intended time.
//
// # Phases
//
// A timed repetition fills the state (as many records as the workload says,
// closed loop), warms up until the throughput of successive slices is
// steady, measures, and then lets the input end, so that the whole output can be
// compared with the reference over exactly the records that were handed out.
// A finite repetition runs a given number of records from the first to the last.
package job
