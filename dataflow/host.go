package dataflow

import (
	"weir/id"
	"weir/state"
)

// Host is what a task asks of its driver. Calls never block and never call
// back; what comes of them arrives as a later Event.
type Host interface {
	// Send puts b on the wire of an output: connection, credit and hold were checked.
	Send(out int, b *Buffer)
	// Credit returns n credits to the sender of an input. b, if not nil, was
	// consumed and may be recycled: nobody holds it or its bytes.
	Credit(in, n int, b *Buffer)
	// Back sends a reply to the sender of an input.
	Back(in int, data []byte)
	// Tell sends to the coordinator.
	Tell(data []byte)
	Timer(t id.Ticket, d Nanos)
	Store(t id.Ticket, op state.Op)
	// Transfer carries tr out off the processing path, operations repeated as it says.
	Transfer(t id.Ticket, tr state.Transfer)
	External(t id.Ticket, op ExtOp)
	// Draw makes a choice below n; 0 is the quiet default.
	Draw(c Choice, n int) int
	// Now is processing time in nanoseconds; Random a random number. For operators only; recorded.
	Now() int64
	Random() uint64
	// HandedOut tells the source log that records (from, to] of a split were handed out.
	HandedOut(s id.SplitID, from, to id.Offset)
	// Ready: the plan is carried out; delivered has the position of every input.
	Ready(delivered []id.Seq)
	// Left: the task has finished and gone.
	Left()
	// Fail: the task cannot go on. The driver treats it as crashed.
	Fail(err error)
	// NewBuffer returns an empty buffer with room for Config.BatchBytes, recycled if possible.
	NewBuffer() *Buffer
}

// EventKind is the kind of an Event.
type EventKind uint8

const (
	// Source: N: it emits at most N records, 0 = Config.SourceBatch; Port: of its
	// split number Port-1 (Task.Split), 0 = of one that it chooses.
	EvTurn      EventKind = iota + 1
	EvArrive              // Port, Buffer
	EvCredit              // Port, N
	EvStart               // Plan, Attempt, Offsets
	EvKeep                // Plan, Attempt
	EvCutInput            // Port: the connection is gone with all it held
	EvCutOutput           // Port
	EvConnected           // Port (output), Seq: the receiver has everything up to Seq
	EvTimer               // Ticket
	EvStored              // Ticket, Result
	EvTransfer            // Ticket, Err: the transfer is done or has failed for good
	EvExternal            // Ticket, Ext
	EvMessage             // Data: from the coordinator
	EvReply               // Port (output), Data
)

// Event is one input of a task's Step. The driver owns it and may reuse it
// after Step returns; Buffer and Data pass to the task.
type Event struct {
	Kind    EventKind
	Ext     ExtStatus
	Port    int
	N       int
	Buffer  *Buffer
	Seq     id.Seq
	Ticket  id.Ticket
	Attempt id.Attempt
	Plan    *TaskPlan
	Offsets []id.Offset // EvStart: what the source log has handed out, by split of Plan
	Data    []byte
	Result  state.Result
	Err     error
}
