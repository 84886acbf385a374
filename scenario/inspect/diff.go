package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"weir/state"
	"weir/state/savepoint"
)

// Difference is how one state differs between two snapshots.
type Difference struct {
	Operator string
	// Descriptor is that of the state; a list of operator state has but a name.
	state.Descriptor
	// A and B are the entries in each, Added those that only B has, Removed those that only A
	// has, and Changed those with another value.
	A, B, Added, Removed, Changed int
	// First are the first entries that differ, at most as many as asked for.
	First []Changed
	// Declared says how the declarations differ; "": they do not.
	Declared string
}

// Same reports whether there is no difference.
func (d *Difference) Same() bool { return d.Added+d.Removed+d.Changed == 0 && d.Declared == "" }

// Changed is one entry that differs: A or B is nil where only the other has it.
type Changed struct {
	Key, Field []byte
	A, B       []byte
	InA, InB   bool
}

// Diff compares the keyed state, timers and lists of two snapshots, operator by
// operator, whatever their parallelism. first is how many entries are kept of each.
func Diff(a, b *Snapshot, first int) ([]Difference, error) {
	if a.Kind == Savepoint && b.Kind == Savepoint && a.Groups != b.Groups {
		return nil, fmt.Errorf("%s has %d key groups and %s has %d: one key stands in another group, and there is no common order", a.Path, a.Groups, b.Path, b.Groups)
	}
	var all []Difference
	for _, name := range operatorsOf(a, b) {
		d, err := diffOperator(a.operator(name), b.operator(name), first)
		if err != nil {
			return nil, err
		}
		all = append(all, d...)
	}
	return all, nil
}

// operatorsOf returns the names of the operators of both, in the order of the first.
func operatorsOf(a, b *Snapshot) []string {
	var names []string
	seen := map[string]bool{}
	for _, s := range []*Snapshot{a, b} {
		for _, o := range s.Operators {
			if !seen[o.Name] {
				seen[o.Name] = true
				names = append(names, o.Name)
			}
		}
	}
	return names
}

// operator returns the operator called name, without tasks if there is none.
func (s *Snapshot) operator(name string) *Operator {
	for _, o := range s.Operators {
		if o.Name == name {
			return o
		}
	}
	return &Operator{Name: name}
}

// opened are contents as one, in order of key group: of all tasks of an operator, or
// of the key groups of one task that can be read.
type opened struct {
	parts  []state.Content
	closed []func() error
}

func (o *opened) add(c state.Content, closed func() error) {
	o.parts, o.closed = append(o.parts, c), append(o.closed, closed)
}

// Open returns the states of all tasks of an operator as one content, and how to let
// go of it.
func (o *Operator) Open() (state.Content, func() error, error) {
	all := &opened{}
	for _, t := range o.Tasks {
		c, closed, err := t.Open()
		if err != nil {
			return nil, nil, errors.Join(err, all.close())
		}
		all.add(c, closed)
	}
	return all, all.close, nil
}

func (o *opened) close() error {
	var err error
	for _, f := range o.closed {
		err = errors.Join(err, f())
	}
	return err
}

// States returns the states that any part has; all have the same unless one is new.
func (o *opened) States() []state.Descriptor {
	var all []state.Descriptor
	for _, c := range o.parts {
		all = mergeStates(all, c.States())
	}
	return all
}

// mergeStates merges two lists in order of name.
func mergeStates(a, b []state.Descriptor) []state.Descriptor {
	var all []state.Descriptor
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			all, a = append(all, a[0]), a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return all
}

func (o *opened) Entries(name string, f func(e state.KeyedEntry) bool) {
	more := true
	for i := 0; i < len(o.parts) && more; i++ {
		o.parts[i].Entries(name, func(e state.KeyedEntry) bool {
			more = f(e)
			return more
		})
	}
}

func (o *opened) Err() error {
	for _, c := range o.parts {
		if err := c.Err(); err != nil {
			return err
		}
	}
	return nil
}

func diffOperator(a, b *Operator, first int) (all []Difference, err error) {
	ca, closeA, err := a.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeA()) }()
	cb, closeB, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeB()) }()
	for _, d := range mergeStates(ca.States(), cb.States()) {
		x := Difference{Operator: a.Name, Descriptor: d}
		x.declared(find(ca, d.Name), find(cb, d.Name))
		if x.Declared == "" {
			x.compare(ca, cb, first)
		}
		all = append(all, x)
	}
	if err := errors.Join(ca.Err(), cb.Err()); err != nil {
		return nil, err
	}
	return append(all, diffLists(a, b)...), nil
}

func find(c state.Content, name string) *state.Descriptor {
	for _, d := range c.States() {
		if d.Name == name {
			return &d
		}
	}
	return nil
}

// declared compares how a state is declared. One that only one side has is compared entry by entry.
func (x *Difference) declared(a, b *state.Descriptor) {
	if a != nil && b != nil && *a != *b {
		x.Declared = fmt.Sprintf("a %s of codec %q%s in one, a %s of codec %q%s in the other", a.Kind, a.Codec, versions(a.Schemas), b.Kind, b.Codec, versions(b.Schemas))
	}
}

// versions tells which versions values may be of.
func versions(s state.Schemas) string {
	if s == "" {
		return ""
	}
	var all []string
	for _, x := range s.All() {
		all = append(all, fmt.Sprint(x.Version))
	}
	return " with values of version " + strings.Join(all, ", ")
}

// compare walks through both in their common order.
func (x *Difference) compare(a, b state.Content, first int) {
	nextA, stopA := iter.Pull(entriesOf(a, x.Name))
	defer stopA()
	nextB, stopB := iter.Pull(entriesOf(b, x.Name))
	defer stopB()
	ea, inA := nextA()
	eb, inB := nextB()
	for inA || inB {
		order := 0
		switch {
		case !inB:
			order = -1
		case !inA:
			order = 1
		default:
			order = savepoint.Compare(x.Kind, ea, eb)
		}
		switch {
		case order < 0:
			x.Removed++
			x.note(first, Changed{Key: ea.Key, Field: ea.Field, A: ea.Value, InA: true})
		case order > 0:
			x.Added++
			x.note(first, Changed{Key: eb.Key, Field: eb.Field, B: eb.Value, InB: true})
		case !bytes.Equal(ea.Value, eb.Value):
			x.Changed++
			x.note(first, Changed{Key: ea.Key, Field: ea.Field, A: ea.Value, B: eb.Value, InA: true, InB: true})
		}
		if order <= 0 {
			x.A++
			ea, inA = nextA()
		}
		if order >= 0 {
			x.B++
			eb, inB = nextB()
		}
	}
}

// note keeps one of the first entries that differ.
func (x *Difference) note(first int, c Changed) {
	if len(x.First) < first {
		c.Key, c.Field, c.A, c.B = bytes.Clone(c.Key), bytes.Clone(c.Field), bytes.Clone(c.A), bytes.Clone(c.B)
		x.First = append(x.First, c)
	}
}

func entriesOf(c state.Content, name string) iter.Seq[state.KeyedEntry] {
	return func(yield func(state.KeyedEntry) bool) { c.Entries(name, yield) }
}

// diffLists compares the lists of operator state: how often each item is there, over
// all tasks, for rescaling hands them out anew.
func diffLists(a, b *Operator) []Difference {
	var all []Difference
	for _, name := range listNames(a, b) {
		x := Difference{Operator: a.Name, Descriptor: state.Descriptor{Name: name}}
		counts := map[string]int{}
		a.items(name, func(item []byte) { counts[string(item)]--; x.A++ })
		b.items(name, func(item []byte) { counts[string(item)]++; x.B++ })
		for _, n := range counts { //det:unordered adds up
			x.Added += max(n, 0)
			x.Removed += max(-n, 0)
		}
		all = append(all, x)
	}
	return all
}

// lists returns the lists of a task; that they decode was seen when it was opened.
func (t *Task) lists() []state.OperatorList {
	all, _ := t.Lists()
	return all
}

func listNames(ops ...*Operator) []string {
	var names []string
	seen := map[string]bool{}
	for _, o := range ops {
		for _, t := range o.Tasks {
			for _, l := range t.lists() {
				if !seen[l.Name] {
					seen[l.Name] = true
					names = append(names, l.Name)
				}
			}
		}
	}
	return names
}

// items calls f for the items of a list of all tasks; a broadcast list is that of one.
func (o *Operator) items(name string, f func(item []byte)) {
	for _, t := range o.Tasks {
		for _, l := range t.lists() {
			if l.Name != name {
				continue
			}
			for _, item := range l.Items {
				f(item)
			}
			if l.Mode == state.Broadcast {
				return
			}
		}
	}
}
