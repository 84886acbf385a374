package pebblestate

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// A deterministic store opens its database when it first needs more of it than
// table files: to read, to compact, or where only Pebble can tell on which level
// a run belongs. Until then runs lie in the directory as the tables that they
// would be in the database, with its levels, numbers and sequence numbers, and a
// snapshot uploads them. Most tasks of simulated runs come to their first crash
// without a database; opening one costs more than what such a task writes.

// What Pebble gives the first tables of a database: it takes other numbers for
// files of its own, some before the first table and one after it.
const (
	firstTable  = 4
	secondTable = 6
	firstSeq    = 10
	bottomLevel = 6
)

// prepare makes ready for table files: the directory is enough for a
// deterministic store.
func (s *Store) prepare() error {
	if s.backend.cfg.Deterministic {
		return s.prepareDir()
	}
	_, err := s.open()
	return err
}

// place makes a finished table one of those that the database will be opened on.
// It does nothing, and says so, if the database is open or has to be.
func (w *tableWriter) place() (placed bool, err error) {
	s := w.s
	s.opening.Lock()
	defer s.opening.Unlock()
	n := len(s.early)
	if s.db.Load() != nil || len(w.paths) != 1 || n >= compactTables || n > 0 && !s.overlapsEarly(w.last) {
		return false, nil
	}
	t := table{num: firstTable, level: bottomLevel, size: w.last.Size, minSeq: firstSeq + uint64(n)}
	if n > 0 {
		t.num, t.level = secondTable+uint64(n-1), 0
	}
	t.maxSeq = t.minSeq
	first, last := &w.last.SmallestPoint, &w.last.LargestPoint
	t.smallest = internalKey(first.UserKey, t.minSeq<<8|uint64(first.Kind()))
	t.largest = internalKey(last.UserKey, t.minSeq<<8|uint64(last.Kind()))
	if err := s.fs.Rename(w.paths[0], s.tablePath(t.num)); err != nil {
		return false, err
	}
	s.early = append(s.early, t)
	return true, nil
}

// overlapsEarly reports whether a key that an early table is known to have lies
// within the bounds of a new table, which then belongs on level 0.
func (s *Store) overlapsEarly(m *sstable.WriterMetadata) bool {
	within := func(internal []byte) bool {
		key := internal[:len(internal)-8]
		return bytes.Compare(m.SmallestPoint.UserKey, key) <= 0 && bytes.Compare(key, m.LargestPoint.UserKey) <= 0
	}
	return slices.ContainsFunc(s.early, func(t table) bool { return within(t.smallest) || within(t.largest) })
}

// earlyTables returns the early tables in the order in which Pebble lists tables.
func (s *Store) earlyTables() []table {
	s.opening.Lock()
	defer s.opening.Unlock()
	if len(s.early) == 0 {
		return []table{}
	}
	return append(slices.Clone(s.early[1:]), s.early[0])
}

// reader returns the database to read from, or nil if it has nothing. It opens
// the database if there are tables; an error ends the store.
func (s *Store) reader() *pebble.DB {
	if db := s.db.Load(); db != nil || !s.backend.cfg.Deterministic || s.failed.Load() {
		return db
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.db.Load() != nil || len(s.early) == 0 {
		return s.db.Load()
	}
	db, err := s.openTables(s.early)
	if err != nil {
		s.fail("open the database", err)
		return nil
	}
	return db
}

// cellsInMemory reports whether memory has every value and list of the store: a
// database was never opened, and nothing was evicted.
func (s *Store) cellsInMemory() bool { return s.db.Load() == nil && !s.cache.evicted }
