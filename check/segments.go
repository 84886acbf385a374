package check

import (
	"math"
	"slices"

	"weir/id"
)

// segments is the storage oracle's account of what tasks write between snapshots (see
// Layout.Segment): each is in a complete checkpoint before its task forgets it, so that whoever
// lets go of checkpoints knows of it.
type segments struct {
	landed    map[string]int64 // those that are in no complete checkpoint, and when they came there
	triggered map[id.Epoch]int64
}

func newSegments() segments {
	return segments{landed: map[string]int64{}, triggered: map[id.Epoch]int64{}}
}

func (s *segments) reset() {
	clear(s.landed)
	clear(s.triggered)
}

// known is the time of a segment that is no longer looked at: a checkpoint has it, or had. It may
// land once more, as a repetition that comes late.
const known = math.MaxInt64

// segmentLands notes when a segment comes to be there.
func (o *wholeStorage) segmentLands(key string) {
	if o.x.Layout.Segment == nil || !o.x.Layout.Segment(key) {
		return
	}
	if _, ok := o.segments.landed[key]; !ok {
		o.segments.landed[key] = o.now
	}
}

// segmentKnown notes that a checkpoint has one, or that it is deleted.
func (o *wholeStorage) segmentKnown(key string) {
	if _, ok := o.segments.landed[key]; ok {
		o.segments.landed[key] = known
	}
}

// forgotten looks for segments that were there when a complete checkpoint began, and that neither this
// one nor one before has: nobody will let go of them. What an older attempt has written goes with
// that, and the last snapshots of a task that has left may have been in vain.
func (o *wholeStorage) forgotten(r *retained) {
	for _, key := range r.refs {
		o.segmentKnown(key)
	}
	began, ok := o.segments.triggered[r.epoch]
	if !ok || o.x.Layout.OwnerOf == nil {
		return
	}
	var there []string
	for key, at := range o.segments.landed { //det:unordered sorted below
		if at < began {
			there = append(there, key)
		}
	}
	slices.Sort(there)
	for _, key := range there {
		o.segments.landed[key] = known // it is told once
		x, ok := o.x.Layout.OwnerOf(key)
		if !ok || x.Epoch.Attempt() != r.epoch.Attempt() || int(x.Task) >= len(o.tasks) || o.tasks[x.Task].left {
			continue
		}
		o.violate(x.Task, r.epoch, "%s was there when the checkpoint began, and neither it nor one before it has it: nothing lets go of it", key)
	}
}
