package pebblestate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"weir/id"
	"weir/state"
)

// Store is the working state of one task in Pebble. It belongs to one
// goroutine; captures taken from it may run on others. The first error of the
// file system or the database ends it: writes do nothing from then on, reads find
// nothing new, and Err and Snapshot tell. Using a state in a way its kind does
// not have, a value of the wrong size, or a key of another task's group is a bug
// of the caller and panics.
type Store struct {
	state.OperatorState
	backend  *Backend
	task     id.TaskID
	groups   state.GroupRange
	dir      string
	fs       scratchFS
	opts     *pebble.Options
	restored bool
	prepared bool // the local directory is there, and ours

	tables []stateTable // in order of name
	opened []string

	cache   cache
	tree    *tree
	pending *frozen // the last frozen run; in the database once it is applied
	runs    uint32  // frozen runs so far
	spare   run     // memory for the next run

	dbKey, element, fetched, kept []byte // scratch

	hand []byte // of the sweep: the database key that it looks at next; of whoever applies a frozen run

	db      atomic.Pointer[pebble.DB] // nil until something is written to it, or needed of it
	opening sync.Mutex                // held while the database is opened, and for:
	early   []table                   // what it will be opened on, oldest first
	local   tableFiles
	files   atomic.Uint64 // table files written, for temporary names
	names   atomic.Uint64 // remote names given

	written uint64 // logical bytes written towards the database, frozen ones included

	failed atomic.Bool
	mu     sync.Mutex
	err    error
	bases  []base // snapshots whose files may be referred to, by epoch
}

var _ state.Store = (*Store)(nil)

// stateTable is what the store needs of a state beside its use.
type stateTable interface {
	descriptor() state.Descriptor
	declared(d state.Descriptor) // by the job, which may differ from what a snapshot holds in the duration of its TTL
	number() uint8
	renumber(num uint8)
	sum() uint64
	entries(f func(e state.KeyedEntry) bool) // those that have expired too
	put(e state.KeyedEntry)
	remove(e state.KeyedEntry)
}

func newStore(b *Backend, o state.Open, fs scratchFS) *Store {
	s := &Store{OperatorState: state.NewOperatorState(o), backend: b, task: o.Task, groups: o.Groups, dir: o.Dir, fs: fs, tree: newTree()}
	s.local.pins = map[uint64]int{}
	return s
}

// Table opens a keyed state. After a restore it hands out what was restored
// under the name; states that nobody opens stay as they are and go into the
// next snapshot.
func (s *Store) Table(d state.Descriptor) (state.Table, error) {
	if err := d.CheckTable(); err != nil {
		return nil, s.named(err)
	}
	t, err := s.openState(d)
	if err != nil {
		return nil, err
	}
	return t.(state.Table), nil
}

// Timers opens a set of timers; what is said of Table holds here too.
func (s *Store) Timers(name string) (state.Timers, error) {
	d := state.TimersDescriptor(name)
	if err := d.Validate(); err != nil {
		return nil, s.named(err)
	}
	t, err := s.openState(d)
	if err != nil {
		return nil, err
	}
	return t.(*timerSet), nil
}

// openState opens a state, once.
func (s *Store) openState(d state.Descriptor) (stateTable, error) {
	if slices.Contains(s.opened, d.Name) {
		return nil, s.named(fmt.Errorf("state %q is open already; give each keyed state of a task its own name", d.Name))
	}
	t, err := s.ensure(d, true)
	if err != nil {
		return nil, s.named(err)
	}
	s.opened = append(s.opened, d.Name)
	return t, nil
}

// ensure returns the table of a descriptor, made under the next free number if need be: of
// one that the job declares or a snapshot holds.
func (s *Store) ensure(d state.Descriptor, declares bool) (stateTable, error) {
	i, found := slices.BinarySearchFunc(s.tables, d.Name, func(t stateTable, name string) int {
		return strings.Compare(t.descriptor().Name, name)
	})
	if found {
		declared, stored := s.tables[i].descriptor(), d
		if declares {
			declared, stored = stored, declared
		}
		declared, err := declared.Over(stored)
		if err == nil {
			s.tables[i].declared(declared)
		}
		return s.tables[i], err
	}
	if !declares {
		d.Evolution = nil // of another store
	}
	if len(s.tables) == maxTables {
		return nil, fmt.Errorf("state %q: a task has at most %d keyed states; put some of them into one", d.Name, maxTables)
	}
	s.Clocks().Use(d.TTL.Clock)
	num := s.freeNumber(s.tables)
	var t stateTable
	switch d.Kind {
	case state.KindMap:
		t = &fields{s: s, d: d, num: num}
	case state.KindTimers:
		t = newTimerSet(s, d, num)
	default:
		t = &cells{s: s, d: d, num: num}
	}
	s.tables = slices.Insert(s.tables, i, t)
	return t, nil
}

// freeNumber returns the least number that no table has.
func (s *Store) freeNumber(tables []stateTable) uint8 {
	num := uint8(0)
	for slices.ContainsFunc(tables, func(t stateTable) bool { return t.number() == num }) {
		num++
	}
	return num
}

// check panics on a key that this store cannot have.
func (s *Store) check(k state.Key) {
	if k.Group < s.groups.Lo || k.Group >= s.groups.Hi {
		panic(fmt.Sprintf("pebblestate: key group %d outside the store's [%d, %d)", k.Group, s.groups.Lo, s.groups.Hi))
	}
	if len(k.Bytes) > maxKeySize {
		panic(fmt.Sprintf("pebblestate: a key of %d bytes; at most %d are possible", len(k.Bytes), maxKeySize))
	}
}

// Sum returns the sum of state.SumEntry over everything.
func (s *Store) Sum() uint64 {
	sum := s.SumOperator()
	for _, t := range s.tables {
		sum += t.sum()
	}
	return sum
}

// Release forgets the snapshots before an epoch.
func (s *Store) Release(before id.Epoch) {
	for _, t := range s.timerSets() {
		t.Release(before)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bases = slices.DeleteFunc(s.bases, func(b base) bool { return b.epoch < before })
}

// Err returns the first error of the file system or the database.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// fail records the first error.
func (s *Store) fail(doing string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = s.named(fmt.Errorf("%s, directory %q: %w%s", doing, s.dir, err, advice(err)))
	}
	s.failed.Store(true)
}

func (s *Store) named(err error) error {
	return fmt.Errorf("%s: %v: %w", s.backend.Name(), s.task, err)
}

// Close closes the database and removes the local directory.
func (s *Store) Close() error {
	var err error
	if s.pending != nil {
		err = s.pending.close()
	}
	if db := s.db.Swap(nil); db != nil {
		err = errors.Join(err, db.Close())
	}
	if s.prepared {
		err = errors.Join(err, s.fs.RemoveAll(s.dir))
	}
	s.cache, s.tree, s.pending = cache{}, newTree(), nil
	if err != nil && s.Err() == nil {
		return s.named(fmt.Errorf("close, directory %q: %w", s.dir, err))
	}
	return nil
}
