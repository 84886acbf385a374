package check

import (
	"slices"
	"strings"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// retained is a complete checkpoint that recovery may need.
type retained struct {
	epoch id.Epoch
	key   string // of its record
	refs  []string
}

// retain begins to watch over a complete checkpoint, after reading it in full.
func (c *Checker) retain(e id.Epoch) {
	if c.x.Storage == nil || c.x.Layout.RecordKey == nil {
		return
	}
	r := retained{epoch: e, key: c.x.Layout.RecordKey(e)}
	data, ok := c.read(e, r.key, "the checkpoint is complete, but its record cannot be read")
	if !ok {
		return
	}
	refs, err := c.x.Layout.References(r.key, data)
	if err != nil {
		c.violate(StorageWhole, trace.Coordinator, e, "record %s: %v", r.key, err)
		return
	}
	r.refs = refs
	c.retained = append(c.retained, r)
	c.verify(&r)
}

// read gets an object with its checksum verified.
func (c *Checker) read(e id.Epoch, key, what string) ([]byte, bool) {
	r := c.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status == state.OK {
		return r.Data, true
	}
	if c.damaged && r.Status == state.Corrupt {
		return nil, false // a fault did it
	}
	c.violate(StorageWhole, trace.Coordinator, e, "%s: %s: %s", what, key, resultText(r))
	return nil, false
}

func resultText(r state.Result) string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return r.Status.String()
}

// verify reads everything that a checkpoint needs.
func (c *Checker) verify(r *retained) {
	for _, key := range r.refs {
		c.read(r.epoch, key, "the retained checkpoint cannot be restored")
	}
}

// verifyAll reads every retained checkpoint: at a crash and at the end.
func (c *Checker) verifyAll() {
	for i := range c.retained {
		r := &c.retained[i]
		c.read(r.epoch, r.key, "the record of the retained checkpoint cannot be read")
		c.verify(r)
	}
}

// subsumed: the checkpoint is no longer needed.
func (c *Checker) subsumed(e id.Epoch) {
	c.retained = slices.DeleteFunc(c.retained, func(r retained) bool { return r.epoch == e })
}

// baseChosen: recovery goes back to checkpoint e, so it must be whole, whether or
// not anybody saw it complete. A coordinator that has died may have had others
// in mind than the one that took over: those are no longer watched.
func (c *Checker) baseChosen(e id.Epoch) {
	if e == 0 || !c.x.Coordinated {
		return
	}
	if !slices.ContainsFunc(c.retained, func(r retained) bool { return r.epoch == e }) {
		c.retain(e)
	}
	if c.orphaned {
		c.retained = slices.DeleteFunc(c.retained, func(r retained) bool { return r.epoch != e })
		c.orphaned = false
	}
}

// storeApplied watches what happens to the objects of retained checkpoints.
func (c *Checker) storeApplied(e *trace.Event) {
	key := e.Key
	switch e.Op {
	case trace.Delete:
		delete(c.present, key)
		c.deleted(key, e)
	case trace.Put, trace.Create:
		if !c.present[key] { // else it could be found before, and this is the same write again
			c.present[key] = true
			c.landed = append(c.landed, landing{key, c.now})
		}
		if e.Op == trace.Put {
			c.overwritten(key, e)
		}
	case trace.List:
		if i := slices.IndexFunc(c.listings, func(l landing) bool { return l.key == key }); i >= 0 {
			c.listings[i].at = c.now
		} else {
			c.listings = append(c.listings, landing{key, c.now})
		}
	default:
	}
}

// landing is a key or prefix with the time of an operation on it.
type landing struct {
	key string
	at  int64
}

// storeIssued notes who looks: the answer to a coordinator that has died since
// tells nobody anything.
func (c *Checker) storeIssued(e *trace.Event) {
	if e.Op == trace.List {
		c.asked = append(c.asked, e.Key)
	}
}

// storeDone: what had landed when somebody looked and got an answer can be
// found and deleted. Later than that nobody can know of it.
func (c *Checker) storeDone(e *trace.Event) {
	if e.Op != trace.List {
		return
	}
	prefix, answered := e.Key, e.Outcome == trace.OK
	i := slices.Index(c.asked, prefix)
	if i < 0 {
		return
	}
	c.asked = slices.Delete(c.asked, i, i+1)
	if !answered || c.done {
		return
	}
	for _, l := range c.listings {
		if l.key == prefix {
			c.landed = slices.DeleteFunc(c.landed, func(x landing) bool { return x.at < l.at && strings.HasPrefix(x.key, prefix) })
		}
	}
}

// unknown reports whether a key landed too late to be found.
func (c *Checker) unknown(key string) bool {
	return slices.ContainsFunc(c.landed, func(l landing) bool { return l.key == key })
}

// deleted: an object that a retained checkpoint needs must stay. Without its
// record a checkpoint is retained no longer, unless it is the newest.
func (c *Checker) deleted(key string, e *trace.Event) {
	for i := range c.retained {
		r := &c.retained[i]
		if r.key == key {
			if i == len(c.retained)-1 {
				c.violate(StorageWhole, e.Task, r.epoch, "the record of the newest complete checkpoint was deleted: %s", key)
			}
			c.retained = slices.Delete(c.retained, i, i+1)
			return
		}
	}
	for i := range c.retained {
		if r := &c.retained[i]; slices.Contains(r.refs, key) {
			c.violate(StorageWhole, e.Task, r.epoch, "%s was deleted, which the retained checkpoint needs", key)
		}
	}
}

// overwritten: a put under a name in use must leave the object readable as it was.
func (c *Checker) overwritten(key string, e *trace.Event) {
	for i := range c.retained {
		r := &c.retained[i]
		if k := slices.Index(r.refs, key); k >= 0 {
			c.read(r.epoch, key, "an object that the retained checkpoint needs was written again")
			return
		}
	}
}

// noteDamage: from here on an unreadable object may be the fault's doing.
func (c *Checker) noteDamage(e *trace.Event) {
	if e.Cause == trace.Damage {
		c.damaged = true
	}
}

// finishStorage: at the end every retained checkpoint is whole, and only what
// it needs is left. What landed after the storage was last listed is exempt.
func (c *Checker) finishStorage() {
	if c.x.Storage == nil {
		return
	}
	c.verifyAll()
	if c.x.Layout.Roots == nil {
		return
	}
	c.keys = c.keys[:0]
	for key := range c.x.Storage.Objects() {
		c.keys = append(c.keys, key)
	}
	clear(c.needed)
	for i := range c.retained {
		c.need(c.retained[i].key)
	}
	for _, key := range c.x.Layout.Roots(c.keys) {
		if !c.unknown(key) { // a late record counts for nothing
			c.need(key)
		}
	}
	var left []string
	for _, key := range c.keys {
		if !c.needed[key] && !c.unknown(key) {
			left = append(left, key)
		}
	}
	if len(left) > 0 {
		c.violate(StorageWhole, trace.Coordinator, 0, "%d of %d objects in storage are needed by nothing and were not deleted: %s", len(left), len(c.keys), strings.Join(left[:min(len(left), 3)], ", "))
	}
}

// need marks an object and everything that it refers to.
func (c *Checker) need(key string) {
	if c.needed[key] {
		return
	}
	c.needed[key] = true
	data, ok := c.read(0, key, "an object that is still referred to cannot be read")
	if !ok || c.x.Layout.References == nil {
		return
	}
	refs, err := c.x.Layout.References(key, data)
	if err != nil {
		c.violate(StorageWhole, trace.Coordinator, 0, "%s: %v", key, err)
	}
	for _, r := range refs {
		c.need(r)
	}
}
