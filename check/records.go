package check

import (
	"slices"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// This is the storage oracle as to records of checkpoints: which of them count, and
// what they say.

// mayCount begins to watch over a record that has landed: a coordinator that starts
// now would go back to it, whether or not the one that lives ever hears of it, or
// wants it. With a newer plan only those count that the plan has found, which
// whoever made it sees complete, or goes back to.
func (o *wholeStorage) mayCount(key string) {
	l := &o.x.Layout
	if l.EpochOf == nil {
		return
	}
	e, ok := l.EpochOf(key)
	switch {
	case !ok:
	case e.Index() == 0: // a plan
		if e.Attempt() > o.newest {
			o.newest, o.counting = e.Attempt(), o.counting[:0]
		}
	case l.RecordKey != nil && e.Attempt() == o.newest && o.newer(e) && l.RecordKey(e) == key:
		o.counting = append(o.counting, retained{epoch: e, key: key})
	}
}

// referred returns what a record in storage refers to, nothing if it cannot be read:
// it says so when it counts.
func (o *wholeStorage) referred(key string) []string {
	r := o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK {
		return nil
	}
	refs, err := o.refs.read(&o.x.Layout, key, r.Data)
	if err != nil {
		return nil
	}
	return refs
}

// newer reports that a record is of a checkpoint newer than all that are known: one
// that lands again when it is long gone is not gone back to.
func (o *wholeStorage) newer(e id.Epoch) bool {
	for _, list := range [...][]retained{o.retained, o.counting} {
		if n := len(list); n > 0 && list[n-1].epoch >= e {
			return false
		}
	}
	return true
}

// uncount: a checkpoint is complete and retained, and what is older is not gone back to.
func (o *wholeStorage) uncount(e id.Epoch) {
	o.counting = slices.DeleteFunc(o.counting, func(r retained) bool { return r.epoch <= e })
}

// checkCarried: the record says which shares are of tasks that had left, so that a
// recovery does not start them. It is looked at once for each that leaves.
func (o *wholeStorage) checkCarried(e id.Epoch) {
	l := &o.x.Layout
	if l.Left == nil || l.RecordKey == nil || !o.whole {
		return
	}
	n := 0
	for _, p := range o.parts {
		if o.snapshots[p].epoch != e {
			n++
		}
	}
	if n == 0 || n == o.carried {
		return
	}
	o.carried = n
	r := o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: l.RecordKey(e)})
	if r.Status != state.OK {
		return // retain has said so
	}
	left, err := l.Left(r.Data)
	if err != nil && !o.destroyed[l.RecordKey(e)] {
		o.violate(trace.Coordinator, e, "record %s: %v", l.RecordKey(e), err)
	}
	for i := range left {
		if carried := o.snapshots[o.parts[i]].epoch != e; carried && !left[i] {
			o.violate(id.TaskID(i), e, "the share of %s is carried over, and the record does not say that it had left: a recovery would start it", o.taskName(i))
		}
	}
}
