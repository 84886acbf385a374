package statetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"weir/id"
	"weir/state"
)

// aging are the states whose entries expire, one of every shape, by both clocks.
var aging = []state.Descriptor{
	{Name: "aging value", Codec: "bytes/1", Kind: state.KindValue, TTL: state.TTL{Clock: state.EventTime, Duration: 10}},
	{Name: "aging count", Codec: "uint64/1", Kind: state.KindReducing, FixedSize: 8, TTL: state.TTL{Clock: state.EventTime, Duration: 7, OnRead: true}},
	{Name: "aging wide", Codec: "wide/1", Kind: state.KindAggregating, FixedSize: 40, TTL: state.TTL{Clock: state.ProcessingTime, Duration: 6}},
	{Name: "aging list", Codec: "bytes/1", Kind: state.KindList, TTL: state.TTL{Clock: state.EventTime, Duration: 9}},
	{Name: "read list", Codec: "bytes/1", Kind: state.KindList, TTL: state.TTL{Clock: state.ProcessingTime, Duration: 5, OnRead: true}},
	{Name: "aging map", Codec: "bytes/1->bytes/1", Kind: state.KindMap, TTL: state.TTL{Clock: state.ProcessingTime, Duration: 10}},
	{Name: "read map", Codec: "bytes/1->bytes/1", Kind: state.KindMap, TTL: state.TTL{Clock: state.EventTime, Duration: 8, OnRead: true}},
}

const unknownTime = math.MinInt64

// aged is an entry of the model: a value, an element or a field, and when it was written.
type aged struct {
	field, value string
	at           int64
}

// elders is the model of a store with the states of aging: what was written, and
// when. Entries leave it when somebody looks, and only then.
type elders struct {
	now, began map[state.Clock]int64
	entries    []map[string][]aged // by state, key; of a value one, of a map by field
}

func newElders() *elders {
	w := &elders{now: map[state.Clock]int64{}, began: map[state.Clock]int64{}}
	for _, c := range []state.Clock{state.EventTime, state.ProcessingTime} {
		w.now[c], w.began[c] = unknownTime, unknownTime
	}
	for range aging {
		w.entries = append(w.entries, map[string][]aged{})
	}
	return w
}

func (w *elders) clone() *elders {
	c := &elders{now: maps.Clone(w.now), began: maps.Clone(w.began)}
	for _, t := range w.entries {
		copied := map[string][]aged{}
		for key, all := range t { //det:unordered copies
			copied[key] = slices.Clone(all)
		}
		c.entries = append(c.entries, copied)
	}
	return c
}

func (w *elders) advance(c state.Clock, to int64) {
	if to > w.now[c] {
		if w.began[c] == unknownTime {
			w.began[c] = to
		}
		w.now[c] = to
	}
}

// deadline of an entry; unknownTime: not known yet.
func (w *elders) deadline(i int, e aged) int64 {
	d := aging[i]
	if e.at == unknownTime {
		e.at = w.began[d.TTL.Clock]
	}
	if e.at == unknownTime {
		return unknownTime
	}
	return e.at + d.TTL.Duration
}

// live returns what is to be seen of a key.
func (w *elders) live(i int, key string) (all []aged) {
	for _, e := range w.entries[i][key] {
		if by := w.deadline(i, e); by == unknownTime || by > w.now[aging[i].TTL.Clock] {
			all = append(all, e)
		}
	}
	return all
}

// write replaces an entry, of a map one field, and of a list adds one.
func (w *elders) write(i int, key, field, value string) {
	e := aged{field, value, w.now[aging[i].TTL.Clock]}
	rest := w.live(i, key)
	if aging[i].Kind != state.KindList {
		rest = slices.DeleteFunc(rest, func(e aged) bool { return e.field == field })
	}
	w.entries[i][key] = append(rest, e)
}

// read begins the time of what was read anew, if its state is one of those.
func (w *elders) read(i int, key, field string) {
	if !aging[i].TTL.OnRead {
		return
	}
	all := w.live(i, key)
	for k := range all {
		if aging[i].Kind != state.KindMap || all[k].field == field {
			all[k].at = w.now[aging[i].TTL.Clock]
		}
	}
	w.entries[i][key] = all
}

// sum is what Store.Sum must be.
func (w *elders) sum() (sum uint64) {
	for i, d := range aging {
		for key := range w.entries[i] { //det:unordered the sum commutes
			all, list := w.live(i, key), []byte(nil)
			for _, e := range all {
				stored := append(binary.LittleEndian.AppendUint64(nil, uint64(w.deadline(i, e))), e.value...)
				switch d.Kind {
				case state.KindList:
					list = state.AppendElement(list, stored)
				case state.KindMap:
					sum += state.SumEntry(d.Name, []byte(key), []byte(e.field), stored)
				default:
					sum += state.SumEntry(d.Name, []byte(key), nil, stored)
				}
			}
			if len(list) > 0 {
				sum += state.SumEntry(d.Name, []byte(key), nil, list)
			}
		}
	}
	return sum
}

// old is a store under test with the states of aging, and its model.
type old struct {
	state.Store
	f      *fixture
	tables []opened
	twin   *elders
	epoch  id.Epoch
	prefix string
}

func (f *fixture) old(groups state.GroupRange) *old {
	f.Helper()
	f.incarnations++
	s := &old{
		Store: f.open(f.T, state.Open{Groups: groups, Keyed: true}), f: f, twin: newElders(),
		epoch: id.MakeEpoch(id.Attempt(f.incarnations), 0), prefix: fmt.Sprintf("old/t0/a%d-", f.incarnations),
	}
	for _, d := range aging {
		t, err := openTable(s, d)
		if err != nil {
			f.Fatalf("open state %q: %v", d.Name, err)
		}
		s.tables = append(s.tables, t)
	}
	return s
}

func (s *old) advance(c state.Clock, to int64) {
	s.Clocks().Advance(c, to)
	s.twin.advance(c, to)
}

// write writes an entry: in place where the state is of fixed size.
func (s *old) write(i int, key, field, value string) {
	d, t, k := aging[i], s.tables[i], keyOf(key)
	if d.Kind != state.KindMap {
		field = ""
	}
	switch {
	case d.Kind == state.KindMap:
		t.fields.MapPut(k, []byte(field), []byte(value))
	case d.Kind == state.KindList:
		t.list.Append(k, []byte(value))
	case d.FixedSize > 0:
		value = (value + strings.Repeat("-", d.FixedSize))[:d.FixedSize]
		slot, fresh := t.fixed.Update(k)
		if seen := s.twin.live(i, key); fresh != (len(seen) == 0) || !fresh && string(slot) != seen[0].value || fresh && !bytes.Equal(slot, make([]byte, d.FixedSize)) {
			s.f.Fatalf("an Update of %q in %q: %q, fresh %v, of what was %v", key, d.Name, slot, fresh, seen)
		}
		copy(slot, value)
	default:
		t.values.Put(k, []byte(value))
	}
	s.twin.write(i, key, field, value)
}

// read reads a key, or a field, and compares.
func (s *old) read(i int, key, field string) {
	var got, want string
	var ok, there bool
	seen := s.twin.live(i, key)
	switch aging[i].Kind {
	case state.KindMap:
		var v []byte
		v, ok = s.tables[i].fields.MapGet(keyOf(key), []byte(field))
		got = string(v)
		for _, e := range seen {
			if e.field == field {
				want, there = e.value, true
			}
		}
	default:
		var v []byte
		v, ok = s.tables[i].values.Get(keyOf(key))
		got, want, there = string(v), shown(i, seen), len(seen) > 0
	}
	if got != want || ok != there {
		s.f.Fatalf("a read of %q, %q in %q at %v: %q, %v, want %q, %v", key, field, aging[i].Name, s.twin.now, got, ok, want, there)
	}
	s.twin.read(i, key, field)
}

// shown is what Get and Range give of a key.
func shown(i int, seen []aged) string {
	if aging[i].Kind != state.KindList {
		if len(seen) == 0 {
			return ""
		}
		return seen[0].value
	}
	var list []byte
	for _, e := range seen {
		list = state.AppendElement(list, []byte(e.value))
	}
	return string(list)
}

func (s *old) remove(i int, key string) {
	s.tables[i].Delete(keyOf(key))
	delete(s.twin.entries[i], key)
}

// check compares all that can be read without making it younger.
func (s *old) check() error {
	for i, d := range aging {
		visible, n := map[string][]aged{}, 0
		for key := range s.twin.entries[i] { //det:unordered collected
			if seen := s.twin.live(i, key); len(seen) > 0 {
				visible[key] = seen
				n += len(seen)
			}
		}
		keys := byGroup(visible)
		value := func(key string) []byte { return []byte(shown(i, visible[key])) }
		if d.Kind == state.KindMap {
			value = func(string) []byte { return nil }
			for _, key := range keys {
				if err := s.checkFields(i, key, visible[key]); err != nil {
					return fmt.Errorf("state %q at %v: %w", d.Name, s.twin.now, err)
				}
			}
		} else {
			n = len(keys)
		}
		if err := compareRange(s.tables[i], keys, value); err != nil {
			return fmt.Errorf("state %q at %v: %w", d.Name, s.twin.now, err)
		}
		if got := s.tables[i].Len(); got != n {
			return fmt.Errorf("state %q at %v: its Len is %d, want %d", d.Name, s.twin.now, got, n)
		}
	}
	want := s.twin.sum()
	if got := s.Sum(); got != want {
		return fmt.Errorf("sum %#x at %v, want %#x", got, s.twin.now, want)
	}
	if got := s.found(); got != want {
		return fmt.Errorf("what is found key by key at %v has sum %#x, want %#x", s.twin.now, got, want)
	}
	return s.Err()
}

// found is the sum of what each key is found to have.
func (s *old) found() (sum uint64) {
	for i, d := range aging {
		for key := range s.twin.entries[i] { //det:unordered the sum commutes
			s.Lookup(d.Name, keyOf(key), func(e state.KeyedEntry) bool {
				sum += state.SumEntry(d.Name, e.Key, e.Field, e.Value)
				return true
			})
		}
	}
	return sum
}

func (s *old) checkFields(i int, key string, seen []aged) error {
	want := slices.SortedFunc(slices.Values(seen), func(a, b aged) int { return strings.Compare(a.field, b.field) })
	var got []aged
	s.tables[i].fields.MapRange(keyOf(key), func(field, value []byte) bool {
		got = append(got, aged{field: string(field), value: string(value)})
		return true
	})
	if !slices.EqualFunc(got, want, func(a, b aged) bool { return a.field == b.field && a.value == b.value }) {
		return fmt.Errorf("the fields of %q are %v, want %v", key, got, want)
	}
	return nil
}

// dump takes a snapshot to its end.
func (s *old) dump(base id.Epoch) state.Handle {
	s.f.Helper()
	s.epoch++
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: s.epoch, Base: base, Prefix: s.prefix})
	if err != nil {
		s.f.Fatal(err)
	}
	return s.f.finish(&taken{Capture: c, epoch: s.epoch})
}

// load restores handles into a new store.
func (f *fixture) load(groups state.GroupRange, twin *elders, h ...state.Handle) *old {
	f.Helper()
	s := f.old(groups)
	tr, err := s.Restore(h)
	if err == nil {
		err = Drive(tr, f.storage)
	}
	if err != nil {
		f.Fatal(err)
	}
	s.twin = twin
	return s
}

// testExpiry does random things to states whose entries expire.
func testExpiry(f *fixture) {
	rapid.Check(f.T, func(t *rapid.T) {
		m := &agingModel{s: f.old(allGroups)}
		defer func() { _ = m.s.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"write":     func(t *rapid.T) { m.s.write(m.table(t), m.key(t), m.key(t), m.value(t)) },
			"read":      func(t *rapid.T) { m.s.read(m.table(t), m.key(t), m.key(t)) },
			"remove":    func(t *rapid.T) { m.s.remove(m.table(t), m.key(t)) },
			"time":      func(t *rapid.T) { m.s.advance(m.clock(t), m.time(t)) },
			"fail over": m.failOver,
			"rescale":   m.rescale,
			"":          func(t *rapid.T) { m.check(t) },
		})
	})
}

type agingModel struct {
	s     *old
	base  id.Epoch
	steps int
}

func (m *agingModel) table(t *rapid.T) int { return rapid.IntRange(0, len(aging)-1).Draw(t, "state") }
func (m *agingModel) key(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "a", "ab", word(0), word(1), word(1 << 40), "nine99999"}).Draw(t, "key")
}
func (m *agingModel) value(t *rapid.T) string {
	return strings.Repeat("v", rapid.IntRange(0, 30).Draw(t, "length"))
}
func (m *agingModel) clock(t *rapid.T) state.Clock {
	return rapid.SampledFrom([]state.Clock{state.EventTime, state.ProcessingTime}).Draw(t, "clock")
}

// time is a little ahead of where the clocks stand, or behind.
func (m *agingModel) time(t *rapid.T) int64 {
	now := max(m.s.twin.now[state.EventTime], m.s.twin.now[state.ProcessingTime], 0)
	return now + rapid.Int64Range(-2, 6).Draw(t, "time")
}

func (m *agingModel) check(t *rapid.T) {
	if m.steps++; m.steps%4 != 0 {
		return
	}
	if err := m.s.check(); err != nil {
		t.Fatal(err)
	}
}

// failOver goes on from a snapshot of now, which may build on the last one.
func (m *agingModel) failOver(t *rapid.T) {
	h := m.s.dump(m.base)
	m.base = m.s.epoch
	if rapid.Bool().Draw(t, "crash") {
		twin := m.s.twin
		_ = m.s.Close()
		m.s, m.base = m.s.f.load(allGroups, twin, h), 0
	}
	if err := m.s.check(); err != nil {
		t.Fatal(err)
	}
}

// rescale goes on as two tasks, whose time comes on each by itself, and back to one.
func (m *agingModel) rescale(t *rapid.T) {
	f, h, whole := m.s.f, m.s.dump(0), m.s.twin
	_ = m.s.Close()
	var handles []state.Handle
	var halves []*elders
	for i := range 2 {
		groups := state.GroupsOf(i, 2, state.DefaultGroups)
		half := f.load(groups, whole.only(groups), h)
		half.advance(state.EventTime, m.time(t))
		if err := half.check(); err != nil {
			t.Fatal(err)
		}
		handles, halves = append(handles, half.dump(0)), append(halves, half.twin)
		_ = half.Close()
	}
	m.s, m.base = f.load(allGroups, united(halves), handles...), 0
	if err := m.s.check(); err != nil {
		t.Fatal(err)
	}
}

// only returns the entries of a range of key groups.
func (w *elders) only(groups state.GroupRange) *elders {
	c := w.clone()
	for _, t := range c.entries {
		maps.DeleteFunc(t, func(key string, _ []aged) bool {
			g := keyOf(key).Group
			return g < groups.Lo || g >= groups.Hi
		})
	}
	return c
}

// united is what is left when tasks become one: its time is the earliest of theirs,
// and what has expired in one of them stays so.
func united(parts []*elders) *elders {
	w := newElders()
	for c := range w.now { //det:unordered each by itself
		w.now[c], w.began[c] = parts[0].now[c], parts[0].began[c]
		for _, p := range parts[1:] {
			if p.now[c] < w.now[c] {
				w.now[c], w.began[c] = p.now[c], p.began[c]
			}
		}
	}
	for _, p := range parts {
		for i := range aging {
			for key := range p.entries[i] { //det:unordered each by itself
				all := p.live(i, key)
				for k := range all {
					if all[k].at == unknownTime {
						all[k].at = p.began[aging[i].TTL.Clock]
					}
				}
				if len(all) > 0 {
					w.entries[i][key] = all
				}
			}
		}
	}
	return w
}

// testExpiredGo: what has expired in memory comes into no file, and what has
// expired in files goes from them while others are written.
func testExpiredGo(f *fixture) {
	const keys = 3000
	s := f.old(allGroups)
	s.advance(state.EventTime, 100)
	s.advance(state.ProcessingTime, 100)
	fill := func(n int, mark string) {
		for i := range aging {
			for k := range n {
				s.write(i, fillKey(k), "field", fmt.Sprint(mark, k))
			}
		}
	}
	fill(100, "unseen") // few enough for any memory
	s.advance(state.EventTime, 200)
	s.advance(state.ProcessingTime, 200)
	h := s.dump(0)
	if f.stands(h, "unseen") {
		f.Error("a snapshot's files have entries that had expired when it was taken")
	}
	fill(keys, "expired")
	base := s.epoch
	if h = s.dump(base); !f.stands(h, "expired") {
		f.Fatal("the case is blind: the entries are in no file")
	}
	s.advance(state.EventTime, 300)
	s.advance(state.ProcessingTime, 300)
	for round := range 12 {
		base = s.epoch
		for i := range aging {
			for k := range keys / 4 {
				s.write(i, fillKey(keys+k), "field", fmt.Sprint("again ", round, " ", k))
			}
		}
		h = s.dump(base)
		s.Release(base)
	}
	if err := s.check(); err != nil {
		f.Fatal(err)
	}
	if f.stands(h, "expired") {
		f.Error("a snapshot still has entries that expired a dozen snapshots ago")
	}
	_ = s.Close()
}

// testExpiryGoroutine carries captures out while the owner goes on and time does too; it
// is the race detector that sees what is wrong.
func testExpiryGoroutine(f *fixture) {
	s := f.old(allGroups)
	defer func() { _ = s.Close() }()
	write := func(round, n int) {
		for i := range aging {
			for k := range n {
				s.write(i, fillKey(k*(1+round%3)), "field", fmt.Sprint("value ", round, k))
			}
		}
	}
	write(0, 400)
	for round := range 6 {
		s.epoch++
		base := s.epoch - 1
		c, err := s.Snapshot(state.SnapshotRequest{Epoch: s.epoch, Base: base, Prefix: s.prefix})
		if err != nil {
			f.Fatal(err)
		}
		want := s.twin.clone()
		ended := make(chan error, 1)
		go func() {
			err := Drive(c, f.storage)
			c.Discard()
			ended <- err
		}()
		s.advance(state.EventTime, int64(4*round))
		s.advance(state.ProcessingTime, int64(3*round))
		write(round, 300)
		if err := <-ended; err != nil {
			f.Fatal(err)
		}
		back := f.load(allGroups, want, c.Handle())
		if err := back.check(); err != nil {
			f.Fatal(err)
		}
		_ = back.Close()
	}
	if err := s.check(); err != nil {
		f.Fatal(err)
	}
}

// testExpiryLoaded puts what a store shows into another, as a savepoint does: what has
// expired is not among it, and the rest expires when it would have.
func testExpiryLoaded(f *fixture) {
	s := f.old(allGroups)
	defer func() { _ = s.Close() }()
	write := func(mark string) {
		for i := range aging {
			for k := range 60 {
				s.write(i, fillKey(k*len(mark)), mark, fmt.Sprint(mark, k))
			}
		}
	}
	write("undated")
	s.advance(state.EventTime, 100)
	s.advance(state.ProcessingTime, 200)
	write("early")
	s.advance(state.EventTime, 105)
	s.advance(state.ProcessingTime, 206)
	write("late")
	for ahead := int64(0); ahead < 12; ahead += 3 {
		to := f.old(allGroups)
		if err := load(to, s, allGroups); err != nil {
			f.Fatal(err)
		}
		to.twin = s.twin.clone()
		if err := to.check(); err != nil {
			f.Fatal(err)
		}
		to.advance(state.EventTime, 106+ahead)
		to.advance(state.ProcessingTime, 207+ahead)
		if err := to.check(); err != nil {
			f.Fatal(err)
		}
		_ = to.Close()
		s.advance(state.EventTime, 105+ahead)
	}
}

// stands reports that a snapshot has some bytes anywhere.
func (f *fixture) stands(h state.Handle, text string) bool {
	if bytes.Contains(h.Inline, []byte(text)) {
		return true
	}
	return slices.ContainsFunc(h.Files, func(ref state.FileRef) bool {
		return bytes.Contains(f.storage.Do(state.Op{Kind: state.OpGet, Key: ref.Name}).Data, []byte(text))
	})
}

// testExpiryDeclared: the clock of a state is part of what it is, the duration is not.
func testExpiryDeclared(f *fixture) {
	s := f.old(allGroups)
	s.write(0, "a", "", "x")
	h := s.dump(0)
	_ = s.Close()
	for _, c := range []struct {
		ttl state.TTL
		ok  bool
	}{
		{state.TTL{Clock: state.EventTime, Duration: 99, OnRead: true}, true},
		{state.TTL{Clock: state.ProcessingTime, Duration: 10}, false},
		{state.TTL{}, false},
	} {
		d := aging[0]
		d.TTL = c.ttl
		for _, before := range []bool{true, false} {
			s, err := f.reopen(h, before, d)
			if (err == nil) != c.ok {
				f.Errorf("a time to live of %+v for one of %+v: %v", c.ttl, aging[0].TTL, err)
			}
			_ = s.Close()
		}
	}
	for _, d := range []state.Descriptor{
		{Name: "no clock", Kind: state.KindValue, TTL: state.TTL{Duration: 1}},
		{Name: "odd clock", Kind: state.KindValue, TTL: state.TTL{Clock: 9, Duration: 1}},
		{Name: "no duration", Kind: state.KindValue, TTL: state.TTL{Clock: state.EventTime}},
	} {
		s := f.old(allGroups)
		if _, err := s.Table(d); err == nil || !strings.Contains(err.Error(), d.Name) {
			f.Errorf("%+v opens: %v", d, err)
		}
		_ = s.Close()
	}
}
