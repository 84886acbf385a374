package savepoint

import (
	"errors"
	"fmt"

	"weir/state"
)

// getsAtOnce bounds the objects held in memory while restoring.
const getsAtOnce = 4

// Restore fills a store that has not been used with what a savepoint holds of one
// operator and the store's key groups, whatever the parallelism and the backend that
// wrote it. It is a state.Transfer. Splits and positions of sources are the caller's
// to deal out: see Tasks.
type Restore struct {
	root     string
	manifest *Manifest
	operator *Operator
	to       Target

	indexes []*Index // by instance
	files   []wanted
	next    int      // first index, then the first file, not asked for
	loading []wanted // files that have arrived
	out     state.Outstanding
	planned bool
	done    bool
	err     error
}

// Target is what is restored: the store of instance Instance of Instances, which owns
// the key groups Groups.
type Target struct {
	Store               state.Store
	Groups              state.GroupRange
	Instance, Instances int
}

// wanted is a data object and the sections wanted of it.
type wanted struct {
	index    *Index
	file     int
	data     []byte
	sections []wantedSection
}

type wantedSection struct {
	state   *State
	section *Section
	put     func(state.KeyedEntry)
}

// NewRestore begins to restore the operator called operator of the savepoint below
// root. A name that it does not have is an error that lists those it has.
func NewRestore(root string, m *Manifest, operator string, to Target) (*Restore, error) {
	o, err := m.Operator(operator)
	if err != nil {
		return nil, err
	}
	return &Restore{root: root, manifest: m, operator: o, to: to, indexes: make([]*Index, len(o.Parts))}, nil
}

// Tasks returns what the old tasks of the operator had beside keyed state, by
// instance. Valid once Next has said done.
func (t *Restore) Tasks() []Task {
	all := make([]Task, len(t.indexes))
	for i, x := range t.indexes {
		all[i] = x.Task
	}
	return all
}

// Next implements state.Transfer.
func (t *Restore) Next(results []state.Result) ([]state.Op, bool, error) {
	if t.err != nil || t.done {
		return nil, t.done, t.err
	}
	ops, err := t.step(results)
	if err != nil {
		t.err = fmt.Errorf("restore %s[%d] from a savepoint: %w", t.operator.Name, t.to.Instance, err)
		return nil, false, t.err
	}
	return ops, t.done, nil
}

func (t *Restore) step(results []state.Result) ([]state.Op, error) {
	again, err := t.out.Settle(results, t.arrived)
	if err != nil || len(again) > 0 {
		return again, t.explained(err)
	}
	if len(t.loading) > 0 {
		return t.out.Issue(nil), t.loadSection()
	}
	if ops := t.ask(); len(ops) > 0 {
		return t.out.Issue(ops), nil
	}
	if !t.planned {
		t.planned, t.next = true, 0
		return t.out.Issue(nil), t.plan()
	}
	t.done = true
	return nil, t.to.Store.Err()
}

// ask returns the next operations: first the indexes, then the data.
func (t *Restore) ask() []state.Op {
	var ops []state.Op
	for len(ops) < getsAtOnce {
		switch {
		case !t.planned && t.next < len(t.operator.Parts):
			ops = append(ops, state.Op{Kind: state.OpGet, Key: IndexKey(t.root, t.operator.Parts[t.next].Task)})
		case t.planned && t.next < len(t.files):
			f := &t.files[t.next]
			ops = append(ops, state.Op{Kind: state.OpGet, Key: DataKey(t.root, f.index.ID, f.file)})
		default:
			return ops
		}
		t.next++
	}
	return ops
}

// explained makes the error of an operation say what is lost with its object.
func (t *Restore) explained(err error) error {
	var op *state.OpError
	if !errors.As(err, &op) {
		return err
	}
	for i, p := range t.operator.Parts {
		if IndexKey(t.root, p.Task) == op.Key {
			return &Damage{File: op.Key, Holds: everythingOf(t.operator, i), Err: err}
		}
	}
	for _, f := range t.files {
		if DataKey(t.root, f.index.ID, f.file) == op.Key {
			return &Damage{File: op.Key, Holds: f.index.Holds(f.file), Err: err}
		}
	}
	return err
}

// arrived takes an object.
func (t *Restore) arrived(op state.Op, r state.Result) error {
	if t.planned {
		for i := range t.files {
			f := &t.files[i]
			if DataKey(t.root, f.index.ID, f.file) == op.Key {
				f.data = r.Data
				t.loading = append(t.loading, *f)
				f.data, f.sections = nil, nil
				return nil
			}
		}
		return nil
	}
	for i, p := range t.operator.Parts {
		if IndexKey(t.root, p.Task) == op.Key {
			x, err := ReadIndex(t.root, t.manifest, t.operator, i, r.Data)
			t.indexes[i] = x
			return err
		}
	}
	return nil
}

// plan says which sections are wanted, and puts back what needs no more reading.
func (t *Restore) plan() error {
	for i, x := range t.indexes {
		if i > 0 && x.Groups.Lo < t.indexes[i-1].Groups.Hi {
			return fmt.Errorf("%w: %s[%d] and %s[%d] both have key group %d", state.ErrCorrupt, x.Operator, i-1, x.Operator, i, x.Groups.Lo)
		}
		for i := range x.States {
			if err := t.planState(x, &x.States[i]); err != nil {
				return err
			}
		}
	}
	handles, err := t.operatorState()
	if err != nil {
		return err
	}
	return t.to.Store.RestoreOperator(handles)
}

func (t *Restore) planState(x *Index, s *State) error {
	put, err := t.to.Store.Load(s.Descriptor)
	if err != nil {
		return err
	}
	for k := range s.Sections {
		c := &s.Sections[k]
		if c.Group < t.to.Groups.Lo || c.Group >= t.to.Groups.Hi {
			continue
		}
		if n := len(t.files); n == 0 || t.files[n-1].index != x || t.files[n-1].file != c.File {
			t.files = append(t.files, wanted{index: x, file: c.File})
		}
		f := &t.files[len(t.files)-1]
		f.sections = append(f.sections, wantedSection{s, c, put})
	}
	return nil
}

// operatorState returns what the store takes its operator state from: of as many
// instances as there were its own, of another number those of all, to be handed out anew.
// What sinks have sealed is nobody's: it is settled in the name of the old tasks.
func (t *Restore) operatorState() ([]state.Handle, error) {
	if len(t.indexes) == t.to.Instances {
		return t.handles(t.indexes[t.to.Instance : t.to.Instance+1])
	}
	return t.handles(t.indexes)
}

func (t *Restore) handles(indexes []*Index) ([]state.Handle, error) {
	all := make([]state.Handle, len(indexes))
	for i, x := range indexes {
		var err error
		if all[i].Operator, err = state.WithoutSealed(x.Own); err != nil {
			return nil, &Damage{File: IndexKey(t.root, x.ID), Holds: everythingOf(t.operator, x.Instance), Err: err}
		}
	}
	return all, nil
}

// loadSection loads one section of the objects that have arrived. Entries of one
// state come in any order of objects, so that each section is in order by itself.
func (t *Restore) loadSection() error {
	f := &t.loading[0]
	w := f.sections[0]
	data, err := f.index.section(t.root, w.state, w.section, f.data)
	if err != nil {
		return err
	}
	code := newCoder(w.state.Descriptor)
	err = code.read(w.section, data, func(e state.KeyedEntry) bool {
		w.put(e)
		return true
	})
	if err != nil {
		return &Damage{File: DataKey(t.root, f.index.ID, w.section.File), Holds: fmt.Sprintf("state %q, key group %d", w.state.Name, w.section.Group), Err: err}
	}
	if f.sections = f.sections[1:]; len(f.sections) == 0 {
		t.loading = t.loading[1:]
	}
	return nil
}
