package live

import (
	"context"
	"slices"

	"weir/id"
	"weir/trace"
)

// Cut is the newest checkpoint that the coordinator has called complete. It stays so: no
// recovery goes back behind it, unless it is damaged and the job is allowed to.
type Cut struct {
	// Epoch is the checkpoint, of an algorithm that takes job-wide ones; 0: there is none.
	Epoch id.Epoch
	// Line has by task the snapshot that can never be rolled back, of an algorithm whose tasks
	// take snapshots each for itself; nil: it does not, or some task has none yet.
	Line []id.Epoch
}

// Committed returns the newest complete checkpoint. By the time it is read from storage a
// newer one may be complete and this one deleted: whoever misses an object of it, asks again. No
// object is gone before what Committed returns is newer. Errors wrap ErrEnded, or are those of ctx.
func (j *Job) Committed(ctx context.Context) (Cut, error) {
	var now Cut
	if err := j.look(ctx, func(c *control) error { now = c.cut.show(); return nil }); err != nil {
		return Cut{}, err
	}
	return now, nil
}

// committed is what the coordinator has said of checkpoints that are complete. It asks for a
// deletion while it deals with the event with which it said so, and nobody looks meanwhile.
type committed struct {
	epoch id.Epoch
	line  []id.Epoch // by task
	known int        // tasks of which the line has a snapshot
}

// note takes what the coordinator says: that a round is complete, from which checkpoint it starts
// the job again, or how far the line has come.
func (c *committed) note(k trace.Kind, t id.TaskID, e id.Epoch) {
	switch {
	case e == 0:
	case k == trace.Completed, k == trace.PlanExecuted:
		c.epoch = e
	case k == trace.LineAdvanced:
		if c.line[t] == 0 {
			c.known++
		}
		c.line[t] = e
	}
}

// reshape takes the number of tasks of another graph. What is complete stays so.
func (c *committed) reshape(tasks int) { c.line, c.known = make([]id.Epoch, tasks), 0 }

func (c *committed) show() Cut {
	if c.known == 0 || c.known < len(c.line) {
		return Cut{Epoch: c.epoch}
	}
	return Cut{Epoch: c.epoch, Line: slices.Clone(c.line)}
}
