package pebblestate

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// frozen is the run of a snapshot: what had changed at its instant. It reaches
// the database by apply, called by the capture or by the task, whoever needs it
// first; nothing newer gets in before.
type frozen struct {
	s      *Store
	number uint32
	run    run
	tree   *tree    // nil if empty
	expiry expiries // at the instant; nil if nothing expires
	sweep  sweep

	applied atomic.Bool
	mu      sync.Mutex
	under   *ingestion // nil until it has begun
	// ingested: the run is in the database, and the sweep has begun.
	ingested bool
	wanted   bool    // a capture waits for the list of tables
	tables   []table // that make up the snapshot, pinned; set by apply if wanted
	err      error
}

// pinned returns the number of the frozen run that is not in the database yet,
// or 0. Its records must stay in memory.
func (s *Store) pinned() uint32 {
	if p := s.pending; p != nil && !p.applied.Load() {
		return p.number
	}
	return 0
}

// freeze takes everything that has changed since the last run. It is the
// synchronous part of a snapshot: the cost is one copy of the changed values;
// the changed fields of maps change hands as a whole.
func (s *Store) freeze() *frozen {
	s.runs++
	p := &frozen{s: s, number: s.runs, run: s.spare, tree: s.tree, wanted: true, expiry: s.expiries()}
	s.spare = run{}
	p.run.reset()
	if p.tree.Len() == 0 {
		p.tree = nil
	} else {
		s.written += uint64(p.tree.bytes)
		s.tree = newTree()
	}
	s.take(&p.run, p.number, s.cache.dirtyBytes, p.expiry)
	s.pending = p
	return p
}

// take moves changed records, oldest first, into a run: at least want bytes or
// all. They count as clean then, and as part of a frozen run unless number is 0.
func (s *Store) take(r *run, number uint32, want int64, e expiries) {
	before := s.cache.dirtyBytes
	for before-s.cache.dirtyBytes < want {
		rec := s.cache.nextDirty()
		if rec == nil {
			break
		}
		rec.setRun(number)
		s.addRecord(r, rec, e)
		s.written += uint64(keyHeader + rec.keyLen() + rec.valueLen())
	}
	if s.cache.dirtyBytes == 0 {
		s.cache.nextDirty() // empties the list
	}
}

// settle waits until the frozen run is in the database, or sees to it.
func (s *Store) settle() {
	p := s.pending
	if p == nil {
		return
	}
	if p.apply() == nil && !s.failed.Load() {
		s.pending = nil
		s.spare = p.run
		p.run = run{}
	}
}

// apply puts the run, or what is left of it, into the database, once.
func (p *frozen) apply() error {
	for {
		if done, err := p.advance(math.MaxInt); done || err != nil {
			return err
		}
	}
}

// advance is a slice of apply, of about as many entries.
func (p *frozen) advance(most int) (done bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.applied.Load() || p.err != nil {
		return true, p.err
	}
	if p.err = p.s.Err(); p.err == nil {
		done, p.err = p.advanceLocked(most)
	}
	return done, p.err
}

func (p *frozen) advanceLocked(most int) (done bool, err error) {
	s := p.s
	if p.under == nil {
		p.run.addTree(p.tree, p.expiry)
		p.under = &ingestion{s: s, r: &p.run}
	}
	if !p.ingested {
		p.ingested, err = p.under.step(min(most, len(p.run.entries)))
	}
	if err == nil && p.ingested {
		done, err = p.sweep.step(p, most)
	}
	if err == nil && !done {
		return false, nil
	}
	if err == nil && p.wanted {
		p.tables, err = s.listAndPin()
	}
	if err != nil {
		s.fail("write a snapshot to the database", err)
		return false, s.Err()
	}
	p.under = nil
	p.applied.Store(true)
	if err := s.tidy(); err != nil {
		s.fail("compact", err)
	}
	return true, nil
}

// close ends a run that is not in the database and never will be.
func (p *frozen) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.under == nil {
		return nil
	}
	return errors.Join(p.under.w.abandon(), p.sweep.w.abandon())
}

// abandon says that no capture waits for the tables any more, and gives back
// those it has. The run still belongs into the database.
func (p *frozen) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = false
	if p.tables != nil {
		p.s.local.unpin(p.tables)
		p.tables = nil
	}
}

// makeRoom sees to it that entries in memory stay within bounds.
func (s *Store) makeRoom() {
	if limit := s.backend.cfg.WriteCacheBytes; s.cache.used > limit || s.tree.held > limit {
		s.makeRoomIn(limit)
	}
}

func (s *Store) makeRoomIn(limit int64) {
	if s.tree.held > limit && !s.failed.Load() {
		s.spill(0)
	}
	for s.cache.used > limit && !s.failed.Load() {
		clean := s.cache.used - s.cache.dirtyBytes
		if clean > limit/8 && s.cache.evict(limit/16, s.pinned()) > 0 {
			continue
		}
		if s.cache.dirtyBytes == 0 && s.pinned() == 0 && s.cache.evict(1, 0) == 0 {
			return
		}
		s.spill(limit / 4)
	}
}

// spill writes the fields of maps and at least want bytes of changed records to
// the database, after the frozen run.
func (s *Store) spill(want int64) {
	s.settle()
	if s.failed.Load() {
		return
	}
	r := &s.spare
	r.reset()
	e := s.expiries()
	r.addTree(s.tree, e)
	s.written += uint64(s.tree.bytes)
	s.take(r, 0, want, e)
	err := s.ingest(r)
	if err == nil {
		s.tree = newTree()
		err = s.tidy()
	}
	if err != nil {
		s.fail("write entries to the database", err)
	}
}

// The policy for compaction of a deterministic store: merge everything when
// level 0 has this many tables and holds at least half as many bytes as the
// levels below; or far more tables. What is stored is then at most about twice
// what is needed. With a share x of the keys changing per snapshot, merging comes
// every 1/(2x) snapshots, and a snapshot uploads about 3x of the state on average.
const (
	compactTables   = 4
	compactAtLatest = 48
)

// tidy deletes obsolete files, and compacts a deterministic store if it is due.
// A live one compacts in the background.
func (s *Store) tidy() error {
	db := s.db.Load()
	if db == nil {
		return nil
	}
	if s.backend.cfg.Deterministic {
		if err := s.compactIfDue(db); err != nil {
			return err
		}
		// Pebble's own goroutine hands files to the cleaner; wait until it has, so
		// that they go now and not at a moment that nothing decides.
		db.TestOnlyWaitForCleaning()
	}
	return s.removeObsolete()
}

func (s *Store) compactIfDue(db *pebble.DB) error {
	levels, err := db.SSTables()
	if err != nil {
		return err
	}
	var top, below uint64
	for level, tables := range levels {
		for i := range tables {
			if level == 0 {
				top += tables[i].Size
			} else {
				below += tables[i].Size
			}
		}
	}
	due := len(levels[0]) >= compactAtLatest || len(levels[0]) >= compactTables && 2*top >= below
	if !due {
		return nil
	}
	if err := db.Compact(context.Background(), []byte{0}, []byte{0xff}, false); err != nil {
		return err
	}
	return s.Err()
}

func (s *Store) removeObsolete() error {
	for _, path := range s.local.takeFree() {
		if err := s.fs.Remove(path); err != nil && !isNotExist(err) {
			return err
		}
	}
	return nil
}
