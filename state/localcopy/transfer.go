package localcopy

import (
	"errors"
	"io/fs"

	"weir/id"
	"weir/state"
)

// capture is a snapshot being written, and copied on the way.
type capture struct {
	state.Capture
	shelf *shelf
	epoch id.Epoch
	begun []string // files that copies are kept of before it is done
	over  bool
}

var _ state.ChangeMeter = (*capture)(nil)

// Next copies what is about to be stored. What stands in a local file already is not written
// once more, but linked, when it is known what the snapshot has.
func (c *capture) Next(results []state.Result) ([]state.Op, bool, error) {
	ops, done, err := c.Capture.Next(results)
	resident, _ := c.Capture.(state.Resident)
	for i := range ops {
		op := &ops[i]
		if op.Kind != state.OpPut || c.shelf.has(op.Key) {
			continue
		}
		c.shelf.writing(op.Key)
		c.begun = append(c.begun, op.Key)
		path, ok := "", false
		if resident != nil {
			path, ok = resident.Resident(op.Key)
		}
		if ok {
			c.shelf.link(op.Key, path)
		} else {
			c.shelf.keep(op.Key, op.Data)
		}
	}
	if done && !c.over {
		c.finish(resident)
	}
	return ops, done, err
}

// finish keeps also what the snapshot shares with the one before.
func (c *capture) finish(resident state.Resident) {
	c.over = true
	files := c.Capture.Handle().Files
	if resident != nil {
		for i := range files {
			if path, ok := resident.Resident(files[i].Name); ok {
				c.shelf.link(files[i].Name, path)
			}
		}
	}
	c.shelf.written(c.epoch, c.begun, append([]state.FileRef{}, files...))
}

// Changed is what the capture within knows.
func (c *capture) Changed() (bytes int64, known bool) {
	if m, ok := c.Capture.(state.ChangeMeter); ok {
		return m.Changed()
	}
	return 0, false
}

// Discard lets the copies go too, unless the snapshot is written.
func (c *capture) Discard() {
	c.Capture.Discard()
	if !c.over {
		c.over = true
		c.shelf.written(c.epoch, c.begun, nil)
	}
}

// restore answers what the restore within it asks for from copies.
type restore struct {
	inner   state.Transfer
	adopter state.Adopter // the inner one, nil if it takes no local files
	shelf   *shelf
	counts  *state.CopyCounts
	files   map[string]state.FileRef // by name, of all handles
	remote  map[string]bool          // of them, those that storage is asked for
	own     bool                     // there is one handle: what is read from storage is worth a copy

	ops     []state.Op     // that the inner one waits for
	results []state.Result // of them; no status: not there yet
	asked   []int          // those that the driver carries out
}

// Next hands out what no copy answers. If copies answer all, there is nothing to wait for.
func (r *restore) Next(results []state.Result) ([]state.Op, bool, error) {
	for i, k := range r.asked {
		r.arrived(&r.ops[k], results[i])
		r.results[k] = results[i]
	}
	ops, done, err := r.inner.Next(r.results)
	r.ops, r.results, r.asked = ops, make([]state.Result, len(ops)), r.asked[:0]
	var rest []state.Op
	for i := range ops {
		if !r.copied(i) {
			rest, r.asked = append(rest, ops[i]), append(r.asked, i)
		}
	}
	return rest, done, err
}

// copied answers an operation from a copy if there is a good one.
func (r *restore) copied(i int) bool {
	op := &r.ops[i]
	f, ok := r.files[op.Key]
	if op.Kind != state.OpGet || !ok || r.remote[op.Key] {
		return false
	}
	res, err := r.take(&f)
	switch {
	case err == nil:
		r.counts.Taken++
		r.results[i] = res
		return true
	case errors.Is(err, fs.ErrNotExist):
		r.counts.Missing++
	default:
		r.counts.Damaged++
	}
	r.shelf.drop(op.Key)
	r.remote[op.Key] = true
	return false
}

// take returns the copy of a file as the answer to whoever wants to read that.
func (r *restore) take(f *state.FileRef) (res state.Result, err error) {
	if !r.shelf.has(f.Name) {
		return res, fs.ErrNotExist
	}
	res.Status = state.OK
	if r.adopter != nil && r.adopter.Adopts(f.Name) {
		res.File, err = r.shelf.path(f.Name), r.shelf.check(f)
	} else {
		res.Data, err = r.shelf.content(f)
	}
	return res, err
}

// arrived keeps a copy of what was read from storage. What the inner restore makes a local file
// of is linked by the next snapshot.
func (r *restore) arrived(op *state.Op, res state.Result) {
	if !r.own || op.Kind != state.OpGet || res.Status != state.OK || r.adopter != nil && r.adopter.Adopts(op.Key) {
		return
	}
	if _, ok := r.files[op.Key]; ok {
		r.shelf.keep(op.Key, res.Data)
	}
}
