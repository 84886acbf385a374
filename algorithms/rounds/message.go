package rounds

import "weir/algorithms/coordinator"

// The kinds of message that rounds have beside those of package coordinator.
const (
	Trigger coordinator.MessageKind = "trigger"       // to a task: begin Epoch, incremental against Base, if no input will bring it
	Abort   coordinator.MessageKind = "abort"         // to a task: Epoch is given up
	Drained coordinator.MessageKind = "drained"       // from a task: its last record is processed
	Leaving coordinator.MessageKind = "leaving after" // from a task: it takes no round above Epoch any more
)
