package live

import (
	"slices"

	"weir/id"
	"weir/trace"
)

// LineMove is a task's point on the recovery line of a total failure moving
// forward to a snapshot.
type LineMove struct {
	At    int64 // time since Config.Epoch at which the coordinator knew
	Task  id.TaskID
	Epoch id.Epoch // of the task's snapshot
	Begun int64    // its instant, time since Config.Epoch; 0: an earlier process took it
}

// Line returns the moves of the recovery line of an algorithm without rounds so
// far, in order.
func (l *CheckpointLog) Line() []LineMove {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.line)
}

// advance moves the line, and marks the snapshots between the task's old point
// and its new one: the line has gone past them, and never goes back.
func (l *CheckpointLog) advance(e *trace.Event) {
	m := LineMove{At: e.Time, Task: e.Task, Epoch: e.Epoch}
	from := l.stands(e.Task)
	for i := len(l.local) - 1; i >= 0; i-- {
		s := &l.local[i]
		if s.Task != e.Task || s.Epoch > e.Epoch {
			continue
		}
		if s.Epoch <= from {
			break // its snapshots are in order
		}
		if s.PassedOver = s.Epoch < e.Epoch; !s.PassedOver {
			m.Begun = s.Begun
		}
	}
	l.line = append(l.line, m)
}

// stands returns the snapshot of a task that the line is on, or 0.
func (l *CheckpointLog) stands(t id.TaskID) id.Epoch {
	for i := len(l.line) - 1; i >= 0; i-- {
		if l.line[i].Task == t {
			return l.line[i].Epoch
		}
	}
	return 0
}
