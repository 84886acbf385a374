package statetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/id"
	"weir/state"
)

// account is a value whose encoding changes from version to version.
type account struct {
	sum  uint64
	note string // of version 2 on; before: noNote
}

const noNote = "none"

var accountVersions = []state.Version[account]{
	{Number: 1, Fields: "sum uvarint", Codec: &state.StructCodec[account]{
		ID:    "account/1",
		Write: func(dst []byte, a account) []byte { return binary.AppendUvarint(dst, a.sum) },
		Read:  func(r *state.Reader) account { return account{r.Uvarint(), noNote} },
	}},
	{Number: 2, Fields: "sum uint64, note string", Codec: &state.StructCodec[account]{
		ID: "account/2",
		Write: func(dst []byte, a account) []byte {
			return state.AppendString(binary.LittleEndian.AppendUint64(dst, a.sum), a.note)
		},
		Read: func(r *state.Reader) account { return account{r.Uint64(), string(r.Bytes())} },
	}},
	{Number: 3, Fields: "note string, total uint64", Codec: &state.StructCodec[account]{
		ID: "account/3",
		Write: func(dst []byte, a account) []byte {
			return binary.LittleEndian.AppendUint64(state.AppendString(dst, a.note), a.sum)
		},
		Read: func(r *state.Reader) account {
			note := string(r.Bytes())
			return account{r.Uint64(), note}
		},
	}},
}

// accountCodec returns the codec of a program that writes a version and knows those up to
// another one.
func accountCodec(writes, knows int) *state.Versions[account] {
	c := &state.Versions[account]{ID: "account", Writes: accountVersions[writes-1]}
	for _, v := range accountVersions[:knows] {
		if int(v.Number) != writes {
			c.Reads = append(c.Reads, v)
		}
	}
	return c
}

// program is a store with a state of every kind, opened by a program of some version, and what
// is in it.
type program struct {
	f      *fixture
	store  state.Store
	writes int
	epoch  id.Epoch

	value  *state.Value[account]
	list   *state.List[account]
	fields *state.Map[uint64, account]
	least  *state.Reducing[account]
	total  *state.Aggregating[account, account, account]
	items  state.Items[account]
	dated  *state.Value[account] // with a time to live
	has    *contents
}

// contents is what a program must find.
type contents struct {
	value, least, total, dated map[uint64]account
	list                       map[uint64][]account
	fields                     map[[2]uint64]account
	items                      []account
}

// program opens a store by a program, and restores what another one has left.
func (f *fixture) program(writes, knows int, groups state.GroupRange, has *contents, from ...state.Handle) (*program, error) {
	f.Helper()
	f.incarnations++
	p := &program{f: f, store: f.open(f.T, state.Open{Groups: groups, Keyed: true}), writes: writes, epoch: id.MakeEpoch(id.Attempt(f.incarnations), 0), has: has}
	if err := p.openStates(accountCodec(writes, knows)); err != nil {
		return p, err
	}
	if len(from) == 0 {
		return p, nil
	}
	tr, err := p.store.Restore(from)
	if err != nil {
		return p, err
	}
	return p, Drive(tr, f.storage)
}

func (p *program) openStates(c state.Codec[account]) (err error) {
	s := p.store
	if p.value, err = state.OpenValue(s, "a value", c); err != nil {
		return err
	}
	if p.list, err = state.OpenList(s, "a list", c); err != nil {
		return err
	}
	if p.fields, err = state.OpenMap(s, "a map", state.Uint64, c); err != nil {
		return err
	}
	if p.least, err = state.OpenReducing(s, "the least", c, lesser); err != nil {
		return err
	}
	if p.total, err = state.OpenAggregating(s, "the total", c, adder); err != nil {
		return err
	}
	if p.dated, err = state.OpenValue(s, "dated", c, state.TTL{Clock: state.EventTime, Duration: 1000}); err != nil {
		return err
	}
	l, err := s.List("items", state.Split)
	if err != nil {
		return err
	}
	p.items, err = state.ItemsOf(l, c)
	return err
}

func lesser(a, b account) account {
	if b.sum < a.sum {
		return b
	}
	return a
}

var adder = state.Aggregator[account, account, account]{
	Create: func() account { return account{note: noNote} },
	Add:    func(acc, v account) account { return account{acc.sum + v.sum, v.note} },
	Merge:  func(a, b account) account { return account{a.sum + b.sum, b.note} },
	Result: func(acc account) account { return acc },
}

// made is what a program of some version writes of a number: version 1 knows no notes.
func (p *program) made(n uint64) account {
	if p.writes == 1 {
		return account{n, noNote}
	}
	return account{n, fmt.Sprintf("by %d", p.writes)}
}

func numbered(k uint64) state.Key {
	var b [8]byte
	return state.KeyOfUint64(&b, k, state.DefaultGroups)
}

// write writes the keys from lo up to hi, each step-th.
func (p *program) write(lo, hi, step uint64) {
	for n := lo; n < hi; n += step {
		k, a := numbered(n), p.made(n*10+uint64(p.writes))
		p.value.Set(k, a)
		p.has.value[n] = a
		p.dated.Set(k, a)
		p.has.dated[n] = a
		p.list.Append(k, a)
		p.has.list[n] = append(p.has.list[n], a)
		for field := range uint64(2) {
			p.fields.Put(k, field+uint64(p.writes)%2, a)
			p.has.fields[[2]uint64{n, field + uint64(p.writes)%2}] = a
		}
		p.least.Add(k, a)
		if old, ok := p.has.least[n]; ok {
			p.has.least[n] = lesser(old, a)
		} else {
			p.has.least[n] = a
		}
		p.total.Add(k, a)
		p.has.total[n] = account{p.has.total[n].sum + a.sum, a.note}
	}
	a := p.made(lo)
	p.items.Add(a)
	p.has.items = append(p.has.items, a)
}

// check reads everything.
func (p *program) check(groups state.GroupRange) {
	p.f.Helper()
	mine := func(n uint64) bool { g := numbered(n).Group; return g >= groups.Lo && g < groups.Hi }
	for what, of := range map[string]struct {
		get  func(k state.Key) (account, bool)
		want map[uint64]account
	}{"value": {p.value.Get, p.has.value}, "reducing": {p.least.Get, p.has.least}, "aggregating": {p.total.Get, p.has.total}, "with a TTL": {p.dated.Get, p.has.dated}} { //det:unordered each by itself
		for n, want := range of.want { //det:unordered each by itself
			if !mine(n) {
				continue
			}
			if got, ok := of.get(numbered(n)); !ok || got != want {
				p.f.Fatalf("version %d, %s of key %d: %v, %v, want %v", p.writes, what, n, got, ok, want)
			}
		}
	}
	for n, want := range p.has.list { //det:unordered each by itself
		var got []account
		if !mine(n) {
			continue
		}
		p.list.Each(numbered(n), func(a account) bool { got = append(got, a); return true })
		if !slices.Equal(got, want) {
			p.f.Fatalf("version %d, list of key %d: %v, want %v", p.writes, n, got, want)
		}
	}
	for at, want := range p.has.fields { //det:unordered each by itself
		if !mine(at[0]) {
			continue
		}
		if got, ok := p.fields.Get(numbered(at[0]), at[1]); !ok || got != want {
			p.f.Fatalf("version %d, field %d of key %d: %v, %v, want %v", p.writes, at[1], at[0], got, ok, want)
		}
	}
}

// checkItems reads the operator state.
func (p *program) checkItems() {
	p.f.Helper()
	var got []account
	for i := range p.items.Len() {
		got = append(got, p.items.At(i))
	}
	if !slices.Equal(got, p.has.items) {
		p.f.Fatalf("version %d, items: %v, want %v", p.writes, got, p.has.items)
	}
}

// snapshot takes one, and checks that the sum of what comes back is that of the instant.
func (p *program) snapshot(base id.Epoch) state.Handle {
	p.f.Helper()
	p.epoch++
	c, err := p.store.Snapshot(state.SnapshotRequest{Epoch: p.epoch, Base: base, Prefix: fmt.Sprintf("job/evolving/a%d-", p.f.incarnations)})
	if err != nil {
		p.f.Fatal(err)
	}
	return p.f.finish(&taken{Capture: c, epoch: p.epoch})
}

func (p *program) close() {
	p.f.Helper()
	if err := p.store.Close(); err != nil {
		p.f.Error(err)
	}
}

func nothingYet() *contents {
	return &contents{
		value: map[uint64]account{}, least: map[uint64]account{}, total: map[uint64]account{}, dated: map[uint64]account{},
		list: map[uint64][]account{}, fields: map[[2]uint64]account{},
	}
}

const evolvingKeys = 400

// testEvolving goes from version 1 to 2, 3 and back to 2, over incremental snapshots: every
// version finds what all before it wrote, what none has touched since among it, and has the
// sum of what it comes from.
func testEvolving(f *fixture) {
	has := nothingYet()
	p, err := f.program(1, 1, allGroups, has)
	if err != nil {
		f.Fatal(err)
	}
	p.write(0, evolvingKeys, 1)
	for _, to := range []struct{ writes, knows int }{{2, 2}, {3, 3}, {2, 3}} {
		sum, base := p.store.Sum(), p.epoch
		h := p.snapshot(0)
		p.close()
		if p, err = f.program(to.writes, to.knows, allGroups, has, h); err != nil {
			f.Fatalf("version %d: %v", to.writes, err)
		}
		if p.store.Sum() != sum {
			f.Errorf("version %d: the sum has changed without a write", to.writes)
		}
		p.check(allGroups)
		p.checkItems()
		p.write(uint64(to.writes), evolvingKeys/2, 3)
		h = p.snapshot(base + 1) // incremental: what was not written stands in files of the version before
		p.write(evolvingKeys, evolvingKeys+20, 1)
		p.check(allGroups)
		p.close()
		has.forget(evolvingKeys, evolvingKeys+20)
		if p, err = f.program(to.writes, to.knows, allGroups, has, h); err != nil {
			f.Fatalf("version %d again: %v", to.writes, err)
		}
		p.check(allGroups)
		p.checkItems()
		p.write(uint64(to.writes)+1, evolvingKeys/2, 5)
	}
	p.close()
}

// testEvolvedAway writes on until nothing of the older version is left, without touching most of
// it: a program that knows the new version alone goes on from there.
func testEvolvedAway(f *fixture) {
	has := nothingYet()
	p, err := f.program(1, 1, allGroups, has)
	if err != nil {
		f.Fatal(err)
	}
	p.write(0, evolvingKeys, 1)
	h := p.snapshot(0)
	p.close()
	if p, err = f.program(2, 2, allGroups, has, h); err != nil {
		f.Fatal(err)
	}
	p.writeAway()
	f.goOnAlone(p)
}

// writeAway writes new keys, and now and then deletes an old one, until all is of the version that is written.
func (p *program) writeAway() {
	p.f.Helper()
	for n := uint64(evolvingKeys); ; n++ {
		if n > 2*evolvingKeys {
			p.f.Fatalf("after %d writes not all is of the new version", n-evolvingKeys)
		}
		p.write(n, n+1, 1)
		if n%7 == 0 {
			p.remove(n - evolvingKeys)
		}
		if left := p.older(); left == 0 {
			return
		} else if left < 0 {
			p.f.Fatal("a state has lost its schemas")
		}
		if n == evolvingKeys+20 { // in the middle of it
			p.check(allGroups)
			p.snapshot(0)
		}
	}
}

// goOnAlone goes on, from what a program of version 2 has written away, with one that knows nothing else.
func (f *fixture) goOnAlone(p *program) {
	f.Helper()
	f.checkSchemas(p, 2)
	p.check(allGroups)
	sum, h := p.store.Sum(), p.snapshot(0)
	p.close()
	alone := accountCodec(2, 2)
	alone.Reads = nil
	q := &program{f: f, store: f.open(f.T, state.Open{Groups: allGroups, Keyed: true}), writes: 2, has: p.has}
	if err := q.openStates(alone); err != nil {
		f.Fatal(err)
	}
	tr, err := q.store.Restore([]state.Handle{h})
	if err == nil {
		err = Drive(tr, f.storage)
	}
	if err != nil {
		f.Fatal(err)
	}
	q.check(allGroups)
	q.checkItems()
	if q.store.Sum() != sum {
		f.Error("the sum has changed without a write")
	}
	q.close()
}

// older returns how many states may hold values of more than one version.
func (p *program) older() (n int) {
	for _, d := range p.store.States() {
		switch len(d.Schemas.All()) {
		case 0:
			return -1
		case 1:
		default:
			n++
		}
	}
	return n
}

// remove deletes a key everywhere.
func (p *program) remove(n uint64) {
	k := numbered(n)
	p.value.Delete(k)
	p.dated.Delete(k)
	p.list.Clear(k)
	p.fields.Clear(k)
	p.least.Delete(k)
	p.total.Delete(k)
	p.has.forgetKey(n)
}

// forget takes out keys that were written behind a snapshot, and the item that was.
func (c *contents) forget(lo, hi uint64) {
	for n := lo; n < hi; n++ {
		c.forgetKey(n)
	}
	c.items = c.items[:len(c.items)-1]
}

func (c *contents) forgetKey(n uint64) {
	for _, m := range []map[uint64]account{c.value, c.least, c.total, c.dated} {
		delete(m, n)
	}
	delete(c.list, n)
	for field := range uint64(3) {
		delete(c.fields, [2]uint64{n, field})
	}
}

// checkSchemas checks which versions the states say that they may hold.
func (f *fixture) checkSchemas(p *program, want ...uint32) {
	f.Helper()
	for _, d := range p.store.States() {
		var got []uint32
		for _, s := range d.Schemas.All() {
			got = append(got, s.Version)
		}
		if !slices.Equal(got, want) {
			f.Errorf("state %q: schemas of versions %v, want %v", d.Name, got, want)
		}
	}
}

// testEvolvingRescale has two tasks of version 1 go on as three of version 2, and those as one
// of version 3.
func testEvolvingRescale(f *fixture) {
	has := nothingYet()
	handles := make([]state.Handle, 2)
	for i := range handles {
		groups := state.GroupsOf(i, 2, state.DefaultGroups)
		p, err := f.program(1, 1, groups, nothingYet())
		if err != nil {
			f.Fatal(err)
		}
		for n := range uint64(evolvingKeys) {
			if g := numbered(n).Group; g >= groups.Lo && g < groups.Hi {
				p.write(n, n+1, 1)
			}
		}
		has.add(p.has)
		handles[i] = p.snapshot(0)
		p.close()
	}
	next := make([]state.Handle, 3)
	for i := range next {
		groups := state.GroupsOf(i, 3, state.DefaultGroups)
		p, err := f.program(2, 2, groups, has, handles...)
		if err != nil {
			f.Fatal(err)
		}
		p.check(groups)
		for n := range uint64(evolvingKeys / 4) {
			if g := numbered(n).Group; g >= groups.Lo && g < groups.Hi {
				p.write(n, n+1, 1)
			}
		}
		next[i] = p.snapshot(0)
		p.close()
	}
	p, err := f.program(3, 3, allGroups, has, next...)
	if err != nil {
		f.Fatal(err)
	}
	p.check(allGroups)
	f.checkSchemas(p, 1, 2, 3)
	p.close()
}

func (c *contents) add(o *contents) {
	for _, m := range []struct{ to, from map[uint64]account }{{c.value, o.value}, {c.least, o.least}, {c.total, o.total}, {c.dated, o.dated}} {
		for n, a := range m.from { //det:unordered into a map
			m.to[n] = a
		}
	}
	for n, l := range o.list { //det:unordered into a map
		c.list[n] = l
	}
	for at, a := range o.fields { //det:unordered into a map
		c.fields[at] = a
	}
}

// testEvolvingRefused declares what cannot read what is stored: each is an error that names
// the state and what differs, before anything is read.
func testEvolvingRefused(f *fixture) {
	p, err := f.program(3, 3, allGroups, nothingYet())
	if err != nil {
		f.Fatal(err)
	}
	p.write(0, 20, 1)
	versions := p.snapshot(0)
	p.close()
	plain := f.subject(allGroups)
	plain.fill(10)
	without := f.finish(plain.snapshot(0))
	plain.close()
	declared := func(name string, c state.Codec[account]) state.Descriptor {
		bound, e := state.Bind(c)
		d := state.Descriptor{Name: name, Kind: state.KindValue, Codec: bound.Name(), Evolution: e}
		if e != nil {
			d.Schemas = e.Schemas()
		}
		return d
	}
	other := accountVersions[2]
	other.Fields = "note string, total uint32"
	renumbered := other
	renumbered.Number = 4
	for _, c := range []struct {
		what string
		h    state.Handle
		d    state.Descriptor
		want string
	}{
		{"a newer version", versions, declared("a value", accountCodec(2, 2)), `version 3 of codec account is newer than any that is known (1, 2): field "total", stored as uint64, is not known`},
		{"other fields", versions, declared("a value", &state.Versions[account]{ID: "account", Writes: other}), `field "total" is stored as uint64 and read as uint32`},
		{"other fields of one that is read", versions, declared("a value", &state.Versions[account]{ID: "account", Writes: accountVersions[0], Reads: []state.Version[account]{other}}), `version 3 of codec account is known with other fields: field "total" is stored as uint64`},
		{"an older one that is not read", versions, declared("a value", &state.Versions[account]{ID: "account", Writes: renumbered}), `version 3 of codec account is unknown (4)`},
		{"another codec", versions, declared("a value", &state.Versions[account]{ID: "purse", Writes: accountVersions[2]}), `codec "purse/3"`},
		{"no versions", versions, declared("a value", accountVersions[2].Codec), "its values have versions in front: open it with a codec that has versions"},
		{"none stored", without, declared("value", &state.Versions[account]{ID: "bytes", Writes: accountVersions[0]}), "values that were stored without versions cannot be told from others"},
		{"another kind", versions, declared("a list", accountCodec(3, 3)), "the job declares a value"},
	} {
		for _, before := range []bool{true, false} {
			s, err := f.reopen(c.h, before, c.d)
			if !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), fmt.Sprintf("state %q", c.d.Name)) || !strings.Contains(err.Error(), c.want) {
				f.Errorf("%s, opened before restore: %v: error %v, want one that wraps ErrIncompatible and says %q", c.what, before, err, c.want)
			}
			_ = s.Close()
		}
	}
	tight := f.open(f.T, state.Open{Groups: allGroups, Keyed: true})
	defer func() { _ = tight.Close() }()
	l, err := tight.List("items", state.Split)
	if err == nil {
		_, err = state.ItemsOf(l, accountCodec(2, 2))
	}
	if err != nil {
		f.Fatal(err)
	}
	if _, err = tight.Restore([]state.Handle{versions}); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), `list "items"`) || !strings.Contains(err.Error(), "newer than any") {
		f.Errorf("items of a newer version: %v", err)
	}
}

// testEvolvingPassedOn restores what has versions into a store that opens none of it, and
// loads what that leaves into one that does, which writes on until nothing of it is left.
func testEvolvingPassedOn(f *fixture) {
	has := nothingYet()
	p, err := f.program(1, 1, allGroups, has)
	if err != nil {
		f.Fatal(err)
	}
	p.write(0, evolvingKeys, 1)
	h, sum := p.snapshot(0), p.store.Sum()
	p.close()
	between, err := f.reopen(h, true)
	if err != nil {
		f.Fatal(err)
	}
	loaded, err := f.program(2, 2, allGroups, has)
	if err != nil {
		f.Fatal(err)
	}
	for _, d := range between.States() {
		put, err := loaded.store.Load(d)
		if err != nil {
			f.Fatal(err)
		}
		between.Entries(d.Name, func(e state.KeyedEntry) bool { put(e); return true })
	}
	if err := loaded.store.RestoreOperator([]state.Handle{{Operator: between.AppendOperator(nil)}}); err != nil {
		f.Fatal(err)
	}
	loaded.check(allGroups)
	loaded.checkItems()
	if between.Sum() != sum || loaded.store.Sum() != sum {
		f.Error("the sum has changed on the way")
	}
	if err := between.Close(); err != nil {
		f.Error(err)
	}
	loaded.writeAway()
	f.goOnAlone(loaded)
}
