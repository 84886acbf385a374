package pebblestate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

// base is a complete snapshot of this incarnation's database, or the one it was
// restored from.
type base struct {
	epoch   id.Epoch
	files   []state.FileRef // their Local is the number of the table; none if every snapshot is a full one
	written uint64          // Store.written at its instant
}

// Snapshot freezes the state. See the package comment for what happens when.
func (s *Store) Snapshot(r state.SnapshotRequest) (state.Capture, error) {
	s.settle() // an earlier snapshot's
	if err := s.Err(); err != nil {
		return nil, err
	}
	c := &capture{s: s, request: r, frozen: s.freeze(), operator: s.AppendOperator(nil)}
	c.written = s.written
	c.tables = s.schema()
	from := r.Base
	if s.backend.cfg.Full {
		from = 0
	}
	for _, t := range s.timerSets() {
		c.timers = append(c.timers, t.Snapshot(r.Epoch, from))
		c.written += uint64(t.Changed())
		if s.backend.cfg.Full {
			t.Release(r.Epoch + 1) // it need not note what changes
		}
	}
	if r.Base != 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.IndexFunc(s.bases, func(b base) bool { return b.epoch == r.Base }); i >= 0 {
			c.base, c.based = s.bases[i], true
		}
	}
	return c, nil
}

// capture uploads the tables that make up a snapshot.
type capture struct {
	s        *Store
	request  state.SnapshotRequest
	base     base
	based    bool
	frozen   *frozen
	operator []byte
	tables   []schemaTable
	written  uint64
	timers   []*timers.Capture

	list   []table
	refs   []state.FileRef // of list
	next   int             // first of list not looked at yet
	ended  int             // how many of timers are written
	out    state.Outstanding
	handle state.Handle
	done   bool
	err    error
}

// Files being uploaded are held in memory, as few as this at a time.
const (
	uploadsAtOnce     = 4
	uploadBytesAtOnce = 32 << 20
)

func (c *capture) Next(results []state.Result) ([]state.Op, bool, error) {
	if c.done || c.err != nil {
		return nil, c.done, c.err
	}
	ops, err := c.step(results)
	if err != nil {
		c.err = c.s.named(fmt.Errorf("snapshot %v: %w", c.request.Epoch, err))
		return nil, false, c.err
	}
	return ops, c.done, nil
}

func (c *capture) step(results []state.Result) ([]state.Op, error) {
	if c.frozen != nil && c.refs == nil {
		return nil, c.begin()
	}
	if c.frozen == nil {
		return nil, errors.New("the capture was discarded")
	}
	again, err := c.out.Settle(results, func(state.Op, state.Result) error { return nil })
	if err != nil || len(again) > 0 {
		return again, err
	}
	ops, err := c.upload()
	if err != nil || len(ops) > 0 {
		return c.out.Issue(ops), err
	}
	if put, done := c.sliceTimers(); !done {
		return c.out.Issue(put), nil
	}
	c.finish()
	return nil, nil
}

// sliceTimers encodes a little more of the timers.
func (c *capture) sliceTimers() (put []state.Op, done bool) {
	if c.ended == len(c.timers) {
		return nil, true
	}
	op, done := c.timers[c.ended].Next(c.name)
	if done {
		c.ended++
	}
	if op != nil {
		put = []state.Op{*op}
	}
	return put, false
}

// name returns the name of the next file.
func (c *capture) name() string {
	return c.request.Prefix + strconv.FormatUint(c.s.names.Add(1), 10)
}

// sliceEntries is about how many entries one call of Next writes to the database.
const sliceEntries = 1024

// begin sees to it, a slice at a time, that the frozen run is in the database,
// and then takes over the list of its tables.
func (c *capture) begin() error {
	done, err := c.frozen.advance(sliceEntries)
	if err != nil || !done {
		return err
	}
	c.list = c.frozen.tables
	c.refs = make([]state.FileRef, len(c.list))
	return nil
}

// upload returns operations for the next tables that the base does not have.
func (c *capture) upload() (ops []state.Op, err error) {
	total := int64(0)
	for ; c.next < len(c.list) && len(ops) < uploadsAtOnce && total < uploadBytesAtOnce; c.next++ {
		t := &c.list[c.next]
		local := strconv.FormatUint(t.num, 10)
		i := slices.IndexFunc(c.base.files, func(f state.FileRef) bool { return f.Local == local })
		if i >= 0 {
			c.refs[c.next] = c.base.files[i]
			continue
		}
		data, err := c.s.readTable(t)
		if err != nil {
			c.s.fail("read a table to upload it", err)
			return nil, c.s.Err()
		}
		ref := state.FileRef{
			Name: c.name(), Local: local,
			Size: int64(len(data)), Sum: xxhash.Sum64(data), Shared: !c.s.backend.cfg.Full,
		}
		c.refs[c.next] = ref
		total += ref.Size
		ops = append(ops, state.Op{Kind: state.OpPut, Key: ref.Name, Data: data})
	}
	return ops, nil
}

// finish makes the handle, and the snapshot a possible base.
func (c *capture) finish() {
	h := state.Handle{Backend: c.s.backend.Name(), Version: handleVersion, Operator: c.operator, Files: slices.Clone(c.refs)}
	m := manifest{epoch: c.request.Epoch, groups: c.s.groups, schema: c.tables, tables: c.list}
	for _, t := range c.timers {
		m.timers = append(m.timers, t.Part())
		h.Files = append(h.Files, t.Part().Files()...)
	}
	for i := range h.Files {
		h.Bytes += h.Files[i].Size
	}
	if !c.s.backend.cfg.Full {
		h.Changed, _ = c.Changed()
	}
	h.Inline = m.append(nil)
	c.handle, c.done = h, true
	b := base{epoch: c.request.Epoch, written: c.written}
	if !c.s.backend.cfg.Full {
		b.files = c.refs
	}
	c.s.addBase(b)
	c.Discard()
}

func (s *Store) addBase(b base) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.bases, b.epoch, func(b base, e id.Epoch) int {
		if b.epoch < e {
			return -1
		}
		return int(min(b.epoch-e, 1))
	})
	if !found {
		s.bases = slices.Insert(s.bases, i, b)
	}
}

// Resident implements state.Resident: table files are those of the database.
func (c *capture) Resident(name string) (path string, ok bool) {
	i := slices.IndexFunc(c.refs, func(f state.FileRef) bool { return f.Name == name })
	if i < 0 {
		return "", false
	}
	return c.s.tablePath(c.list[i].num), true
}

// Handle returns where the snapshot stands. Its Bytes is the size of its files.
func (c *capture) Handle() state.Handle { return c.handle }

// Changed implements state.ChangeMeter: what went towards the database since the
// instant of the base, and what changed of timers. An entry that was written out and then changed again
// counts twice.
func (c *capture) Changed() (bytes int64, known bool) {
	if !c.based {
		return 0, false
	}
	return int64(c.written - c.base.written), true
}

// Discard lets the table files go, and the timers.
func (c *capture) Discard() {
	if c.frozen != nil {
		c.frozen.abandon()
		c.frozen = nil
	}
	for _, t := range c.timers {
		t.Discard()
	}
}

// table is one table file of the database.
type table struct {
	num               uint64
	level             int
	size              uint64
	smallest, largest []byte // internal keys: a database key and its trailer
	minSeq, maxSeq    uint64
}

// listAndPin returns the tables that make up the database now and keeps them
// from being deleted. Nobody else writes to the database meanwhile.
func (s *Store) listAndPin() ([]table, error) {
	list := []table{}
	db := s.db.Load()
	if db == nil {
		list = s.earlyTables()
		s.local.pin(list)
		return list, nil
	}
	// Files are deleted when the store says so (see tidy), and not before this is
	// over: a list that a background compaction outdates is as good as a newer one.
	levels, err := db.SSTables()
	if err != nil {
		return nil, err
	}
	for level, tables := range levels {
		for i := range tables {
			t := &tables[i]
			if t.Virtual {
				return nil, fmt.Errorf("table %v is part of another file, which this version cannot upload", t.FileNum)
			}
			list = append(list, table{
				num: uint64(t.FileNum), level: level, size: t.Size,
				smallest: internalKey(t.Smallest.UserKey, uint64(t.Smallest.Trailer)),
				largest:  internalKey(t.Largest.UserKey, uint64(t.Largest.Trailer)),
				minSeq:   uint64(t.SmallestSeqNum), maxSeq: uint64(t.LargestSeqNum),
			})
		}
	}
	s.local.pin(list)
	return list, nil
}

func (s *Store) tablePath(num uint64) string {
	return s.fs.PathJoin(s.dir, fmt.Sprintf("%06d.sst", num))
}

func (s *Store) readTable(t *table) ([]byte, error) {
	f, err := s.fs.Open(s.tablePath(t.num))
	if err != nil {
		return nil, err
	}
	data := make([]byte, t.size)
	_, err = io.ReadFull(f, data)
	return data, errors.Join(err, f.Close())
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
