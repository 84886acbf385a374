package check

import (
	"encoding/binary"
	"fmt"
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
	left            bool
	answered        bool  // this incarnation has carried a plan out
	part            int32 // snapshot that stands for it in the newest complete checkpoint
	restored        int32 // snapshot that this incarnation began with
	survived        bool  // it lay on the task's history until then
	made            bool  // this incarnation began with an inheritance
	inherits        int32 // what its history rests on, in model.inheritances
	snapshots       []int32
}

// channel counts the data items along the surviving branches of its two ends.
type channel struct {
	Channel
	source    bool // it leaves a source
	in, out   int  // which one it is among the inputs of its receiver, the outputs of its sender
	sealed    uint64
	delivered uint64
	order     order // if it reorders
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
	splits   int32 // in model.positions, linked
	inherits int32 // what its task's history rests on
	sum      uint64
	apart    uint64 // what of sum does not add up over instances
	marks    int    // in model.marks: delivered per input, then sealed per output
	captures int32  // in model.captures, linked
	stored   bool   // its task knows
	landed   bool   // it is in storage; see stable
	failed   bool   // given up
	refused  bool   // by storage, for good: it was taken all the same
	failedAt int64
}

// position is how far a split was read at a snapshot.
type position struct {
	next   int32
	split  id.SplitID
	offset uint64
}

// capture is one in-flight buffer of a snapshot.
type capture struct {
	next     int32
	channel  id.ChannelID
	out      bool
	from, to uint64 // positions (from, to]
	first, n int    // record ids, in model.captured
}

// branch begins a segment, reusing what an earlier run allocated.
func (m *model) branch(parent int32, base int, tick int64) int32 {
	if m.used == len(m.segments) {
		m.segments = append(m.segments, segment{})
	}
	s := &m.segments[m.used]
	*s = segment{parent: parent, base: base, tick: tick, ids: s.ids[:0]}
	m.used++
	return int32(m.used - 1)
}

// records is the number of source records on t's branch.
func (m *model) records(t *task) int {
	s := &m.segments[t.segment]
	return s.base + len(s.ids)
}

// addLineage adds to counts the first n records on the branch that ends in segment s.
func (m *model) addLineage(counts []int32, s int32, n int) {
	for s != none {
		g := &m.segments[s]
		for _, r := range g.ids[:max(n-g.base, 0)] {
			counts[r]++
		}
		s, n = g.parent, min(n, g.base)
	}
}

// survives reports whether a snapshot lies on the branch that ends in segment s.
func (m *model) survives(p *snapshot, s int32) bool {
	limit := int64(math.MaxInt64)
	for s != p.segment {
		if s == none {
			return false
		}
		limit, s = m.segments[s].tick, m.segments[s].parent
	}
	return p.tick <= limit
}

// find returns the snapshot of t with an epoch, or none.
func (m *model) find(t *task, e id.Epoch) int32 {
	for i := len(t.snapshots) - 1; i >= 0; i-- {
		if m.snapshots[t.snapshots[i]].epoch == e {
			return t.snapshots[i]
		}
	}
	return none
}

// nextRecord splits the first record off data: its length as a uvarint, then
// its bytes. ok is false when data is empty or damaged.
func nextRecord(data []byte) (rec, rest []byte, ok bool) {
	if len(data) > 0 && data[0] < 0x80 && int(data[0]) < len(data) { // most are small
		n := 1 + int(data[0])
		return data[1:n], data[n:], true
	}
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return nil, nil, false
	}
	return data[n : n+int(size)], data[n+int(size):], true
}

// appendIDs appends the ids of the records in a buffer that left a source; m.fault
// says what is wrong with the rest.
func (m *model) appendIDs(dst []uint32, e *trace.Event) []uint32 {
	for data := e.Data; len(data) > 0; {
		rec, rest, ok := nextRecord(data)
		if !ok {
			m.fault = damage{unframed: true}
			return dst
		}
		r := m.x.RecordID(rec)
		if r >= uint64(m.x.Records) {
			m.fault = damage{foreign: true, record: r}
			return dst
		}
		dst = append(dst, uint32(r))
		data = rest
	}
	return dst
}

// delivered puts a buffer's records on the receiver's branch.
func (m *model) delivered(e *trace.Event, t *task) {
	if !m.isChannel(e.Channel) {
		return
	}
	ch := &m.channels[e.Channel]
	ch.delivered += e.To - e.From
	if ch.Reorders {
		ch.order.delivered = append(ch.order.delivered, span{e.From, e.To})
	}
	if ch.source && len(e.Data) > 0 {
		s := &m.segments[t.segment]
		s.ids = m.appendIDs(s.ids, e)
	}
}

// snapshotBegun fixes where the task stands on its branch.
func (m *model) snapshotBegun(e *trace.Event, t *task) {
	m.tick++
	s := snapshot{
		task: e.Task, epoch: e.Epoch, segment: t.segment, records: m.records(t), tick: m.tick,
		splits: none, inherits: t.inherits, sum: e.Sum, apart: e.To, marks: len(m.marks), captures: none,
	}
	for _, n := range t.inputs {
		ch := &m.channels[n]
		m.mark(ch, ch.delivered, ch.order.delivered)
	}
	for _, n := range t.outputs {
		ch := &m.channels[n]
		m.mark(ch, ch.sealed, ch.order.sealed)
	}
	if e.Key != "" {
		m.share(e)
	}
	t.snapshots = append(t.snapshots, int32(len(m.snapshots)))
	m.snapshots = append(m.snapshots, s)
}

// share notes that the snapshot to come is a share of a savepoint.
func (m *model) share(e *trace.Event) {
	if m.shares == nil {
		m.shares = map[string][]int32{}
	}
	parts := m.shares[e.Key]
	if parts == nil {
		for range m.tasks {
			parts = append(parts, none)
		}
		m.shares[e.Key] = parts
	}
	parts[e.Task] = int32(len(m.snapshots))
}

// position puts a split into a snapshot.
func (m *model) position(e *trace.Event, t *task) {
	if p := m.find(t, e.Epoch); p != none && int(e.Split) < len(m.x.Splits) {
		s := &m.snapshots[p]
		m.positions = append(m.positions, position{s.splits, e.Split, e.To})
		s.splits = int32(len(m.positions) - 1)
	}
}

// offsetOf returns how far a split was read at a snapshot; false: it has no such split.
func (m *model) offsetOf(s *snapshot, n id.SplitID) (uint64, bool) {
	for k := s.splits; k != none; k = m.positions[k].next {
		if m.positions[k].split == n {
			return m.positions[k].offset, true
		}
	}
	return 0, false
}

// capture makes a buffer part of a snapshot.
func (m *model) capture(e *trace.Event, t *task) {
	p := m.find(t, e.Epoch)
	if p == none || !m.isChannel(e.Channel) {
		return
	}
	s := &m.snapshots[p]
	k := capture{next: s.captures, channel: e.Channel, out: e.Kind == trace.CapturedOut, from: e.From, to: e.To, first: len(m.captured)}
	if m.channels[e.Channel].source {
		m.captured = m.appendIDs(m.captured, e)
		k.n = len(m.captured) - k.first
	}
	s.captures = int32(len(m.captures))
	m.captures = append(m.captures, k)
}

// taskName returns a task's id with its name if that is known.
func (m *model) taskName(i int) string {
	if n := m.x.Tasks[i].Name; n != "" {
		return fmt.Sprintf("%s (%s)", id.TaskID(i), n)
	}
	return id.TaskID(i).String()
}
