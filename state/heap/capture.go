package heap

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/btree"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

const (
	// inlineBytes: a state of fewer logical bytes goes into the handle.
	inlineBytes = 1 << 20
	// chunkBytes: a file is closed when it has as many.
	chunkBytes = 4 << 20
	// chunksAtOnce are made and put at a time.
	chunksAtOnce = 2
	// sliceBytes are encoded in one call of Next, so that whoever carries the
	// capture out can let others run in between.
	sliceBytes = 128 << 10
	// overheadBytes bounds what an encoded entry has beyond its logical bytes.
	overheadBytes = 3 * binary.MaxVarintLen32
)

// Snapshot fixes the instant by noting the page directories of every group; it
// takes microseconds, and up to about 50 for each state that is still in one
// small segment, which it encodes. Only timers refer to the base.
func (s *Store) Snapshot(r state.SnapshotRequest) (state.Capture, error) {
	if s.err != nil {
		return nil, s.err
	}
	c := &capture{epoch: r.Epoch, prefix: r.Prefix, operator: s.AppendOperator(nil)}
	c.m.epoch, c.m.groups = r.Epoch, s.groups
	s.v.pin(&c.pin)
	c.m.tables = s.descriptors()
	entries := 0
	for i, t := range s.tables {
		if t, ok := t.(*timerSet); ok {
			c.timerBytes += t.logicalBytes()
			c.timers = append(c.timers, t.Snapshot(r.Epoch, r.Base))
			continue
		}
		c.logical += t.logicalBytes()
		entries += t.Len()
		switch t := t.(type) {
		case *flat:
			c.addFlat(i, t)
		case *fields:
			if t.tree.Len() > 0 {
				c.parts = append(c.parts, part{table: i, layout: layoutFields, n: t.tree.Len(), tree: t.tree.Copy(), aging: agingOf(t.clocks, t.d)})
			}
		}
	}
	if !c.sharesPages() {
		c.pin.released.Store(true)
		s.v.poll()
	}
	c.left = int(c.logical) + entries*overheadBytes
	c.inline = c.logical < inlineBytes
	c.file = s.nextFile
	if !c.inline {
		s.nextFile += uint64(c.left/chunkBytes + 1)
	}
	for _, t := range c.timers {
		s.nextFile += uint64(t.Files())
	}
	return c, nil
}

// sharesPages says whether anything is left to be read from the store's pages.
func (c *capture) sharesPages() bool {
	for i := range c.parts {
		if c.parts[i].bytes == nil {
			return true
		}
	}
	return false
}

// capture is the asynchronous part. After Snapshot it shares with the store
// immutable pages and the flag in pin, nothing else.
type capture struct {
	epoch      id.Epoch
	prefix     string
	pin        pin
	m          manifest
	operator   []byte
	parts      []part
	inline     bool
	logical    int64 // bytes of everything but timers, expired entries among it
	dropped    int64 // of them: expired
	timerBytes int64
	timers     []*timers.Capture
	written    int    // how many of timers are
	left       int    // bytes still to be encoded, at most
	file       uint64 // number of the next file
	files      []state.FileRef
	chunk      []byte     // the file being encoded; nil between files
	ready      []state.Op // files that are encoded and not put yet
	out        state.Outstanding
	handle     state.Handle
	done       bool
	discarded  bool
	err        error
}

// part is what is left to be encoded of one group of a state, of a small
// segment (bytes, already encoded, with its runs), or of a whole map.
type part struct {
	table  int
	layout layout
	group  uint16
	stride int
	n      int    // entries left
	aging  *aging // nil: nothing expires
	at     int    // first entry left
	words  []wordPage
	cells  []cellPage
	tree   *btree.BTreeG[field]
	iter   *btree.IterG[field]
	began  bool
	bytes  []byte
	runs   []run
}

func (c *capture) Next(results []state.Result) ([]state.Op, bool, error) {
	if c.err == nil && c.discarded {
		c.err = fmt.Errorf("heap: snapshot %v was discarded", c.epoch)
	}
	if c.err != nil || c.done {
		return nil, c.done, c.err
	}
	again, err := c.out.Settle(results, func(state.Op, state.Result) error { return nil })
	if err != nil {
		c.err = fmt.Errorf("heap: snapshot %v: %w", c.epoch, err)
		return nil, false, c.err
	}
	if len(again) > 0 {
		return again, false, nil
	}
	if c.inline && len(c.parts) > 0 {
		c.encodeInline()
	}
	if len(c.parts) > 0 {
		c.slice()
	}
	if len(c.ready) == chunksAtOnce || len(c.parts) == 0 && len(c.ready) > 0 {
		ops := c.out.Issue(c.ready)
		c.ready = nil
		return ops, false, nil
	}
	if len(c.parts) > 0 {
		return nil, false, nil
	}
	return c.out.Issue(c.sliceTimers()), c.done, nil
}

// sliceTimers encodes a little more of the timers; behind the last it finishes.
func (c *capture) sliceTimers() []state.Op {
	for c.written < len(c.timers) {
		put, done := c.timers[c.written].Next(c.name)
		if put != nil {
			return []state.Op{*put}
		}
		if !done {
			return nil
		}
		c.written++
	}
	c.finish()
	return nil
}

// name returns the name of the next file.
func (c *capture) name() string {
	name := c.prefix + strconv.FormatUint(c.file, 10)
	c.file++
	return name
}

// encodeInline encodes everything as the manifest's own data. One small segment
// is that already.
func (c *capture) encodeInline() {
	if len(c.parts) == 1 && c.parts[0].bytes != nil {
		p := &c.parts[0]
		c.m.data, c.m.runs = p.bytes, placed(p.runs[:0], p.runs, 0, 0)
		c.parts = nil
		c.pin.released.Store(true)
		return
	}
	c.m.data = c.encode(make([]byte, 0, c.left), 0, c.left+1)
}

// slice encodes a little more of the next file, and closes it when it is full
// or nothing is left.
func (c *capture) slice() {
	number := len(c.files) + 1
	if c.chunk == nil {
		c.chunk = appendHeader(make([]byte, 0, min(chunkBytes+maxPageBytes, headerBytes+c.left)), number)
	}
	before := len(c.chunk)
	c.chunk = c.encode(c.chunk, number, min(before+sliceBytes, chunkBytes))
	c.left -= len(c.chunk) - before
	if len(c.chunk) < chunkBytes && len(c.parts) > 0 {
		return
	}
	name := c.name()
	c.files = append(c.files, state.FileRef{Name: name, Size: int64(len(c.chunk)), Sum: xxhash.Sum64(c.chunk)})
	c.ready = append(c.ready, state.Op{Kind: state.OpPut, Key: name, Data: c.chunk})
	c.chunk = nil
}

// encode appends entries until dst has limit bytes or nothing is left; then the
// store may have its pages back.
func (c *capture) encode(dst []byte, file, limit int) []byte {
	for len(c.parts) > 0 && len(dst) < limit {
		p := &c.parts[0]
		if p.bytes != nil {
			c.m.runs = placed(c.m.runs, p.runs, file, len(dst))
			dst = append(dst, p.bytes...)
			c.parts = c.parts[1:]
			continue
		}
		x := run{table: p.table, layout: p.layout, file: file, offset: len(dst)}
		before := p.n
		dst = p.encode(dst, limit)
		x.group, x.length, x.count = p.group, len(dst)-x.offset, before-p.n
		x.count -= c.take(p.aging)
		c.m.add(x)
		if p.n == 0 {
			c.parts = c.parts[1:]
		}
	}
	if len(c.parts) == 0 {
		c.pin.released.Store(true)
		c.parts = nil
	}
	return dst
}

// placed appends the runs of a small segment that comes to stand at offset.
func placed(dst, runs []run, file, offset int) []run {
	dst = slices.Grow(dst, len(runs))
	for _, x := range runs {
		x.file, x.offset = file, offset
		offset += x.length
		dst = append(dst, x)
	}
	return dst
}

func (c *capture) finish() {
	c.done = true
	for _, t := range c.timers {
		c.m.timers = append(c.m.timers, t.Part())
		c.files = append(c.files, t.Part().Files()...)
	}
	c.handle = state.Handle{Backend: Name, Version: formatVersion, Operator: c.operator, Files: c.files, Bytes: c.logical - c.dropped + c.timerBytes}
	c.handle.Inline = c.m.append(make([]byte, 0, 128+48*len(c.m.tables)+16*len(c.m.runs)+len(c.m.data)))
	c.m = manifest{}
}

// Handle is valid once Next has said done.
func (c *capture) Handle() state.Handle { return c.handle }

// Discard lets the store have its pages back. Call it on the goroutine that
// calls Next, or after that has ended.
func (c *capture) Discard() {
	c.discarded = true
	c.parts, c.chunk, c.ready = nil, nil, nil
	for _, t := range c.timers {
		t.Discard()
	}
	c.pin.released.Store(true)
}
