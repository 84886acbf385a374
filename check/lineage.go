package check

import (
	"encoding/binary"
	"math"

	"weir/id"
	"weir/trace"
)

// none is no segment, no snapshot, no capture.
const none int32 = -1

// task is what stands of one task on its surviving branch.
type task struct {
	inputs, outputs []id.ChannelID
	fed             bool // a source sends to it
	attempt         id.Attempt
	segment         int32 // its history's newest segment
	offset          uint64
	left            bool
	part            int32 // snapshot that stands for it in the newest complete checkpoint
	restored        int32 // snapshot that this incarnation began with
	snapshots       []int32
	committed       []id.Epoch // transactions that are visible
	line            id.Epoch   // newest snapshot on the line of a total failure
	committedAt     int64      // time of the last of them
	asked           []id.Epoch // transactions whose commit was issued
}

// channel counts the data items along the surviving branches of its two ends.
type channel struct {
	Channel
	source        bool // it leaves a source
	sealed        uint64
	delivered     uint64
	sealedUpTo    uint64 // last position sealed
	deliveredUpTo uint64
	knowsSealed   bool // sealedUpTo is of this incarnation
}

// segment is a stretch of a task's history: it branched off its parent at a
// snapshot. ids are the source records delivered in it.
type segment struct {
	parent int32
	base   int   // records on the branch before it
	tick   int64 // of the snapshot where it branched off
	ids    []uint32
}

// snapshot is one snapshot of one task.
type snapshot struct {
	task     id.TaskID
	epoch    id.Epoch
	segment  int32
	records  int // on the branch at its instant
	tick     int64
	offset   uint64
	sum      uint64
	marks    int   // in Checker.marks: delivered per input, then sealed per output
	captures int32 // in Checker.captures, linked
	stored   bool
}

// capture is one in-flight buffer of a snapshot.
type capture struct {
	next     int32
	channel  id.ChannelID
	out      bool
	from, to uint64 // positions (from, to]
	first, n int    // record ids, in Checker.captured
}

// branch begins a segment, reusing what an earlier run allocated.
func (c *Checker) branch(parent int32, base int, tick int64) int32 {
	if c.used == len(c.segments) {
		c.segments = append(c.segments, segment{})
	}
	s := &c.segments[c.used]
	*s = segment{parent: parent, base: base, tick: tick, ids: s.ids[:0]}
	c.used++
	return int32(c.used - 1)
}

// records is the number of source records on t's branch.
func (c *Checker) records(t *task) int {
	s := &c.segments[t.segment]
	return s.base + len(s.ids)
}

// addLineage counts the first n records on the branch that ends in segment s.
func (c *Checker) addLineage(s int32, n int) {
	for s != none {
		g := &c.segments[s]
		for _, r := range g.ids[:max(n-g.base, 0)] {
			c.counts[r]++
		}
		s, n = g.parent, min(n, g.base)
	}
}

// survives reports whether a snapshot lies on the branch that ends in segment s.
func (c *Checker) survives(p *snapshot, s int32) bool {
	limit := int64(math.MaxInt64)
	for s != p.segment {
		if s == none {
			return false
		}
		limit, s = c.segments[s].tick, c.segments[s].parent
	}
	return p.tick <= limit
}

// find returns the snapshot of t with an epoch, or none.
func (c *Checker) find(t *task, e id.Epoch) int32 {
	for i := len(t.snapshots) - 1; i >= 0; i-- {
		if c.snapshots[t.snapshots[i]].epoch == e {
			return t.snapshots[i]
		}
	}
	return none
}

// nextRecord splits the first record off data: its length as a uvarint, then
// its bytes. ok is false when data is empty or damaged.
func nextRecord(data []byte) (rec, rest []byte, ok bool) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return nil, nil, false
	}
	return data[n : n+int(size)], data[n+int(size):], true
}

// appendIDs appends the ids of the records in a buffer that left a source.
func (c *Checker) appendIDs(dst []uint32, e *trace.Event) []uint32 {
	for data := e.Data; len(data) > 0; {
		rec, rest, ok := nextRecord(data)
		if !ok {
			c.violate(Conservation, e.Task, 0, "%s of channel %s, positions (%d, %d]: the buffer's records are damaged", e.Kind, e.Channel, e.From, e.To)
			return dst
		}
		r := c.x.RecordID(rec)
		if r >= uint64(c.x.Records) {
			c.violate(Conservation, e.Task, 0, "%s of channel %s, positions (%d, %d]: record %d, but the input has %d", e.Kind, e.Channel, e.From, e.To, r, c.x.Records)
			return dst
		}
		dst = append(dst, uint32(r))
		data = rest
	}
	return dst
}

// delivered puts a buffer's records on the receiver's branch.
func (c *Checker) delivered(e *trace.Event, t *task) {
	if int(e.Channel) >= len(c.channels) || e.Channel < 0 {
		return
	}
	ch := &c.channels[e.Channel]
	ch.delivered += e.To - e.From
	ch.deliveredUpTo = e.To
	if ch.source && len(e.Data) > 0 {
		s := &c.segments[t.segment]
		s.ids = c.appendIDs(s.ids, e)
	}
}

// snapshotBegun fixes where the task stands on its branch.
func (c *Checker) snapshotBegun(e *trace.Event, t *task) {
	c.checkEpoch(e, t)
	c.tick++
	s := snapshot{
		task: e.Task, epoch: e.Epoch, segment: t.segment, records: c.records(t), tick: c.tick,
		offset: e.From, sum: e.Sum, marks: len(c.marks), captures: none,
	}
	for _, ch := range t.inputs {
		c.marks = append(c.marks, c.channels[ch].delivered)
	}
	for _, ch := range t.outputs {
		c.marks = append(c.marks, c.channels[ch].sealed)
	}
	t.snapshots = append(t.snapshots, int32(len(c.snapshots)))
	c.snapshots = append(c.snapshots, s)
}

// capture makes a buffer part of a snapshot.
func (c *Checker) capture(e *trace.Event, t *task) {
	p := c.find(t, e.Epoch)
	if p == none || int(e.Channel) >= len(c.channels) || e.Channel < 0 {
		return
	}
	s := &c.snapshots[p]
	k := capture{next: s.captures, channel: e.Channel, out: e.Kind == trace.CapturedOut, from: e.From, to: e.To, first: len(c.captured)}
	if c.channels[e.Channel].source {
		c.captured = c.appendIDs(c.captured, e)
		k.n = len(c.captured) - k.first
	}
	s.captures = int32(len(c.captures))
	c.captures = append(c.captures, k)
}
