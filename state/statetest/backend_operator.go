package statetest

import (
	"errors"
	"fmt"
	"slices"

	"weir/state"
)

// modes are the lists of operator state that the cases use, by name.
var modes = []struct {
	name string
	mode state.Redistribution
}{{"split", state.Split}, {"union", state.Union}, {"broadcast", state.Broadcast}}

// list sets the items of a list of operator state.
func (s *subject) list(i int, items ...string) {
	s.f.Helper()
	l, err := s.List(modes[i].name, modes[i].mode)
	if err != nil {
		s.f.Fatal(err)
	}
	l.Items = l.Items[:0]
	for _, item := range items {
		l.Items = append(l.Items, []byte(item))
	}
	s.twin.lists[modes[i].name] = slices.Clone(items)
}

// listsAre compares the operator state with the twin's.
func (s *subject) listsAre() {
	s.f.Helper()
	s.check()
	for _, m := range modes {
		l, err := s.List(m.name, m.mode)
		if err != nil {
			s.f.Fatal(err)
		}
		if !slices.EqualFunc(l.Items, s.twin.lists[m.name], func(a []byte, b string) bool { return string(a) == b }) {
			s.f.Fatalf("the %s list holds %q, want %q", m.name, l.Items, s.twin.lists[m.name])
		}
	}
}

// testOperator: a snapshot has the lists as they were, and what was opened before
// the restore is filled.
func testOperator(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for i := range modes {
		s.list(i, "x", "", "y"+modes[i].name)
	}
	s.listsAre()
	c := s.snapshot(0)
	s.list(0, "later")
	s.list(1)
	s.listsAre()
	h := f.finish(c)
	to := f.subject(allGroups)
	defer to.close()
	to.list(0, "replaced by the restore")
	tr, err := to.Restore([]state.Handle{h})
	if err == nil {
		err = Drive(tr, f.storage)
	}
	if err != nil {
		f.Fatal(err)
	}
	to.twin = c.want
	to.listsAre()
	if _, err := to.List("split", state.Union); !errors.Is(err, state.ErrIncompatible) {
		f.Errorf("a list asked for with another redistribution: %v, want ErrIncompatible", err)
	}
	if _, err := to.List("odd", 77); err == nil {
		f.Error("an unknown redistribution is accepted")
	}
	h.Operator = h.Operator[:len(h.Operator)-1]
	other := f.subject(allGroups)
	defer other.close()
	if _, err := other.Restore([]state.Handle{h}); !errors.Is(err, state.ErrCorrupt) {
		f.Errorf("operator state cut off: %v, want ErrCorrupt", err)
	}
}

// testOperatorRescale goes from one task to two, to three, back and to five: split
// items are neither lost nor doubled, everybody has all of a union, and a
// broadcast list stays what it is.
func testOperatorRescale(f *fixture) {
	const groups = state.DefaultGroups
	items := []string{"a", "b", "c", "d", "e"}
	one := f.instance(state.Open{Groups: allGroups, Instances: 1})
	defer one.close()
	one.list(0, items...)
	one.list(1, "u")
	one.list(2, "same")
	handles := []state.Handle{f.finish(one.snapshot(0))}
	for _, p := range []int{2, 3, 3, 2, 1, 5, 1} {
		var next []state.Handle
		var split []string
		for i := range p {
			from := handles
			if len(handles) == p {
				from = handles[i : i+1]
			}
			s := f.restoreInstance(state.Open{Groups: state.GroupsOf(i, p, groups), Instance: i, Instances: p}, from...)
			for k, m := range modes {
				l, err := s.List(m.name, m.mode)
				if err != nil {
					f.Fatal(err)
				}
				got := fmt.Sprintf("%s", l.Items)
				switch {
				case m.mode == state.Broadcast && got != "[same]":
					f.Errorf("instance %d of %d: broadcast list %s", i, p, got)
				case m.mode == state.Union && (len(l.Items) == 0 || string(l.Items[0]) != "u"):
					f.Errorf("instance %d of %d: union list %s", i, p, got)
				}
				for _, item := range l.Items {
					if k == 0 {
						split = append(split, string(item))
					}
				}
				if k == 1 {
					l.Items = l.Items[:1]
				}
			}
			next = append(next, f.finish(s.snapshot(0)))
			s.close()
		}
		slices.Sort(split)
		if !slices.Equal(split, items) {
			f.Errorf("%d tasks have the split items %q, want %q", p, split, items)
		}
		handles = next
	}
}
