package statetest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"weir/id"
	"weir/state"
)

func word(k uint64) string { return string(binary.LittleEndian.AppendUint64(nil, k)) }

// someKeys has keys of every length that backends treat differently.
var someKeys = []string{"", "a", "ab", "seven77", word(0), word(1), word(1 << 40), "nine99999", strings.Repeat("k", 300)}

func testValue(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for _, value := range []string{"x", "", strings.Repeat("long", 2000), "short"} {
		for _, key := range someKeys {
			s.put(aValue, key, value+key)
			s.check()
		}
	}
	for _, key := range someKeys {
		s.remove(aValue, key)
		s.remove(aValue, key)
		s.check()
	}
	if v, ok := s.tables[aValue].values.Get(keyOf("a")); ok {
		f.Errorf("Get of an absent key is %q", v)
	}
}

func testFixed(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for _, i := range []int{aCount, aWide} {
		for range 3 {
			for _, key := range someKeys {
				if err := s.bump(i, key); err != nil {
					f.Fatal(err)
				}
			}
			s.check()
		}
		s.put(i, "ab", strings.Repeat("p", descriptors[i].FixedSize))
		s.put(i, "new", strings.Repeat("q", descriptors[i].FixedSize))
		for _, key := range []string{"ab", word(1), word(0), "absent"} {
			s.remove(i, key)
			s.check()
		}
		for _, key := range []string{word(1), word(2), "ab"} { // fresh is zero, whatever stood there
			if err := s.bump(i, key); err != nil {
				f.Fatal(err)
			}
		}
		s.check()
	}
}

func testList(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for n := range 40 {
		for _, key := range someKeys {
			s.append(key, strings.Repeat("e", n*n%97))
		}
	}
	s.check()
	s.put(aList, "a", string(state.AppendElement(nil, []byte("instead"))))
	s.append("a", "more")
	s.remove(aList, "ab")
	s.append("ab", "again")
	s.remove(aList, word(0))
	s.check()
}

func testMap(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for _, key := range someKeys {
		for _, field := range someKeys {
			s.mapPut(key, field, key+"/"+field)
		}
	}
	s.check()
	s.mapPut("a", "b", "key a, field b")
	s.mapPut("ab", "", "key ab, no field")
	s.mapPut("a", "ab", "")
	s.mapDelete("a", "absent")
	s.mapDelete("absent", "a")
	s.mapDelete("ab", "a")
	s.remove(aMap, word(0))
	s.remove(aMap, "absent")
	s.check()
	seen := 0
	s.tables[aMap].fields.MapRange(keyOf("a"), func(_, _ []byte) bool { seen++; return seen < 3 })
	if seen != 3 {
		f.Errorf("MapRange went on to field %d after f had said false", seen)
	}
	if v, ok := s.tables[aMap].fields.MapGet(keyOf("absent"), nil); ok {
		f.Errorf("MapGet of an absent key is %q", v)
	}
	for _, key := range append(someKeys, "a", "ab") {
		for _, field := range append(someKeys, "b") {
			s.mapDelete(key, field)
		}
	}
	s.check()
}

func testOrder(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for n := range 500 {
		k := fmt.Sprint("key", n*7919%500)
		s.put(aValue, k, "v")
		s.mapPut(k, "f", "v")
	}
	s.check()
	for _, i := range []int{aValue, aMap} {
		seen := 0
		s.tables[i].Range(func(state.Key, []byte) bool { seen++; return seen < 10 })
		if seen != 10 {
			f.Errorf("Range went on to key %d after it was told to stop at 10", seen)
		}
	}
}

func testNames(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for _, d := range []state.Descriptor{
		descriptors[aValue],
		{Kind: state.KindValue},
		{Name: "no kind"},
		{Name: "odd kind", Kind: 77},
		{Name: "negative", Kind: state.KindValue, FixedSize: -1},
		{Name: "sized list", Kind: state.KindList, FixedSize: 8},
		{Name: "timers", Kind: state.KindTimers, Codec: "timer/1"},
	} {
		if _, err := s.Table(d); err == nil {
			f.Errorf("Table accepts %+v", d)
		} else if d.Name != "" && !strings.Contains(err.Error(), d.Name) {
			f.Errorf("the error does not name the state: %v", err)
		}
	}
}

// testTimers: kept once, in order over all groups, and keys are not borrowed.
func testTimers(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for _, at := range []int64{0, 7, -7, 1 << 62, -1 << 63, 1<<63 - 1} {
		for _, key := range someKeys {
			borrowed := []byte(key)
			s.timers.Set(at, state.KeyOf(borrowed, state.DefaultGroups))
			s.timers.Set(at, state.KeyOf(borrowed, state.DefaultGroups))
			clear(borrowed)
			s.twin.timers[dueAt{at, key}] = true
		}
	}
	s.check()
	s.cancelTimer(7, "a")
	s.cancelTimer(7, "a")
	s.cancelTimer(8, "ab")
	s.cancelTimer(-1<<63, "")
	s.check()
	f.finishAndExpect(s.snapshot(0))
	for _, until := range []int64{-8, -7, 3, 1<<63 - 1} {
		if err := s.fire(until); err != nil {
			f.Fatal(err)
		}
		s.setTimer(until-1, "behind")
		s.check()
	}
	f.finishAndExpect(s.snapshot(0))
	if _, err := s.Timers(timersName); err == nil {
		f.Error("the same timers are opened twice")
	}
	if _, err := s.Timers(descriptors[aMap].Name); err == nil {
		f.Error("timers are opened under the name of a map")
	}
}

// testModel does random things to a store, its snapshots and its twin.
func testModel(f *fixture) {
	rapid.Check(f.T, func(t *rapid.T) {
		m := &model{f: f, s: f.subject(allGroups), t: t}
		defer func() { _ = m.s.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				m.s.put(rapid.SampledFrom([]int{aValue, anAccumulator}).Draw(t, "state"), m.key(t), m.value(t))
			},
			"remove":    func(t *rapid.T) { m.s.remove(rapid.IntRange(0, len(descriptors)-1).Draw(t, "state"), m.key(t)) },
			"bump":      m.bump,
			"append":    func(t *rapid.T) { m.s.append(m.key(t), m.value(t)) },
			"mapPut":    func(t *rapid.T) { m.s.mapPut(m.key(t), m.key(t), m.value(t)) },
			"mapDelete": func(t *rapid.T) { m.s.mapDelete(m.key(t), m.key(t)) },
			"set timer": func(t *rapid.T) { m.s.setTimer(m.time(t), m.key(t)) },
			"cancel":    func(t *rapid.T) { m.s.cancelTimer(m.time(t), m.key(t)) },
			"fire":      m.fire,
			"snapshot":  m.snapshot,
			"finish":    m.finish,
			"fail over": m.failOver,
			"":          func(t *rapid.T) { m.check(t) },
		})
	})
}

type model struct {
	f      *fixture
	s      *subject
	t      *rapid.T
	taken  []*taken
	latest *taken // the newest finished one
	handle state.Handle
	steps  int
}

func (m *model) key(t *rapid.T) string {
	n := rapid.IntRange(0, 40).Draw(t, "key")
	switch {
	case n < len(someKeys):
		return someKeys[n]
	case n < 30:
		return word(uint64(n) * 1e9)
	default:
		return fmt.Sprint("key ", n)
	}
}

func (m *model) time(t *rapid.T) int64 { return rapid.Int64Range(-3, 3).Draw(t, "time") }

func (m *model) fire(t *rapid.T) {
	if err := m.s.fire(m.time(t)); err != nil {
		t.Fatal(err)
	}
}

func (m *model) value(t *rapid.T) string {
	return strings.Repeat("v", rapid.IntRange(0, 70).Draw(t, "length"))
}

func (m *model) bump(t *rapid.T) {
	if err := m.s.bump(rapid.SampledFrom([]int{aCount, aWide}).Draw(t, "state"), m.key(t)); err != nil {
		t.Fatal(err)
	}
}

// snapshot takes one on top of the newest finished one, or a full one.
func (m *model) snapshot(t *rapid.T) {
	if len(m.taken) == 3 {
		m.taken[0].Discard()
		m.taken = m.taken[1:]
	}
	var base id.Epoch
	if m.latest != nil && rapid.Bool().Draw(t, "incremental") {
		base = m.latest.epoch
	}
	m.taken = append(m.taken, m.s.snapshot(base))
}

// finish carries out any of the captures; the others go on later or never.
func (m *model) finish(t *rapid.T) {
	if len(m.taken) == 0 {
		t.Skip("nothing taken")
	}
	i := rapid.IntRange(0, len(m.taken)-1).Draw(t, "capture")
	c := m.taken[i]
	m.taken = append(m.taken[:i:i], m.taken[i+1:]...)
	h := m.f.finishAndExpect(c)
	if m.latest == nil || c.epoch > m.latest.epoch {
		m.latest, m.handle = c, h
		m.s.Release(c.epoch)
	}
}

// failOver goes on with a new incarnation, from the newest finished snapshot.
func (m *model) failOver(t *rapid.T) {
	if m.latest == nil {
		t.Skip("nothing finished")
	}
	for _, c := range m.taken {
		c.Discard()
	}
	m.s.close()
	m.s = m.f.restore(allGroups, m.handle)
	m.s.twin = m.latest.want.clone()
	m.taken = nil
}

func (m *model) check(t *rapid.T) {
	if m.steps++; m.steps%8 != 0 {
		return
	}
	if err := m.s.twin.compare(m.s); err != nil {
		t.Fatal(err)
	}
}
