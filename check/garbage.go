package check

import (
	"slices"

	"weir/id"
	"weir/trace"
)

// garbage is the storage oracle's account of what nothing refers to.
type garbage struct {
	since  map[string]int64 // key: when it was first found needed by nothing
	looked int64            // last time
	held   uint64           // nanoseconds by which struck faults may have held deletions up
}

func (g *garbage) reset() {
	clear(g.since)
	g.looked, g.held = 0, 0
}

// addHeld adds up what faults may hold up; trace.NoBound stays.
func addHeld(sum, more uint64) uint64 {
	if sum == trace.NoBound || more == trace.NoBound {
		return trace.NoBound
	}
	return sum + more
}

// lookForGarbage lists the storage now and then: an object that nothing refers to,
// and that was found so a whole bound ago, should be gone. What belongs to a round
// that may still complete is no garbage yet.
func (o *wholeStorage) lookForGarbage() {
	g, patience := &o.garbage, o.pace.Garbage
	if patience == 0 || g.held == trace.NoBound || o.damaged || !o.x.Coordinated || o.x.Layout.Roots == nil || o.now-g.looked < patience/2 {
		return
	}
	g.looked = o.now
	o.findNeeded(false)
	newest := slices.Max(o.completed)
	for _, key := range o.keys {
		if o.needed[key] || o.underWay(key, newest) || o.unknown(key) || o.hidden(key) {
			delete(g.since, key)
			continue
		}
		first, ok := g.since[key]
		if !ok {
			g.since[key] = o.now
		} else if o.now-first > patience+int64(g.held) {
			o.violate(trace.Coordinator, 0, "%s is needed by nothing since %d ns ago at least and is still there", key, o.now-first)
			g.since[key] = o.now // once per bound
		}
	}
}

// underWay reports that an object is of a round behind the newest complete one.
func (o *wholeStorage) underWay(key string, newest id.Epoch) bool {
	if o.x.Layout.EpochOf == nil {
		return false
	}
	e, ok := o.x.Layout.EpochOf(key)
	return !ok || e > newest
}
