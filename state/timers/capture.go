package timers

import (
	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/btree"

	"weir/id"
	"weir/state"
)

const (
	// maxStored is how many times the bytes of all timers their segments may have.
	maxStored = 6
	// sliceEntries are encoded or decoded in one go, so that whoever carries a
	// transfer out can let others run in between.
	sliceEntries = 2048
)

// Capture is what a snapshot holds of one set. After Snapshot it may be carried
// out on another goroutine.
type Capture struct {
	sizes   Sizes
	part    Part
	base    *base // what it is to become; nil if it cannot
	until   uint32
	walks   []walk
	left    int64 // entries and bytes of keys and times still to be encoded, at most
	entries int64

	chunk []byte // the segment being encoded; nil between segments
	code  coder
	one   segment
}

// Snapshot fixes the instant. from is the snapshot whose segments may be
// referred to again; without one, or if it is not known, the capture is a full one.
func (s *Queue) Snapshot(epoch, from id.Epoch) *Capture {
	c := &Capture{sizes: s.sizes, part: Part{timers: s.n}, until: s.log.now}
	s.log.prune(0)
	if s.bytes <= s.sizes.Inline {
		c.part.inline = s.encoded()
		s.log.turn(nil)
		return c
	}
	c.base = &base{epoch: epoch, delta: s.log.now}
	if b := s.log.base(from); b == nil || !c.extend(s, b) {
		c.whole(s, b != nil)
	}
	s.log.turn(c.base)
	return c
}

// encoded returns all entries.
func (s *Queue) encoded() []byte {
	var c coder
	var dst []byte
	s.all(func(in uint16, t Timer) bool {
		dst = c.append(dst, entry{in, t}, false)
		return true
	})
	return dst
}

// whole makes c a full snapshot. Where a base was not worth extending, it is
// not going to be, nor is an older one: all are forgotten.
func (c *Capture) whole(s *Queue, based bool) {
	if based {
		s.log.bases = nil
	}
	c.part.list, c.walks = nil, nil
	c.entries, c.left = int64(s.n), s.bytes
	s.each(func(in uint16, t *tree) { c.walks = append(c.walks, walk{group: in, all: t.Copy()}) })
}

// extend makes c the list of a base and what has changed since; false: that
// would be more than is allowed.
func (c *Capture) extend(s *Queue, b *base) bool {
	list := b.list
	for oldest := s.log.oldest(); len(list) > 0 && list[0].until < oldest; {
		list = list[1:]
	}
	var last bound
	var gone, set []walk
	c.entries, c.left = 0, 0
	for _, d := range s.log.deltas {
		if d.number <= b.delta {
			continue
		}
		last = later(last, d.last)
		if d.gone.Len() > 0 && len(list) > 0 {
			gone = append(gone, walk{cancelled: b.delta, delta: d.gone.Copy()})
			c.left += d.goneBytes
			c.entries += int64(d.gone.Len())
		}
		if d.set.Len() > 0 {
			set = append(set, walk{delta: d.set.Copy()})
			c.left += d.setBytes
			c.entries += int64(d.set.Len())
		}
	}
	stored, small := c.left, 1
	for i := range list {
		stored += list[i].bytes
		if list[i].ref.Size < s.sizes.Segment/2 {
			small++
		}
	}
	if stored > maxStored*s.bytes || small > s.sizes.Segments {
		return false
	}
	c.part.list = append(make([]segment, 0, len(list)+1), list...)
	for i := range c.part.list {
		c.part.list[i].fired = later(c.part.list[i].fired, last)
	}
	c.walks = append(gone, set...)
	return true
}

// Files bounds the number of files that c will write.
func (c *Capture) Files() int {
	if c.entries == 0 {
		return 0
	}
	return int((c.left+c.entries*int64(entryOverhead))/c.sizes.Segment) + 1
}

// Next encodes a slice. It returns the operation that puts a segment when one is
// complete, by the name that name gives it; done says that nothing is left, and is
// not said along with one.
func (c *Capture) Next(name func() string) (put *state.Op, done bool) {
	if len(c.walks) == 0 && c.chunk == nil {
		c.finish()
		return nil, true
	}
	for range sliceEntries {
		if len(c.walks) == 0 {
			break
		}
		w := &c.walks[0]
		e, ok := w.next()
		if !ok {
			c.walks = c.walks[1:]
			continue
		}
		if c.chunk == nil {
			c.begin()
		}
		c.chunk = c.code.append(c.chunk, e, w.cancelled > 0)
		c.one.entries++
		c.one.bytes += e.bytes()
		if int64(len(c.chunk)) >= c.sizes.Segment {
			return c.seal(name()), false
		}
	}
	if len(c.walks) == 0 && c.chunk != nil {
		return c.seal(name()), false
	}
	return nil, false
}

func (c *Capture) begin() {
	room := min(int64(headerBytes)+c.left+c.entries*4, c.sizes.Segment+c.sizes.Segment/64)
	c.chunk = appendSegmentHeader(make([]byte, 0, room))
	c.code, c.one = coder{}, segment{until: c.until}
}

// seal ends a segment.
func (c *Capture) seal(name string) *state.Op {
	data := c.chunk
	c.chunk = nil
	c.one.ref = state.FileRef{Name: name, Local: local, Size: int64(len(data)), Sum: xxhash.Sum64(data), Shared: true}
	c.part.list = append(c.part.list, c.one)
	c.left -= c.one.bytes
	c.entries -= int64(c.one.entries)
	return &state.Op{Kind: state.OpPut, Key: name, Data: data}
}

// local is what a backend calls a segment that it keeps no copy of.
const local = "timers"

func (c *Capture) finish() {
	if c.base != nil && !c.base.complete.Load() {
		c.base.list = c.part.list
		c.base.complete.Store(true)
	}
}

// Part returns what the snapshot's manifest has to say of the set, once Next has
// said done.
func (c *Capture) Part() *Part { return &c.part }

// Discard lets go of what the capture shares with the set. Safe to call twice,
// and after the end.
func (c *Capture) Discard() {
	c.walks, c.chunk = nil, nil
	if c.base != nil && !c.base.complete.Load() {
		c.base.lost.Store(true)
	}
}

// walk goes through the timers of one key group, or the entries of a delta.
type walk struct {
	group uint16
	all   *tree
	delta *btree.BTreeG[entry]
	// cancelled > 0: of the entries only those set in this delta or before, which
	// a base may hold.
	cancelled uint32

	began bool
	timer btree.IterG[Timer]
	entry btree.IterG[entry]
}

// next returns the next entry; false: there is none.
func (w *walk) next() (entry, bool) {
	for w.step() {
		if w.all != nil {
			return entry{w.group, w.timer.Item()}, true
		}
		if e := w.entry.Item(); w.cancelled == 0 || e.since <= w.cancelled {
			return e, true
		}
	}
	return entry{}, false
}

// step goes to the first item, or to the next.
func (w *walk) step() bool {
	switch {
	case w.began && w.all != nil:
		return w.timer.Next()
	case w.began:
		return w.entry.Next()
	}
	w.began = true
	if w.all != nil {
		w.timer = w.all.Iter()
		return w.timer.First()
	}
	w.entry = w.delta.Iter()
	return w.entry.First()
}
