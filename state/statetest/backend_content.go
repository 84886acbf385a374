package statetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"weir/state"
)

// entry is a KeyedEntry that is kept.
type entry struct {
	name  string
	group uint16
	key   string
	field string
	value string
}

func (w *twin) entries() []entry {
	var all []entry
	for _, d := range descriptors {
		if d.Kind != state.KindMap {
			for _, key := range byGroup(w.flat[d.Name]) {
				all = append(all, entry{d.Name, keyOf(key).Group, key, "", w.flat[d.Name][key]})
			}
			continue
		}
		for _, key := range byGroup(w.maps[d.Name]) {
			fields := w.maps[d.Name][key]
			for _, field := range sortedKeys(fields) {
				all = append(all, entry{d.Name, keyOf(key).Group, key, field, fields[field]})
			}
		}
	}
	for x := range w.timers { //det:unordered sorted below
		all = append(all, entry{timersName, keyOf(x.key).Group, x.key, string(state.AppendTime(nil, x.at)), ""})
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		if a.name != timersName || b.name != timersName {
			return bytes.Compare([]byte(a.name), []byte(b.name))
		}
		return compareEntries(a, b)
	})
	return all
}

// compareEntries compares two timers by (group, time, key).
func compareEntries(a, b entry) int {
	if a.group != b.group {
		return int(a.group) - int(b.group)
	}
	if a.field != b.field {
		return bytes.Compare([]byte(a.field), []byte(b.field))
	}
	return bytes.Compare([]byte(a.key), []byte(b.key))
}

func sortedKeys(m map[string]string) []string {
	var all []string
	for k := range m { //det:unordered sorted below
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// content reads everything that a store says it holds.
func content(s state.Store) []entry {
	var all []entry
	for _, d := range s.States() {
		s.Entries(d.Name, func(e state.KeyedEntry) bool {
			all = append(all, entry{d.Name, e.Group, string(e.Key), string(e.Field), string(e.Value)})
			return true
		})
	}
	return all
}

// contains compares what a store says it holds with a twin.
func (f *fixture) contains(s state.Store, want *twin) {
	f.Helper()
	var names []string
	for _, d := range s.States() {
		names = append(names, d.Name)
	}
	if !slices.IsSorted(names) || len(names) != len(descriptors)+1 {
		f.Errorf("States gives %q, want the %d states and the timers in order of name", names, len(descriptors))
	}
	got, entries := content(s), want.entries()
	for i := range min(len(got), len(entries)) {
		if got[i] != entries[i] {
			f.Fatalf("entry %d is %+v, want %+v", i, got[i], entries[i])
		}
	}
	if len(got) != len(entries) || s.Err() != nil {
		f.Errorf("%d entries, %v, want %d", len(got), s.Err(), len(entries))
	}
	f.finds(s, entries)
}

// finds looks up each key of a state by itself, and what is not there.
func (f *fixture) finds(s state.Store, all []entry) {
	f.Helper()
	under := func(name string, k state.Key) (got []entry) {
		s.Lookup(name, k, func(e state.KeyedEntry) bool {
			got = append(got, entry{name, e.Group, string(e.Key), string(e.Field), string(e.Value)})
			return true
		})
		return got
	}
	for n := 0; len(all) > 0; all = all[n:] {
		first := all[0]
		for n = 1; n < len(all) && all[n].name == first.name && all[n].key == first.key; {
			n++
		}
		want := all[:n]
		if first.name == timersName {
			want = nil // they are not in order of key
		}
		if got := under(first.name, keyOf(first.key)); !slices.Equal(got, want) {
			f.Fatalf("%s has under %q: %+v, want %+v", first.name, first.key, got, want)
		}
	}
	for _, d := range s.States() {
		elsewhere := keyOf("a")
		elsewhere.Group = allGroups.Hi
		for _, k := range []state.Key{keyOf("no such key"), elsewhere} {
			if got := under(d.Name, k); got != nil {
				f.Fatalf("%s has under %q in group %d, where nothing is: %+v", d.Name, k.Bytes, k.Group, got)
			}
		}
	}
	if got := under("no such state", keyOf("a")); got != nil || s.Err() != nil {
		f.Errorf("a state that is not there has %+v, %v", got, s.Err())
	}
}

// testContent reads a store of which nobody has opened anything, one in use, and
// stops in the middle.
func testContent(f *fixture) {
	for _, n := range []int{0, 30, 2500} {
		s := f.subject(allGroups)
		s.fill(n)
		f.contains(s, s.twin)
		first := s.snapshot(0)
		h := f.finish(first)
		s.disturb(n, 1)
		c := s.snapshot(0) // whose entries are on their way to where the backend has them
		s.disturb(n, 2)
		f.contains(s, s.twin)
		c.Discard()
		unopened, err := f.reopen(h, true)
		if err != nil {
			f.Fatal(err)
		}
		s.close()
		f.contains(unopened, first.want)
		seen := 0
		for _, d := range unopened.States() {
			of := 0
			unopened.Entries(d.Name, func(state.KeyedEntry) bool { of++; return of < 3 })
			seen += of
		}
		if want := min(n, 1) * 3 * (len(descriptors) + 1); seen != want {
			f.Errorf("Entries went on to %d entries, want %d: it was told to stop at 3 of each state", seen, want)
		}
		unopened.Entries("no such state", func(state.KeyedEntry) bool { f.Error("a state that is not there has entries"); return false })
		if err := unopened.Close(); err != nil {
			f.Error(err)
		}
	}
}

// testLoad puts the entries of one store into others: of half the groups, with
// states that are open and with some that are not. What was loaded is used, and
// goes into snapshots, like anything else.
func testLoad(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(2000)
	s.disturb(2000, 1)
	for i := range modes {
		s.list(i, "x", "", "y"+modes[i].name)
	}
	for i := range 2 {
		r := state.GroupsOf(i, 2, state.DefaultGroups)
		half := f.subject(r)
		if err := load(half, s, r); err != nil {
			f.Fatal(err)
		}
		half.twin = s.twin.only(r)
		half.listsAre()
		half.disturbIn(r)
		half.check()
		f.finishAndExpectIn(r, half.snapshot(0))
		half.close()
	}
	unopened := f.open(f.T, state.Open{Groups: allGroups, Keyed: true})
	defer func() { _ = unopened.Close() }()
	if err := load(unopened, s, allGroups); err != nil {
		f.Fatal(err)
	}
	f.contains(unopened, s.twin)
	if unopened.Sum() != s.twin.sum() {
		f.Error("the sum of what was loaded is another")
	}
	for _, d := range []state.Descriptor{
		{Name: "value", Kind: state.KindReducing, Codec: "bytes/1"},
		{Name: "count", Kind: state.KindValue, Codec: "uint64/2", FixedSize: 8},
	} {
		if _, err := unopened.Load(d); !errors.Is(err, state.ErrIncompatible) {
			f.Errorf("Load of %+v: %v, want ErrIncompatible", d, err)
		}
	}
	if _, err := unopened.Load(state.Descriptor{Name: "odd", Kind: 77}); err == nil {
		f.Error("Load accepts a state of no kind")
	}
	if _, err := unopened.Table(descriptors[aCount]); err != nil {
		f.Errorf("a state that was loaded cannot be opened: %v", err)
	}
}

// load puts what a store holds of some groups, and its operator state, into another.
func load(to, from state.Store, groups state.GroupRange) error {
	for _, d := range from.States() {
		put, err := to.Load(d)
		if err != nil {
			return fmt.Errorf("load state %q: %w", d.Name, err)
		}
		from.Entries(d.Name, func(e state.KeyedEntry) bool {
			if e.Group >= groups.Lo && e.Group < groups.Hi {
				put(e)
			}
			return true
		})
	}
	return errors.Join(to.RestoreOperator([]state.Handle{{Operator: from.AppendOperator(nil)}}), to.Err(), from.Err())
}
