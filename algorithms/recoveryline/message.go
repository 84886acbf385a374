package recoveryline

import "weir/algorithms/coordinator"

// The kinds of message that a recovery has beside those of package coordinator.
const (
	Pause    coordinator.MessageKind = "pause"    // to a task: stop, make the log durable, report where you stand
	End      coordinator.MessageKind = "end"      // to a task: likewise, and take no snapshot any more: the job is over
	Position coordinator.MessageKind = "position" // from a task: live positions in Stored.Header
)
