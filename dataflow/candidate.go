package dataflow

import (
	"weir/id"
	"weir/state"
)

// Candidate campaigns for the lead in one coordinator process, and knows while it has it
// whether it still does: a party of package algorithms/lease. It is stepped by its
// process, on one goroutine, gets what it has asked its host for, and nothing after End.
type Candidate interface {
	Start()
	Done(t id.Ticket, r state.Result)
	Timer(t id.Ticket)
	// Holds reports whether it has the lead now, by the clock of its process.
	Holds() bool
	End()
}

// CandidateHost is what a candidate asks of its process; see lease.Host.
type CandidateHost interface {
	After(d Nanos) id.Ticket
	Store(op state.Op) id.Ticket
	// Now is the clock of the process, in nanoseconds. It does not go back.
	Now() int64
	// Acquired: the candidate has the lead; Expired: it has it no longer, and is done.
	Acquired()
	Expired()
}
