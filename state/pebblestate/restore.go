package pebblestate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

// Restore rebuilds what the handles hold of the store's key groups. The store
// must be new. A single handle that lies within the groups of the store becomes
// its database as it is, and the next incremental snapshot refers to its files;
// otherwise what belongs here is copied out of the handles' databases, one after
// the other, of which only the table files are read that have some of it. If the transfer fails the store is of no use: Err reports why.
func (s *Store) Restore(handles []state.Handle) (state.Transfer, error) {
	if s.restored || slices.ContainsFunc(s.timerSets(), func(t *timerSet) bool { return t.Len() > 0 }) || s.cache.count > 0 || s.tree.Len() > 0 || s.db.Load() != nil || s.runs > 0 {
		return nil, s.named(errors.New("restore into a store that was used or restored before; open a new one"))
	}
	s.restored = true
	if err := s.RestoreOperator(handles); err != nil {
		return nil, s.named(fmt.Errorf("restore: %w", err))
	}
	t := &restore{s: s}
	for i, h := range handles {
		m, err := decodeManifest(h)
		if err == nil {
			err = s.declare(&m)
		}
		if err != nil {
			return nil, s.named(fmt.Errorf("restore handle %d of %d: %w", i+1, len(handles), err))
		}
		t.addTimers(&m, len(handles) == 1)
		if lo, hi := max(m.groups.Lo, s.groups.Lo), min(m.groups.Hi, s.groups.Hi); lo < hi && len(m.tables) > 0 {
			clocks, err := state.ClocksOf(h)
			if err != nil {
				return nil, s.named(fmt.Errorf("restore handle %d of %d: %w", i+1, len(handles), err))
			}
			t.sources = append(t.sources, source{m, h.Files[:len(m.tables)], state.GroupRange{Lo: lo, Hi: hi}, clocks})
		} else if len(handles) == 1 {
			s.addBase(base{epoch: m.epoch})
		}
	}
	t.asIs = len(handles) == 1 && len(t.sources) == 1 && t.sources[0].wanted == t.sources[0].m.groups
	if t.asIs {
		s.adoptNumbers(t.sources[0].m.schema)
	} else {
		t.narrow()
	}
	return t, nil
}

// declare makes the states of a snapshot known, and compares those that are.
func (s *Store) declare(m *manifest) error {
	for _, t := range m.schema {
		if _, err := s.ensure(t.d, false); err != nil {
			return err
		}
	}
	return nil
}

// addTimers plans the restore of the timers of a handle, alone or one of several.
func (t *restore) addTimers(m *manifest, alone bool) {
	wanted := state.GroupRange{Lo: max(m.groups.Lo, t.s.groups.Lo), Hi: min(m.groups.Hi, t.s.groups.Hi)}
	if wanted.Lo >= wanted.Hi {
		return
	}
	epoch := id.Epoch(0)
	if alone && wanted == m.groups {
		epoch = m.epoch
	}
	parts := m.timers
	for _, known := range m.schema {
		if known.d.Kind != state.KindTimers {
			continue
		}
		for _, set := range t.s.timerSets() {
			if set.d.Name == known.d.Name {
				t.due = append(t.due, set.Restore(parts[0], wanted, epoch))
			}
		}
		parts = parts[1:]
	}
}

// stepTimers loads a slice of the timers, or fetches the next segments.
func (t *restore) stepTimers() ([]state.Op, error) {
	r := t.due[0]
	if idle, err := r.Step(); err != nil || !idle {
		return nil, err
	}
	files := r.Files()
	var ops []state.Op
	for ; t.asked < len(files) && len(ops) < fetchesAtOnce; t.asked++ {
		ops = append(ops, state.Op{Kind: state.OpGet, Key: files[t.asked].Name})
	}
	if len(ops) == 0 {
		t.due, t.asked = t.due[1:], 0
	}
	return t.out.Issue(ops), nil
}

// arrivedTimers takes a segment.
func (t *restore) arrivedTimers(op state.Op, r state.Result) error {
	for i, ref := range t.due[0].Files() {
		if ref.Name == op.Key {
			if err := t.due[0].Arrived(i, r.Data); err != nil {
				return err
			}
		}
	}
	return nil
}

// adoptNumbers gives the tables the numbers that they have in a snapshot, and
// the others the numbers that are left.
func (s *Store) adoptNumbers(schema []schemaTable) {
	var numbered, others []stateTable
	for _, t := range s.tables {
		other := true
		for _, known := range schema {
			if known.d.Name == t.descriptor().Name {
				t.renumber(known.num)
				numbered, other = append(numbered, t), false
			}
		}
		if other {
			others = append(others, t)
		}
	}
	for _, t := range others {
		t.renumber(s.freeNumber(numbered))
		numbered = append(numbered, t)
	}
}

// restore fetches the files of one source after the other.
type restore struct {
	s       *Store
	sources []source
	asIs    bool // the only source becomes the database

	next  int               // first file of the first source not asked for
	due   []*timers.Restore // the first is being loaded
	asked int               // its files that have been asked for
	out   state.Outstanding
	done  bool
	err   error
}

// source is one handle to restore from.
type source struct {
	m      manifest
	files  []state.FileRef
	wanted state.GroupRange
	clocks state.Clocks // by which its entries have expired
}

const fetchesAtOnce = 4

func (t *restore) Next(results []state.Result) ([]state.Op, bool, error) {
	if t.err != nil || t.done {
		return nil, t.done, t.err
	}
	ops, err := t.step(results)
	if err != nil {
		t.s.fail("restore", err)
		t.err = t.s.Err()
		return nil, false, t.err
	}
	return ops, t.done, nil
}

func (t *restore) step(results []state.Result) ([]state.Op, error) {
	again, err := t.out.Settle(results, t.arrived)
	if err != nil || len(again) > 0 {
		return again, err
	}
	if len(t.sources) == 0 && len(t.due) > 0 {
		return t.stepTimers()
	}
	if len(t.sources) == 0 {
		t.done = true
		return nil, nil
	}
	src := &t.sources[0]
	if t.next == 0 {
		if err := t.begin(); err != nil {
			return nil, err
		}
	}
	var ops []state.Op
	for ; t.next < len(src.files) && len(ops) < fetchesAtOnce; t.next++ {
		ops = append(ops, state.Op{Kind: state.OpGet, Key: src.files[t.next].Name})
	}
	if len(ops) > 0 {
		return t.out.Issue(ops), nil
	}
	t.sources, t.next = t.sources[1:], 0
	return nil, t.complete(src)
}

// dir is where the files of the current source go.
func (t *restore) dir() string {
	if t.asIs {
		return t.s.dir
	}
	return t.s.fs.PathJoin(t.s.dir, "restore")
}

func (t *restore) begin() error {
	if err := t.s.prepareDir(); err != nil {
		return err
	}
	return t.s.fs.MkdirAll(t.dir(), 0o755)
}

// arrived checks a file and puts it in its place.
func (t *restore) arrived(op state.Op, r state.Result) error {
	if len(t.sources) == 0 {
		return t.arrivedTimers(op, r)
	}
	src := &t.sources[0]
	for i := range src.files {
		ref := &src.files[i]
		if ref.Name != op.Key {
			continue
		}
		if err := src.check(i, &r); err != nil {
			return &state.OpError{Kind: op.Kind, Key: op.Key, Status: state.Corrupt, Err: err}
		}
		path := t.s.fs.PathJoin(t.dir(), fmt.Sprintf("%06d.sst", src.m.tables[i].num))
		if err := t.put(path, &r); err != nil {
			return err
		}
	}
	return nil
}

// Adopts implements state.Adopter: a table of a snapshot that becomes the database as it is
// needs not be written once more.
func (t *restore) Adopts(name string) bool {
	return t.asIs && len(t.sources) > 0 && slices.ContainsFunc(t.sources[0].files, func(f state.FileRef) bool { return f.Name == name })
}

func (t *restore) put(path string, r *state.Result) error {
	if r.File != "" {
		return t.s.fs.Link(r.File, path)
	}
	return writeFile(t.s.fs, path, r.Data)
}

// check compares what arrived with what the checkpoint says; a local file was compared already.
func (src *source) check(i int, r *state.Result) error {
	ref := &src.files[i]
	if r.File == "" && int64(len(r.Data)) != ref.Size || uint64(ref.Size) != src.m.tables[i].size {
		return fmt.Errorf("%d bytes, the checkpoint says %d", len(r.Data), ref.Size)
	}
	if sum := xxhash.Sum64(r.Data); r.File == "" && sum != ref.Sum {
		return fmt.Errorf("checksum %016x, the checkpoint says %016x", sum, ref.Sum)
	}
	if ref.Local != strconv.FormatUint(src.m.tables[i].num, 10) {
		return fmt.Errorf("it is table %q, the checkpoint says %d", ref.Local, src.m.tables[i].num)
	}
	return nil
}

// writeFile copies the data, because a vfs.File may change what it is given.
func writeFile(fs scratchFS, path string, data []byte) error {
	f, err := fs.Create(path, writeCategory)
	if err != nil {
		return err
	}
	buf := make([]byte, min(len(data), 256<<10))
	for err == nil && len(data) > 0 {
		n := copy(buf, data)
		_, err = f.Write(buf[:n])
		data = data[n:]
	}
	return errors.Join(err, f.Close())
}

// complete makes the fetched files of a source part of the store.
func (t *restore) complete(src *source) error {
	if !t.asIs {
		return t.copy(src)
	}
	db, err := t.s.openTables(src.m.tables)
	if err != nil {
		return fmt.Errorf("open the restored database: %w", err)
	}
	// A live database may be compacting already.
	if err := checkTables(db, src.m.tables); err != nil && t.s.backend.cfg.Deterministic {
		return fmt.Errorf("the restored database is not that of the checkpoint: %w", err)
	}
	b := base{epoch: src.m.epoch}
	if !t.s.backend.cfg.Full {
		b.files = src.files
	}
	t.s.addBase(b)
	return nil
}

// copy takes over the wanted key groups of a source.
func (t *restore) copy(src *source) (err error) {
	s := t.s
	if err := writeDatabase(s.fs, t.dir(), src.m.tables); err != nil {
		return err
	}
	opts := s.options()
	opts.FS, opts.ReadOnly = s.fs, true
	from, err := pebble.Open(t.dir(), opts)
	if err != nil {
		return fmt.Errorf("open a restored database: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close(), s.fs.RemoveAll(t.dir())) }()
	to, err := s.open()
	if err != nil {
		return err
	}
	for _, table := range src.m.schema {
		w := tableWriter{s: s}
		num := s.numberOf(table.d.Name)
		lower := appendKeyHeader(nil, table.num, src.wanted.Lo)
		upper := appendKeyHeader(nil, table.num, src.wanted.Hi)
		var key, kept []byte
		var werr error
		e := src.clocks.Expiry(table.d)
		err := scan(from, lower, upper, func(k, value []byte) bool {
			left, live := e.Unexpired(value, &kept)
			if !live {
				return true
			}
			key = append(append(key[:0], num), k[1:]...)
			werr = w.add(key, left, false)
			return werr == nil
		})
		if err = errors.Join(err, werr); err != nil {
			return errors.Join(err, w.abandon())
		}
		if err := w.ingest(to); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) numberOf(name string) uint8 {
	for _, t := range s.tables {
		if t.descriptor().Name == name {
			return t.number()
		}
	}
	return 0 // declared before, so it is there
}
