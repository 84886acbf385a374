package statetest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"weir/state"
)

// twin is the naive model of a store: Go maps of strings by state name.
type twin struct {
	flat map[string]map[string]string            // values, and framed lists
	maps map[string]map[string]map[string]string // key, field

	timers map[dueAt]bool
	lists  map[string][]string // of operator state
}

type dueAt struct {
	at  int64
	key string
}

func newTwin() *twin {
	return &twin{flat: map[string]map[string]string{}, maps: map[string]map[string]map[string]string{}, timers: map[dueAt]bool{}, lists: map[string][]string{}}
}

func (w *twin) clone() *twin {
	c := newTwin()
	c.timers = maps.Clone(w.timers)
	for name, items := range w.lists { //det:unordered copies
		c.lists[name] = slices.Clone(items)
	}
	for name, table := range w.flat { //det:unordered copies
		c.flat[name] = maps.Clone(table)
	}
	for name, table := range w.maps { //det:unordered copies
		c.maps[name] = map[string]map[string]string{}
		for key, fields := range table { //det:unordered copies
			c.maps[name][key] = maps.Clone(fields)
		}
	}
	return c
}

func (w *twin) put(name, key, value string) {
	if w.flat[name] == nil {
		w.flat[name] = map[string]string{}
	}
	w.flat[name][key] = value
}

func (w *twin) mapPut(name, key, field, value string) {
	if w.maps[name] == nil {
		w.maps[name] = map[string]map[string]string{}
	}
	if w.maps[name][key] == nil {
		w.maps[name][key] = map[string]string{}
	}
	w.maps[name][key][field] = value
}

func (w *twin) mapDelete(name, key, field string) {
	delete(w.maps[name][key], field)
	if len(w.maps[name][key]) == 0 {
		delete(w.maps[name], key)
	}
}

func (w *twin) remove(name, key string) {
	delete(w.flat[name], key)
	delete(w.maps[name], key)
}

// sum is what Store.Sum must be.
func (w *twin) sum() uint64 {
	var sum uint64
	for name, table := range w.flat { //det:unordered the sum commutes
		for key, value := range table { //det:unordered the sum commutes
			sum += state.SumEntry(name, []byte(key), nil, []byte(value))
		}
	}
	for name, table := range w.maps { //det:unordered the sum commutes
		for key, fields := range table { //det:unordered the sum commutes
			for field, value := range fields { //det:unordered the sum commutes
				sum += state.SumEntry(name, []byte(key), []byte(field), []byte(value))
			}
		}
	}
	for x := range w.timers { //det:unordered the sum commutes
		sum += state.SumEntry(timersName, []byte(x.key), state.AppendTime(nil, x.at), nil)
	}
	for name, items := range w.lists { //det:unordered the sum commutes
		for i, item := range items {
			sum += state.SumEntry("operator state", []byte(name), binary.BigEndian.AppendUint64(nil, uint64(i)), []byte(item))
		}
	}
	return sum
}

// only returns the part of the twin in a range of key groups.
func (w *twin) only(groups state.GroupRange) *twin {
	c := w.clone()
	outside := func(key string) bool {
		g := keyOf(key).Group
		return g < groups.Lo || g >= groups.Hi
	}
	for _, table := range c.flat { //det:unordered deletes each by itself
		maps.DeleteFunc(table, func(key, _ string) bool { return outside(key) })
	}
	for _, table := range c.maps { //det:unordered deletes each by itself
		maps.DeleteFunc(table, func(key string, _ map[string]string) bool { return outside(key) })
	}
	maps.DeleteFunc(c.timers, func(x dueAt, _ bool) bool { return outside(x.key) })
	return c
}

func keyOf(key string) state.Key { return state.KeyOf([]byte(key), state.DefaultGroups) }

// byGroup returns the keys in the order of Table.Range.
func byGroup[V any](table map[string]V) []string {
	return slices.SortedFunc(maps.Keys(table), func(a, b string) int {
		if ga, gb := keyOf(a).Group, keyOf(b).Group; ga != gb {
			return int(ga) - int(gb)
		}
		return strings.Compare(a, b)
	})
}

// compare says how a store differs from the twin, reading it in every way that
// the contract has; nil if it does not.
func (w *twin) compare(s *subject) error {
	for i, d := range descriptors {
		var err error
		if d.Kind == state.KindMap {
			err = compareMap(s.tables[i], w.maps[d.Name])
		} else {
			err = compareFlat(s.tables[i], w.flat[d.Name])
		}
		if err != nil {
			return fmt.Errorf("state %q: %w", d.Name, err)
		}
	}
	if err := compareTimers(s.timers, w.timers); err != nil {
		return fmt.Errorf("timers: %w", err)
	}
	if got, want := s.Sum(), w.sum(); got != want {
		return fmt.Errorf("sum %#x, want %#x: everything else agrees, so Sum does not see the content as SumEntry defines", got, want)
	}
	return s.Err()
}

func compareTimers(t state.Timers, twin map[dueAt]bool) error {
	type inGroup struct {
		group uint16
		dueAt
	}
	want := make([]inGroup, 0, len(twin))
	for x := range twin { //det:unordered sorted below
		want = append(want, inGroup{keyOf(x.key).Group, x})
	}
	slices.SortFunc(want, func(a, b inGroup) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.at, b.at), strings.Compare(a.key, b.key))
	})
	if t.Len() != len(want) {
		return fmt.Errorf("its Len is %d, want %d", t.Len(), len(want))
	}
	at := 0
	var err error
	t.Range(func(when int64, k state.Key) bool {
		if at >= len(want) || when != want[at].at || string(k.Bytes) != want[at].key || k.Group != want[at].group || k.Hash != state.HashBytes(k.Bytes) {
			err = fmt.Errorf("a Range gives (%d, %q) of group %d at place %d of %d, not in order of (group, time, key)", when, k.Bytes, k.Group, at, len(want))
		}
		at++
		return err == nil
	})
	if err == nil && at != len(want) {
		err = fmt.Errorf("a Range gives %d timers, want %d", at, len(want))
	}
	if err != nil {
		return err
	}
	first, ok := t.First()
	if ok != (len(want) > 0) {
		return fmt.Errorf("a First is %d, %v, with %d timers", first, ok, len(want))
	}
	for _, x := range want {
		if x.at < first {
			return fmt.Errorf("a First is %d, and there is one at %d", first, x.at)
		}
	}
	return nil
}

func compareFlat(t opened, want map[string]string) error {
	if t.Len() != len(want) {
		return fmt.Errorf("its Len is %d, want %d", t.Len(), len(want))
	}
	keys := byGroup(want)
	for _, key := range keys {
		if got, ok := t.values.Get(keyOf(key)); !ok || string(got) != want[key] {
			return fmt.Errorf("a Get of %q is %q, %v, want %q", key, got, ok, want[key])
		}
	}
	return compareRange(t, keys, func(key string) []byte { return []byte(want[key]) })
}

func compareMap(t opened, want map[string]map[string]string) error {
	n := 0
	for _, key := range byGroup(want) {
		fields := slices.Sorted(maps.Keys(want[key]))
		n += len(fields)
		at := 0
		var err error
		t.fields.MapRange(keyOf(key), func(field, value []byte) bool {
			if at >= len(fields) || string(field) != fields[at] || string(value) != want[key][fields[at]] {
				err = fmt.Errorf("MapRange of %q: field %d is %q = %q, want one of %q in order", key, at, field, value, fields)
			}
			at++
			return err == nil
		})
		if err == nil && at != len(fields) {
			err = fmt.Errorf("MapRange of %q gives %d fields, want %d", key, at, len(fields))
		}
		if err != nil {
			return err
		}
		for _, field := range fields {
			if got, ok := t.fields.MapGet(keyOf(key), []byte(field)); !ok || string(got) != want[key][field] {
				return fmt.Errorf("MapGet %q, %q is %q, %v, want %q", key, field, got, ok, want[key][field])
			}
		}
	}
	if t.Len() != n {
		return fmt.Errorf("its Len is %d, want %d fields", t.Len(), n)
	}
	return compareRange(t, byGroup(want), func(string) []byte { return nil })
}

func compareRange(t state.Table, keys []string, value func(key string) []byte) error {
	at := 0
	var err error
	t.Range(func(k state.Key, v []byte) bool {
		switch want := keyOf(string(k.Bytes)); {
		case at >= len(keys) || string(k.Bytes) != keys[at]:
			err = fmt.Errorf("a Range gives %q at place %d of %d, not in order of (group, key)", k.Bytes, at, len(keys))
		case k.Group != want.Group || k.Hash != want.Hash:
			err = fmt.Errorf("a Range gives %q with group %d and hash %#x, want %d and %#x", k.Bytes, k.Group, k.Hash, want.Group, want.Hash)
		case !bytes.Equal(v, value(keys[at])):
			err = fmt.Errorf("a Range gives %q = %q, want %q", k.Bytes, v, value(keys[at]))
		}
		at++
		return err == nil
	})
	if err == nil && at != len(keys) {
		err = fmt.Errorf("a Range gives %d keys, want %d", at, len(keys))
	}
	return err
}
