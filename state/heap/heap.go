package heap

import (
	"fmt"
	"slices"
	"strings"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

// Name is the name of the backend in catalogs and handles.
const Name = "heap"

// Backend opens in-memory stores. It has no state, and is safe for concurrent use.
type Backend struct {
	// Simulated is for simulation: a few timers already make segments, as many do
	// elsewhere. It changes how timers are stored and nothing else.
	Simulated bool
}

var _ state.Backend = Backend{}

// Name returns "heap".
func (Backend) Name() string { return Name }

// Open returns an empty store for the groups of o. It uses neither a directory
// nor a file system and fails only on an empty range of groups for keyed state.
func (b Backend) Open(o state.Open) (state.Store, error) {
	if o.Groups.Lo > o.Groups.Hi {
		return nil, fmt.Errorf("heap: open %v: key groups [%d, %d) run backwards", o.Task, o.Groups.Lo, o.Groups.Hi)
	}
	s := &Store{OperatorState: state.NewOperatorState(o), task: o.Task, groups: o.Groups, sizes: timers.Usual}
	if b.Simulated {
		s.sizes = timers.Simulated
	}
	return s, nil
}

// Store is the working state of one task in memory. It belongs to one
// goroutine; a capture taken from it may run on another. Using a state in a way
// its kind does not have, a value of the wrong size, or a key of another task's
// group is a bug of the caller and panics.
type Store struct {
	state.OperatorState
	task     id.TaskID
	groups   state.GroupRange
	sizes    timers.Sizes
	tables   []table            // in order of name
	shapes   []state.Descriptor // of tables, for captures to share; nil: to be made
	opened   []string
	v        versions
	nextFile uint64
	restored bool
	err      error
}

var _ state.Store = (*Store)(nil)

// table is what the store needs of a state beside its use.
type table interface {
	Len() int
	descriptor() state.Descriptor
	declared(d state.Descriptor) // by the job, which may differ from what a snapshot holds in the duration of its TTL
	logicalBytes() int64
	sum() uint64
}

// Table opens a keyed state. After a restore it hands out what was restored
// under the name; states that nobody opens stay as they are and go into the
// next snapshot.
func (s *Store) Table(d state.Descriptor) (state.Table, error) {
	if err := d.CheckTable(); err != nil {
		return nil, fmt.Errorf("heap: %v: %w", s.task, err)
	}
	t, err := s.declare(d)
	if err != nil {
		return nil, err
	}
	return t.(state.Table), nil
}

// Timers opens a set of timers; what is said of Table holds here too.
func (s *Store) Timers(name string) (state.Timers, error) {
	d := state.TimersDescriptor(name)
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("heap: %v: %w", s.task, err)
	}
	t, err := s.declare(d)
	if err != nil {
		return nil, err
	}
	return t.(*timerSet), nil
}

// declare opens a state, once.
func (s *Store) declare(d state.Descriptor) (table, error) {
	if slices.Contains(s.opened, d.Name) {
		return nil, fmt.Errorf("heap: %v: state %q is open already; give each keyed state of a task its own name", s.task, d.Name)
	}
	t, err := s.ensure(d, true)
	if err != nil {
		return nil, err
	}
	s.opened = append(s.opened, d.Name)
	return t, nil
}

// ensure returns the table of a descriptor, made if need be: of one that the job declares
// or a snapshot holds.
func (s *Store) ensure(d state.Descriptor, declares bool) (table, error) {
	i, ok := slices.BinarySearchFunc(s.tables, d.Name, func(t table, name string) int {
		return strings.Compare(t.descriptor().Name, name)
	})
	if ok {
		declared, stored := s.tables[i].descriptor(), d
		if declares {
			declared, stored = stored, declared
		}
		declared, err := declared.Over(stored)
		if err != nil {
			return nil, fmt.Errorf("heap: %v: %w", s.task, err)
		}
		s.tables[i].declared(declared)
		s.shapes = nil
		return s.tables[i], nil
	}
	if !declares {
		d.Evolution = nil // of another store
	}
	s.Clocks().Use(d.TTL.Clock)
	var t table
	switch d.Kind {
	case state.KindMap:
		t = newFields(d, s.groups, &s.v, s.Clocks())
	case state.KindTimers:
		t = &timerSet{d, timers.New(s.groups, s.sizes)}
	default:
		t = newFlat(d, s.groups, &s.v, s.Clocks())
	}
	s.tables, s.shapes = slices.Insert(s.tables, i, t), nil
	return t, nil
}

// descriptors returns those of all tables; the slice is not written to again.
func (s *Store) descriptors() []state.Descriptor {
	for i, d := range s.shapes {
		if d.Schemas != s.tables[i].descriptor().Schemas { // some are gone
			s.shapes = nil
			break
		}
	}
	if s.shapes == nil && len(s.tables) > 0 {
		s.shapes = make([]state.Descriptor, len(s.tables))
		for i, t := range s.tables {
			s.shapes[i] = t.descriptor()
		}
	}
	return s.shapes
}

// Sum returns the sum of state.SumEntry over everything.
func (s *Store) Sum() uint64 {
	sum := s.SumOperator()
	for _, t := range s.tables {
		sum += t.sum()
	}
	return sum
}

// Release forgets the snapshots before an epoch, to which timers may refer.
func (s *Store) Release(before id.Epoch) {
	for _, t := range s.tables {
		if t, ok := t.(*timerSet); ok {
			t.Release(before)
		}
	}
}

// Err returns the error of a restore that failed half-way, if any.
func (s *Store) Err() error { return s.err }

// Close drops everything. Captures taken before stay readable.
func (s *Store) Close() error {
	s.tables = nil
	return s.err
}
