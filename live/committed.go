package live

import (
	"context"

	"weir/dataflow"
)

// Committed returns the newest complete checkpoint. By the time it is read from storage a
// newer one may be complete and this one deleted: whoever misses an object of it, asks again. No
// object is gone before what Committed returns is newer: the coordinator asks for a deletion while it
// deals with the event with which it said so, and nobody looks meanwhile. Errors wrap ErrEnded, or are
// those of ctx.
func (j *Job) Committed(ctx context.Context) (dataflow.Complete, error) {
	var now dataflow.Complete
	if err := j.look(ctx, func(c *control) error { now = c.complete.Newest(); return nil }); err != nil {
		return dataflow.Complete{}, err
	}
	return now, nil
}
