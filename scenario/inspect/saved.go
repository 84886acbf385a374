package inspect

import (
	"errors"

	"github.com/cespare/xxhash/v2"

	"weir/state"
	"weir/state/savepoint"
)

func openSavepoint(f *Found) (*Snapshot, error) {
	s, err := savepoint.Open(f.place.storage, f.root)
	if err != nil {
		return nil, err
	}
	out := &Snapshot{Found: *f, Groups: s.Groups}
	for i := range s.Operators {
		o := &s.Operators[i]
		op := &Operator{Name: o.Name}
		for k, ref := range o.Parts {
			op.Tasks = append(op.Tasks, savedTask(f, s, o, k, ref))
		}
		out.Operators = append(out.Operators, op)
	}
	return out, nil
}

func savedTask(f *Found, s *savepoint.Savepoint, o *savepoint.Operator, i int, ref savepoint.PartRef) *Task {
	t := &Task{Object: savepoint.IndexKey(f.root, ref.Task), Bytes: ref.Size}
	t.ID, t.Operator, t.Instance, t.Instances = ref.Task, o.Name, i, len(o.Parts)
	p, err := s.Part(o, i)
	if err != nil {
		t.Damage = err
		return t
	}
	t.Task = p.Task
	for _, x := range p.Files {
		t.Bytes += x.Size
	}
	t.source = &saved{t, p, f}
	return t
}

// saved reads the share of a task of a savepoint.
type saved struct {
	task *Task
	part *savepoint.Part
	in   *Found
}

func (s *saved) open(lost func(Loss)) (state.Content, func() error, error) {
	if lost == nil {
		return s.part.Content(), func() error { return nil }, nil
	}
	return &salvaged{Content: s.part.Content(), saved: s, lost: lost}, func() error { return nil }, nil
}

// salvaged leaves out sections that cannot be read.
type salvaged struct {
	state.Content
	*saved
	lost func(Loss)
}

func (s *salvaged) Entries(name string, f func(e state.KeyedEntry) bool) {
	s.each(name, f, s.lost)
}

func (s *salvaged) Err() error { return nil }

// each reads a state section by section.
func (s *saved) each(name string, f func(e state.KeyedEntry) bool, lost func(Loss)) {
	for i := range s.part.States {
		st := &s.part.States[i]
		if st.Name != name {
			continue
		}
		more := true
		for k := 0; k < len(st.Sections) && more; k++ {
			c := &st.Sections[k]
			err := s.part.Section(st, c, func(e state.KeyedEntry) bool {
				more = f(e)
				return more
			})
			if err != nil {
				lost(s.loss(name, c.Group, err))
			}
		}
	}
}

func (s *saved) loss(name string, group uint16, err error) Loss {
	l := Loss{Operator: s.task.Operator, Instance: s.task.Instance, State: name, Groups: savepoint.Groups{group}, Err: err}
	var d *savepoint.Damage
	if errors.As(err, &d) {
		l.Object = d.File
	}
	return l
}

// verify checks every object as a whole, and every section.
func (s *saved) verify(r *Report) {
	r.object(s.in.place.storage, s.task.Object, s.in.sizes[s.task.Object], nil)
	for n, x := range s.part.Files {
		key := savepoint.DataKey(s.in.root, s.task.ID, n)
		r.object(s.in.place.storage, key, x.Size, &sum{x.Size, x.Sum})
	}
	for i := range s.part.States {
		st := &s.part.States[i]
		s.each(st.Name, func(state.KeyedEntry) bool {
			r.Entries++
			return true
		}, r.lost)
	}
}

// sum is what the content of an object must be.
type sum struct {
	size int64
	sum  uint64
}

func (s *sum) matches(data []byte) bool {
	return int64(len(data)) == s.size && xxhash.Sum64(data) == s.sum
}
