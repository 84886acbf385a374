package heap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

// getsAtOnce bounds the files held in memory while restoring.
const getsAtOnce = 4

// Restore rebuilds what the handles hold of the store's key groups. The store
// must be empty. States of the snapshot that are not open yet are kept and
// checked when they are opened. If the transfer fails the store is of no use:
// Err and Snapshot report why.
func (s *Store) Restore(handles []state.Handle) (state.Transfer, error) {
	if s.restored {
		return nil, fmt.Errorf("heap: %v: restored twice; open a new store for each restore", s.task)
	}
	for _, t := range s.tables {
		if t.Len() > 0 {
			return nil, fmt.Errorf("heap: %v: restore into a store with entries in state %q; open a new one", s.task, t.descriptor().Name)
		}
	}
	s.restored = true
	if err := s.RestoreOperator(handles); err != nil {
		return nil, fmt.Errorf("heap: %v: restore: %w", s.task, err)
	}
	t := &restore{store: s}
	for i := range handles {
		if err := t.add(handles[i], len(handles) == 1); err != nil {
			return nil, fmt.Errorf("heap: %v: restore handle %d of %d: %w", s.task, i+1, len(handles), err)
		}
	}
	t.presplit()
	return t, nil
}

// restore fetches files and loads the runs in them.
type restore struct {
	store   *Store
	out     state.Outstanding
	sources []source
	next    int // first source not asked for yet
	timers  []*timers.Restore
	done    bool
	err     error
}

// source is a file, or the inline data of a handle (name empty), and the runs
// wanted of it.
type source struct {
	ref   state.FileRef
	file  int // its number in the snapshot
	data  []byte
	wants []wanted
	// timers is whom the file is for, if not for wants: it is their segment.
	timers  *timers.Restore
	segment int
}

type wanted struct {
	table table
	run   run
}

// add plans the restore of one handle, alone or one of several.
func (t *restore) add(h state.Handle, alone bool) error {
	m, err := decodeManifest(h)
	if err != nil {
		return err
	}
	tables := make([]table, len(m.tables))
	for i, d := range m.tables {
		if tables[i], err = t.store.ensure(d, false); err != nil {
			return err
		}
	}
	t.addTimers(m, tables, alone)
	own := len(h.Files)
	for _, p := range m.timers {
		own -= p.Segments()
	}
	files := make([]source, own+1)
	files[0].data = m.data
	if own == 0 {
		files[0].wants = make([]wanted, 0, len(m.runs))
	}
	for i, ref := range h.Files[:own] {
		files[i+1].ref, files[i+1].file = ref, i+1
	}
	for _, x := range m.runs {
		if x.group >= t.store.groups.Lo && x.group < t.store.groups.Hi {
			files[x.file].wants = append(files[x.file].wants, wanted{tables[x.table], x})
		}
	}
	for _, f := range files {
		if len(f.wants) > 0 {
			t.sources = append(t.sources, f)
		}
	}
	return nil
}

// addTimers plans the restore of timers, and asks for their segments before the
// other files.
func (t *restore) addTimers(m *manifest, tables []table, alone bool) {
	wanted := state.GroupRange{Lo: max(m.groups.Lo, t.store.groups.Lo), Hi: min(m.groups.Hi, t.store.groups.Hi)}
	if wanted.Lo >= wanted.Hi {
		return
	}
	epoch := id.Epoch(0)
	if alone && wanted == m.groups {
		epoch = m.epoch
	}
	parts := m.timers
	for i, d := range m.tables {
		if d.Kind != state.KindTimers {
			continue
		}
		r := tables[i].(*timerSet).Restore(parts[0], wanted, epoch)
		parts = parts[1:]
		t.timers = append(t.timers, r)
		for k, ref := range r.Files() {
			t.sources = append(t.sources, source{ref: ref, timers: r, segment: k})
		}
	}
}

// presplit gives each group its own segment where the entries to come are more
// than fit into a small one, and else makes room in that.
func (t *restore) presplit() {
	for _, tab := range t.store.tables {
		f, ok := tab.(*flat)
		if !ok {
			continue
		}
		var entries, size [layoutFields]int
		for _, src := range t.sources {
			for _, w := range src.wants {
				if w.table == tab {
					entries[w.run.layout] += w.run.count
					size[w.run.layout] += w.run.length
				}
			}
		}
		if f.words.segs == nil && (entries[layoutWords] > smallEntries || size[layoutWords] > smallBytes) {
			f.words.split()
		} else if f.words.segs == nil {
			f.words.expect(entries[layoutWords])
		}
		if f.cells.segs == nil && (entries[layoutCells] > smallEntries || size[layoutCells] > smallBytes) {
			f.cells.split()
		}
	}
}

func (t *restore) Next(results []state.Result) ([]state.Op, bool, error) {
	if t.err != nil || t.done {
		return nil, t.done, t.err
	}
	ops, err := t.step(results)
	if err != nil {
		t.err = fmt.Errorf("heap: %v: restore: %w", t.store.task, err)
		t.store.err = t.err
		return nil, false, t.err
	}
	return ops, t.done, nil
}

// stepTimers loads a slice of the timers that have arrived; busy: there may be more.
func (t *restore) stepTimers() (busy bool, err error) {
	for _, r := range t.timers {
		idle, err := r.Step()
		if err != nil || !idle {
			return true, err
		}
	}
	return false, nil
}

func (t *restore) step(results []state.Result) ([]state.Op, error) {
	again, err := t.out.Settle(results, t.arrived)
	if err != nil || len(again) > 0 {
		return again, err
	}
	if busy, err := t.stepTimers(); busy || err != nil {
		return nil, err
	}
	var ops []state.Op
	for ; t.next < len(t.sources) && len(ops) < getsAtOnce; t.next++ {
		src := &t.sources[t.next]
		if src.ref.Name != "" {
			ops = append(ops, state.Op{Kind: state.OpGet, Key: src.ref.Name})
		} else if err := src.load(); err != nil {
			return nil, fmt.Errorf("inline state: %w", err)
		}
	}
	t.done = len(ops) == 0
	return t.out.Issue(ops), nil
}

// arrived checks a file and loads it.
func (t *restore) arrived(op state.Op, r state.Result) error {
	for i := range t.sources {
		src := &t.sources[i]
		if src.ref.Name != op.Key {
			continue
		}
		if src.timers != nil {
			if err := src.timers.Arrived(src.segment, r.Data); err != nil {
				return err
			}
			continue
		}
		if src.wants == nil {
			continue
		}
		src.data = r.Data
		if err := src.check(); err != nil {
			return &state.OpError{Kind: op.Kind, Key: op.Key, Status: state.Corrupt, Err: err}
		}
		if err := src.load(); err != nil {
			return &state.OpError{Kind: op.Kind, Key: op.Key, Status: state.Corrupt, Err: err}
		}
	}
	return nil
}

func (s *source) check() error {
	if int64(len(s.data)) != s.ref.Size {
		return fmt.Errorf("%d bytes, the checkpoint says %d", len(s.data), s.ref.Size)
	}
	if sum := xxhash.Sum64(s.data); sum != s.ref.Sum {
		return fmt.Errorf("checksum %016x, the checkpoint says %016x", sum, s.ref.Sum)
	}
	if !bytes.HasPrefix(s.data, appendHeader(nil, s.file)) {
		return fmt.Errorf("header is not that of file %d of a heap snapshot of format %d", s.file, formatVersion)
	}
	return nil
}

// load loads the runs wanted and lets go of the data.
func (s *source) load() error {
	for i := range s.wants {
		x := &s.wants[i].run
		if err := x.load(s.wants[i].table, s.data[x.offset:x.offset+x.length]); err != nil {
			return fmt.Errorf("key group %d of state %q: %w", x.group, s.wants[i].table.descriptor().Name, err)
		}
	}
	s.data, s.wants = nil, nil
	return nil
}

var (
	errTwice  = fmt.Errorf("%w: a key stands there twice", state.ErrCorrupt)
	errEnds   = fmt.Errorf("%w: entries do not fill their run", state.ErrCorrupt)
	errLayout = errors.New("layout does not fit the state")
)

func (x *run) load(t table, src []byte) error {
	switch t := t.(type) {
	case *flat:
		if x.layout == layoutWords {
			if !t.words.load(x.group, src, x.count) {
				return errTwice
			}
			return nil
		}
		return x.loadCells(t, src)
	case *fields:
		return x.loadFields(t, src)
	}
	return errLayout
}

func (x *run) loadCells(t *flat, src []byte) error {
	for range x.count {
		var size [2]int
		var ok bool
		if src, ok = lengths(src, size[:]); !ok || t.fixed && (size[1] != t.d.StoredSize() || size[0] == wordBytes) {
			return errEnds
		}
		if !t.cells.load(x.group, src[:size[0]], src[size[0]:size[0]+size[1]]) {
			return errTwice
		}
		src = src[size[0]+size[1]:]
	}
	if len(src) > 0 {
		return errEnds
	}
	return nil
}

func (x *run) loadFields(t *fields, src []byte) error {
	for range x.count {
		var size [3]int
		var ok bool
		if src, ok = lengths(src, size[:]); !ok {
			return errEnds
		}
		name := src[size[0]:]
		value := name[size[1]:]
		if !t.load(x.group, src[:size[0]], name[:size[1]], value[:size[2]]) {
			return errTwice
		}
		src = value[size[2]:]
	}
	if len(src) > 0 {
		return errEnds
	}
	return nil
}

// lengths reads len(size) varints and checks that as many bytes follow as they
// say together.
func lengths(src []byte, size []int) ([]byte, bool) {
	total := uint64(0)
	for i := range size {
		v, n := binary.Uvarint(src)
		if n <= 0 || v > 1<<32-1 {
			return nil, false
		}
		src, size[i] = src[n:], int(v)
		total += v
	}
	return src, total <= uint64(len(src))
}
