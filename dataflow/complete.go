package dataflow

import (
	"fmt"
	"slices"

	"weir/id"
	"weir/trace"
)

// Complete is the newest checkpoint that a coordinator has called complete. It stays so: no
// recovery goes back behind it, unless it is damaged and the job is allowed to. Zero: there is none.
type Complete struct {
	// Epoch is the checkpoint, of an algorithm that takes job-wide ones.
	Epoch id.Epoch
	// Line has by task the snapshot that can never be rolled back, of an algorithm whose tasks
	// take snapshots each for itself; nil: it does not, or some task has none yet.
	Line []id.Epoch
}

// None reports that it names nothing.
func (c *Complete) None() bool { return c.Epoch == 0 && c.Line == nil }

// Equal reports whether two are the same checkpoint.
func (c *Complete) Equal(o *Complete) bool {
	return c.Epoch == o.Epoch && slices.Equal(c.Line, o.Line)
}

// Name is how users read it: the epoch, or the epochs of the line by task.
func (c *Complete) Name() string {
	if c.Line == nil {
		return c.Epoch.String()
	}
	return fmt.Sprintf("line %v", c.Line)
}

// Completion gathers what a coordinator says of checkpoints that are complete. Its zero value has
// heard of none.
type Completion struct {
	epoch id.Epoch
	line  []id.Epoch // by task
	known int        // tasks of which the line has a snapshot
}

// Note takes what the coordinator of a job of so many tasks says: that a round is complete, from
// which checkpoint it starts the job again, or how far the line has come. Other kinds mean nothing here.
func (c *Completion) Note(k trace.Kind, tasks int, t id.TaskID, e id.Epoch) {
	switch {
	case e == 0: // a plan that begins from nothing
	case k == trace.Completed, k == trace.PlanExecuted:
		c.epoch = e
	case k == trace.LineAdvanced:
		if c.line == nil {
			c.line = make([]id.Epoch, tasks)
		}
		if c.line[t] == 0 {
			c.known++
		}
		c.line[t] = e
	}
}

// Newest returns the newest checkpoint that is complete. It is the caller's.
func (c *Completion) Newest() Complete {
	if c.line == nil || c.known < len(c.line) {
		return Complete{Epoch: c.epoch}
	}
	return Complete{Epoch: c.epoch, Line: slices.Clone(c.line)}
}
