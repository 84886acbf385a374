package changelog

import (
	"errors"
	"fmt"
	"slices"

	"weir/id"
	"weir/state"
)

// Snapshot makes a segment of what is noted, and refers to the materialisation that there is
// and to the log since. Without a base, and before there is any, it is a materialisation itself.
func (s *Store) Snapshot(r state.SnapshotRequest) (state.Capture, error) {
	s.settle()
	if err := s.Err(); err != nil {
		return nil, err
	}
	c := &capture{groups: s.cfg.Groups, operator: s.AppendOperator(nil), end: &ending{epoch: r.Epoch}}
	if !s.follow(r.Base) {
		m, err := s.materialise(r.Prefix, nil)
		if err != nil {
			return nil, err
		}
		m.own = true
		c.of, c.within = m, m.capture
	} else {
		s.seal(s.streams(r.Prefix), s.left())
		c.of, c.cut = s.current, s.current.cut
		if n := len(s.begun); n > 0 && s.cfg.Gap {
			c.cut = s.begun[n-1].cut
		}
	}
	c.end.of = c.of
	s.list(c)
	s.under = append(s.under, c.end)
	return c, nil
}

// follow reports that a snapshot on a base can be a stretch of the log over the current
// materialisation. One that is a snapshot itself becomes that here: its files stay only as long as
// a complete checkpoint needs them, and the base is one. Those of another one may be gone: a
// snapshot that was begun before and has completed since does not list them.
func (s *Store) follow(base id.Epoch) bool {
	i := slices.IndexFunc(s.taken, func(t taken) bool { return t.epoch == base })
	if base == 0 || i < 0 {
		return false
	}
	if m := s.taken[i].of; s.current == nil || m.number > s.current.number {
		s.adopt(m)
	}
	return !s.current.own || s.current == s.taken[i].of || s.current.first.complete(base)
}

// streams is how names of segments begin, made for a snapshot whose names begin with prefix.
func (s *Store) streams(prefix string) string {
	if s.prefix != "" {
		return s.prefix
	}
	return prefix
}

// left is how many of the entries noted last a snapshot leaves out: none, but for the mistake.
func (s *Store) left() int {
	if s.cfg.Late {
		return 1
	}
	return 0
}

// materialise begins a materialisation on top of a base. The log is cut there.
func (s *Store) materialise(prefix string, base *materialisation) (*materialisation, error) {
	s.seal(s.streams(prefix), 0)
	m := &materialisation{number: s.number + 1, cut: s.next}
	request := state.SnapshotRequest{Epoch: m.number, Prefix: prefix + "m"}
	if base != nil {
		request.Base, m.base = base.number, base.handle.Files
		s.Replayer.Release(base.number)
	}
	var err error
	if m.capture, err = s.Replayer.Snapshot(request); err != nil {
		return nil, err
	}
	s.number, s.logging = m.number, true
	s.begun = append(s.begun, m)
	return m, nil
}

// list gives a capture what it refers to, needs, and writes.
func (s *Store) list(c *capture) {
	e := listing(c.end.epoch)
	listed := map[string]bool{}
	list := func(refs *[]state.FileRef, x *segment) {
		if x.first == 0 {
			x.first = e
		}
		if !listed[x.ref.Name] {
			listed[x.ref.Name] = true
			*refs = append(*refs, x.ref)
		}
		if x.data != nil {
			c.puts = append(c.puts, x.put())
			c.end.segments = append(c.end.segments, x)
		}
	}
	if c.within == nil {
		for _, ref := range c.of.handle.Files {
			listed[ref.Name] = true
		}
	}
	for _, x := range s.segments {
		if c.within == nil && x.number >= c.cut {
			list(&c.log, x)
		} else {
			list(&c.also, x)
		}
	}
	if m := s.current; c.within != nil && m != nil && m.own && !m.first.complete(s.released) {
		m.first = 0 // its files may be gone: nothing but a base has them
	} else if m != nil {
		if m.first == 0 {
			m.first = e
		}
		for _, ref := range s.current.handle.Files {
			list(&c.also, &segment{ref: ref, first: e})
		}
	}
	for _, m := range s.begun { // it will refer to files of the one that it was begun on
		for _, ref := range m.base {
			list(&c.also, &segment{ref: ref, first: e})
		}
	}
	for _, x := range s.overtaken {
		list(&c.also, x)
	}
}

// capture is the asynchronous part of a snapshot. It shares nothing with the store that changes.
type capture struct {
	groups   state.GroupRange
	operator []byte
	of       *materialisation
	within   state.Capture // of the materialisation, if the snapshot is one itself
	cut      uint64        // the number of the first of log
	log      []state.FileRef
	also     []state.FileRef // listed, and not needed
	puts     []state.Op      // left to be issued
	writing  bool            // some of them are under way
	out      state.Outstanding
	end      *ending
	handle   state.Handle
	past     bool
	err      error
}

// putsAtOnce are the segments that a transfer writes at a time.
const putsAtOnce = 4

func (c *capture) Next(results []state.Result) ([]state.Op, bool, error) {
	if c.err == nil && c.past && !c.end.done {
		c.err = errors.New("it was discarded")
	}
	if c.err != nil || c.end.done {
		return nil, c.end.done, c.err
	}
	ops, err := c.step(results)
	if err != nil {
		c.err = fmt.Errorf("changelog: snapshot %v: %w", c.end.epoch, err)
		return nil, false, c.err
	}
	return ops, c.end.done, nil
}

func (c *capture) step(results []state.Result) ([]state.Op, error) {
	if len(c.puts) > 0 || c.writing {
		ops, err := step(&c.out, &c.puts, results)
		if c.writing = len(ops) > 0; err != nil || c.writing {
			return ops, err
		}
		results = nil
	}
	if c.within != nil {
		ops, done, err := c.within.Next(results)
		if err != nil || !done {
			return ops, err
		}
		c.of.take(c.within.Handle())
	}
	c.finish()
	return nil, nil
}

// step takes the results of the puts under way and issues the next of those left.
func step(out *state.Outstanding, left *[]state.Op, results []state.Result) ([]state.Op, error) {
	again, err := out.Settle(results, func(state.Op, state.Result) error { return nil })
	if err != nil || len(again) > 0 {
		return again, err
	}
	n := min(len(*left), putsAtOnce)
	ops := (*left)[:n]
	*left = (*left)[n:]
	return out.Issue(ops), nil
}

// take notes what a materialisation has come to.
func (m *materialisation) take(h state.Handle) {
	h.Operator = nil // of its instant, which no snapshot has
	for i := range h.Files {
		h.Files[i].Shared = true
	}
	m.handle = h
}

func (c *capture) finish() {
	m := manifest{epoch: c.end.epoch, groups: c.groups, number: c.of.number, cut: c.cut, segments: len(c.log), within: c.of.handle}
	if c.within != nil {
		m.cut = c.of.cut
	}
	within := c.of.handle.Files
	h := state.Handle{Backend: prefix + m.within.Backend, Version: formatVersion, Operator: c.operator, Bytes: m.within.Bytes}
	h.Files = make([]state.FileRef, 0, len(within)+len(c.log)+len(c.also))
	h.Files = append(append(append(h.Files, within...), c.log...), c.also...)
	for i := range c.log {
		h.Bytes += c.log[i].Size
	}
	h.Inline = m.append(nil)
	c.handle, c.end.done = h, true
}

// Handle is valid once Next has said done. Its Bytes are those of the materialisation and of the
// log since.
func (c *capture) Handle() state.Handle { return c.handle }

// Discard lets go of what the materialisation pins.
func (c *capture) Discard() {
	c.past = true
	if c.within != nil {
		c.within.Discard()
	}
	c.end.over.Store(true)
}
