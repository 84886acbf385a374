package inspect

import (
	"errors"
	"fmt"

	"weir/state"
	"weir/state/savepoint"
)

// ErrInFlight says that a checkpoint has data in flight, which no savepoint has.
var ErrInFlight = errors.New("data in flight")

// Convert writes a snapshot as a savepoint into an empty storage. What is damaged is
// an error, unless lost is given: then it is left out, and lost is told. A checkpoint
// with data in flight is refused with an error that wraps ErrInFlight.
func Convert(s *Snapshot, to state.Storage, lost func(Loss)) (*savepoint.Manifest, error) {
	if s.Kind == Local {
		return nil, fmt.Errorf("%s: the tasks took these snapshots each for itself, and what is in flight between them stands in message logs: %w; take a savepoint of the running job", s.Path, ErrInFlight)
	}
	if !s.Complete && lost == nil {
		return nil, fmt.Errorf("%s is not complete: %s", s.Path, s.Why)
	}
	if what := s.inFlight(); what != "" {
		return nil, fmt.Errorf("%s has %w: %s; a savepoint has none: convert a checkpoint of an algorithm that captures no channels (aligned, stop-the-world), or take a savepoint of the running job", s.Path, ErrInFlight, what)
	}
	for _, t := range s.Tasks() {
		if t.ahead {
			return nil, fmt.Errorf("%s: since the parallelism of %s changed event time has come further in some of its key groups than in others, for which a savepoint has no place: convert a later checkpoint", s.Path, t.Name())
		}
	}
	m := &savepoint.Manifest{Job: s.Job, Epoch: s.Epoch, Groups: s.Groups}
	for _, o := range s.Operators {
		op := savepoint.Operator{Name: o.Name}
		for _, t := range o.Tasks {
			if t.Damage != nil && lost != nil {
				// Without its object nothing says where its sources were and what its sink has sealed.
				lost(t.lost(t.Object, t.Damage))
				return nil, fmt.Errorf("%s: nothing of this task can be read, and a savepoint without one of its tasks cannot be resumed: %w", t.Name(), t.Damage)
			}
			ref, err := s.write(t, to, lost)
			if err != nil {
				return nil, err
			}
			op.Parts = append(op.Parts, ref)
		}
		m.Operators = append(m.Operators, op)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	op := m.Create("")
	if r := to.Do(op); r.Status != state.OK {
		return nil, &state.OpError{Kind: op.Kind, Key: op.Key, Status: r.Status, Err: r.Err}
	}
	return m, nil
}

// write writes the share of a task.
func (s *Snapshot) write(t *Task, to state.Storage, lost func(Loss)) (ref savepoint.PartRef, err error) {
	open := t.Open
	if lost != nil {
		open = func() (state.Content, func() error, error) { return t.Salvage(lost) }
	}
	c, closed, err := open()
	if err != nil {
		return ref, err
	}
	defer func() { err = errors.Join(err, closed()) }()
	w := savepoint.NewWriter("", s.Job, s.Epoch, t.Task, &within{Content: c, groups: t.Groups}, savepoint.Usual)
	defer w.Discard()
	if err := carryOut(w, to); err != nil {
		return ref, err
	}
	return w.Part(), nil
}

// within is a content whose entries must be of some key groups.
type within struct {
	state.Content
	groups state.GroupRange
	err    error
}

func (w *within) Entries(name string, f func(e state.KeyedEntry) bool) {
	w.Content.Entries(name, func(e state.KeyedEntry) bool {
		if e.Group < w.groups.Lo || e.Group >= w.groups.Hi {
			w.err = fmt.Errorf("state %q has key group %d, and the task would own [%d, %d): the job had another number of key groups; say which with --groups", name, e.Group, w.groups.Lo, w.groups.Hi)
			return false
		}
		return f(e)
	})
}

func (w *within) Err() error { return errors.Join(w.err, w.Content.Err()) }
