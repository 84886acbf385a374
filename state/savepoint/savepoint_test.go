package savepoint_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/catalog"
	"weir/state/savepoint"
	"weir/state/statetest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.seed", "1") // a flag on the command line comes later and wins
	os.Exit(m.Run())
}

const groups = state.DefaultGroups

// open opens an empty store of instance i of p on a backend of the catalog.
func open(t testing.TB, backend string, i, p int) state.Store {
	t.Helper()
	entry, err := catalog.Lookup(backend)
	if err != nil {
		t.Fatal(err)
	}
	b, err := entry.New(catalog.Settings{Deterministic: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Open(state.Open{
		Task: id.TaskID(i), Dir: "local", FS: disk.New(disk.Config{}).Mount(), Groups: state.GroupsOf(i, p, groups), Instance: i, Instances: p, Keyed: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		if c, ok := b.(interface{ Close() }); ok {
			c.Close()
		}
	})
	return s
}

// states are of every kind.
var states = []state.Descriptor{
	{Name: "count", Kind: state.KindReducing, Codec: "uint64/1", FixedSize: 8},
	{Name: "due", Kind: state.KindTimers, Codec: "timer/1"},
	{Name: "fields", Kind: state.KindMap, Codec: "string/1->bytes/1"},
	{Name: "items", Kind: state.KindList, Codec: "bytes/1"},
	{Name: "name", Kind: state.KindValue, Codec: "string/1"},
}

// put puts entry n of a state, made of x, into whichever of the stores owns it.
func put(stores []state.Store, puts [][]func(state.KeyedEntry), of int, keyText string, x uint64) {
	k := state.KeyOf([]byte(keyText), groups)
	e := state.KeyedEntry{Group: k.Group, Key: k.Bytes}
	switch states[of].Kind {
	case state.KindReducing:
		e.Value = binary.LittleEndian.AppendUint64(nil, x)
	case state.KindTimers:
		e.Field = state.AppendTime(nil, int64(x))
	case state.KindMap:
		e.Field, e.Value = []byte(fmt.Sprint("f", x%5)), fmt.Append(nil, x)
	case state.KindList:
		for i := range x%3 + 1 {
			e.Value = state.AppendElement(e.Value, fmt.Append(nil, i))
		}
	default:
		e.Value = bytes.Repeat([]byte("v"), int(x%40))
	}
	puts[state.InstanceOf(k.Group, len(stores), groups)][of](e)
}

// filled opens p stores and hands out how entries are put into each, by state.
func filled(t testing.TB, backend string, p int) (stores []state.Store, puts [][]func(state.KeyedEntry)) {
	t.Helper()
	for i := range p {
		s := open(t, backend, i, p)
		var of []func(state.KeyedEntry)
		for _, d := range states {
			f, err := s.Load(d)
			if err != nil {
				t.Fatal(err)
			}
			of = append(of, f)
		}
		stores, puts = append(stores, s), append(puts, of)
	}
	return stores, puts
}

// some puts n keys into every state.
func some(stores []state.Store, puts [][]func(state.KeyedEntry), n int) {
	for k := range n {
		key := fmt.Sprint("key ", k)
		if k%2 == 0 {
			key = string(binary.LittleEndian.AppendUint64(nil, uint64(k)))
		}
		for of := range states {
			put(stores, puts, of, key, uint64(k)*7)
		}
	}
}

func task(i, p int) savepoint.Task {
	return savepoint.Task{
		ID: id.TaskID(3 + i), Operator: "count", Instance: i, Instances: p, Groups: state.GroupsOf(i, p, groups), Watermark: int64(-5 - i), Firing: i == 1, Drained: true,
		Splits:  []savepoint.Split{{Split: i, Offset: 7, Watermark: -1, Ended: true}},
		Pending: []id.Epoch{id.MakeEpoch(2, 3)}, Finished: []state.GroupRange{{Lo: 1, Hi: 5}},
		Own: own(i, p),
	}
}

// lists are what own has.
func lists(i int) []state.OperatorList {
	return []state.OperatorList{
		{Name: "split", Mode: state.Split, Items: [][]byte{fmt.Append(nil, "a", i), fmt.Append(nil, "b", i)}},
		{Name: "union", Mode: state.Union, Items: [][]byte{fmt.Append(nil, "u", i)}},
		{Name: "all", Mode: state.Broadcast, Items: [][]byte{[]byte("same")}},
	}
}

// own is the operator state of instance i of p.
func own(i, p int) []byte {
	s := state.NewOperatorState(state.Open{Instance: i, Instances: p})
	for _, l := range lists(i) {
		mine, err := s.List(l.Name, l.Mode)
		if err != nil {
			panic(err)
		}
		mine.Items = l.Items
	}
	return s.AppendOperator(nil)
}

// write writes stores as a savepoint below root.
func write(t testing.TB, st state.Storage, root string, stores []state.Store, sizes savepoint.Sizes) *savepoint.Manifest {
	t.Helper()
	m := &savepoint.Manifest{Job: "job", Epoch: id.MakeEpoch(1, 7), Groups: groups, Operators: []savepoint.Operator{{Name: "count"}}}
	for i, s := range stores {
		w := savepoint.NewWriter(root, m.Job, m.Epoch, task(i, len(stores)), s, sizes)
		if err := statetest.Drive(w, st); err != nil {
			t.Fatal(err)
		}
		w.Discard()
		m.Operators[0].Parts = append(m.Operators[0].Parts, w.Part())
	}
	if r := st.Do(m.Create(root)); r.Status != state.OK {
		t.Fatal(r.Err)
	}
	return m
}

// restore restores instance i of p from the savepoint below root.
func restore(t testing.TB, st state.Storage, root, backend string, i, p int) (state.Store, []savepoint.Task, error) {
	t.Helper()
	s, err := savepoint.Open(st, root)
	if err != nil {
		return nil, nil, err
	}
	to := open(t, backend, i, p)
	tr, err := savepoint.NewRestore(root, &s.Manifest, "count", savepoint.Target{Store: to, Groups: state.GroupsOf(i, p, groups), Instance: i, Instances: p})
	if err == nil {
		err = statetest.Drive(tr, st)
	}
	if err != nil {
		return nil, nil, err
	}
	return to, tr.Tasks(), nil
}

// keyedSum is the sum of all but the lists.
func keyedSum(s state.Content) uint64 {
	var sum uint64
	for _, d := range s.States() {
		s.Entries(d.Name, func(e state.KeyedEntry) bool {
			sum += state.SumEntry(d.Name, e.Key, e.Field, e.Value)
			return true
		})
	}
	return sum
}

func keyedSums(stores []state.Store) uint64 {
	var sum uint64
	for _, s := range stores {
		sum += keyedSum(s)
	}
	return sum
}

// objects returns the objects of a storage.
func objects(st state.Storage) map[string]string {
	all := map[string]string{}
	for _, row := range st.Do(state.Op{Kind: state.OpList}).List {
		all[row.Key] = string(st.Do(state.Op{Kind: state.OpGet, Key: row.Key}).Data)
	}
	return all
}

// TestSameBytesWhateverBackend: stores with the same content give the same objects,
// also where entries are on their way from memory to a database.
func TestSameBytesWhateverBackend(t *testing.T) {
	var want map[string]string
	for _, backend := range catalog.Names() {
		stores, puts := filled(t, backend, 2)
		some(stores, puts, 300)
		var captures []state.Capture
		for _, s := range stores {
			c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "files/"})
			if err != nil {
				t.Fatal(err)
			}
			captures = append(captures, c)
		}
		some(stores, puts, 350)
		st := statetest.NewMemory()
		write(t, st, "saved/1.7", stores, savepoint.Simulated)
		for _, c := range captures {
			c.Discard()
		}
		got := objects(st)
		if len(got) < 20 {
			t.Errorf("%d objects only: the sizes are not those of simulation", len(got))
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s writes other bytes than %s: %.2000s", backend, catalog.Names()[0], diff)
		}
	}
}

// TestRoundTrip: any content, from any backend and parallelism to any other.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p, q := rapid.IntRange(1, 4).Draw(r, "p"), rapid.IntRange(1, 5).Draw(r, "q")
		from, to := rapid.SampledFrom(catalog.Names()).Draw(r, "from"), rapid.SampledFrom(catalog.Names()).Draw(r, "to")
		sizes := savepoint.Sizes{Section: rapid.Int64Range(1, 300).Draw(r, "section"), File: rapid.Int64Range(1, 3000).Draw(r, "file")}
		stores, puts := filled(t, from, p)
		for range rapid.IntRange(0, 200).Draw(r, "entries") {
			of := rapid.IntRange(0, len(states)-1).Draw(r, "state")
			key := rapid.SampledFrom([]string{"", "\x00", "a", "a\x00", "eight888", fmt.Sprint("key ", rapid.IntRange(0, 50).Draw(r, "key"))}).Draw(r, "which")
			put(stores, puts, of, key, rapid.Uint64Range(0, 30).Draw(r, "x"))
		}
		st := statetest.NewMemory()
		write(t, st, "", stores, sizes)
		var restored []state.Store
		var split []string
		for i := range q {
			s, tasks, err := restore(t, st, "", to, i, q)
			if err != nil {
				r.Fatal(err)
			}
			for k := range tasks {
				if diff := cmp.Diff(task(k, p), tasks[k]); diff != "" {
					r.Fatalf("task %d: %s", k, diff)
				}
			}
			held, err := state.ListsOf(&state.Handle{Operator: s.AppendOperator(nil)})
			if err != nil {
				r.Fatal(err)
			}
			for _, l := range held {
				if l.Name == "split" {
					for _, item := range l.Items {
						split = append(split, string(item))
					}
				}
				if want := p; l.Name == "union" && p != q && len(l.Items) != want {
					r.Errorf("the union list of %d/%d has %d items, want %d", i, q, len(l.Items), want)
				}
			}
			restored = append(restored, s)
		}
		if got, want := keyedSums(restored), keyedSums(stores); got != want {
			r.Errorf("sum %#x over what was restored, %#x over what was saved", got, want)
		}
		if len(split) != 2*p || len(slices.Compact(slices.Sorted(slices.Values(split)))) != 2*p {
			r.Errorf("split items %q, want each of %d once", split, 2*p)
		}
	})
}

// counting counts the bytes read of a storage.
type counting struct {
	state.Storage
	read int64
}

func (c *counting) Do(op state.Op) state.Result {
	r := c.Storage.Do(op)
	if op.Kind == state.OpGet {
		c.read += int64(len(r.Data))
	}
	return r
}

// TestReadsLittleMoreThanItOwns: a task of another parallelism reads at most 1.1
// times what it owns, everything counted.
func TestReadsLittleMoreThanItOwns(t *testing.T) {
	const p = 3
	stores, puts := filled(t, catalog.Names()[0], p)
	draw := rand.New(rand.NewPCG(1, 2))
	value := make([]byte, 1000)
	for range 60_000 {
		binary.LittleEndian.PutUint64(value, draw.Uint64())
		k := state.KeyOf(bytes.Clone(value[:8]), groups)
		puts[state.InstanceOf(k.Group, p, groups)][4](state.KeyedEntry{Group: k.Group, Key: k.Bytes, Value: value})
	}
	st := &counting{Storage: statetest.NewMemory()}
	m := write(t, st, "", stores, savepoint.Usual)
	for _, q := range []int{2, 4, 5} {
		for i := range q {
			st.read = 0
			s, _, err := restore(t, st, "", catalog.Names()[0], i, q)
			if err != nil {
				t.Fatal(err)
			}
			read, owned := st.read, owns(t, st, m, state.GroupsOf(i, q, groups))
			t.Logf("%d of %d: %d bytes read, %d owned: %.3f", i, q, read, owned, float64(read)/float64(owned))
			if float64(read) > 1.1*float64(owned) {
				t.Errorf("instance %d of %d reads %d bytes to get %d", i, q, read, owned)
			}
			_ = s.Close()
		}
	}
}

// owns returns the bytes of the sections of some groups.
func owns(t *testing.T, st state.Storage, m *savepoint.Manifest, r state.GroupRange) (n int64) {
	t.Helper()
	s, err := savepoint.Open(st, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Operators[0].Parts {
		p, err := s.Part(&s.Operators[0], i)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range p.States {
			for _, c := range x.Sections {
				if c.Group >= r.Lo && c.Group < r.Hi {
					n += c.Length
				}
			}
		}
	}
	return n
}

// TestWriterWorksInSlices: no call encodes much more than a slice.
func TestWriterWorksInSlices(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 1)
	some(stores, puts, 20_000)
	w := savepoint.NewWriter("", "job", 1, task(0, 1), stores[0], savepoint.Usual)
	st := statetest.NewMemory()
	var results []state.Result
	slices, puttings := 0, 0
	for done := false; !done; {
		var ops []state.Op
		var err error
		if ops, done, err = w.Next(results); err != nil {
			t.Fatal(err)
		}
		results = nil
		for _, op := range ops {
			puttings++
			results = append(results, st.Do(op))
		}
		if len(ops) == 0 {
			slices++
		}
	}
	if slices < 5 || puttings < 2 {
		t.Errorf("%d slices without an operation, %d operations", slices, puttings)
	}
	w = savepoint.NewWriter("", "job", 1, task(0, 1), stores[0], savepoint.Usual) // given up in the middle
	if _, _, err := w.Next(nil); err != nil {
		t.Fatal(err)
	}
	w.Discard()
	w.Discard()
}

// unsure answers every other operation with Failed, having carried out some of them.
type unsure struct {
	state.Storage
	n int
}

func (u *unsure) Do(op state.Op) state.Result {
	if u.n++; u.n%2 == 0 {
		return u.Storage.Do(op)
	}
	if u.n%4 == 1 {
		u.Storage.Do(op)
	}
	return state.Result{Status: state.Failed, Err: errors.New("outcome unknown")}
}

func TestOperationsAreRepeated(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 2)
	some(stores, puts, 300)
	st := statetest.NewMemory()
	m := &savepoint.Manifest{Job: "job", Epoch: 1, Groups: groups, Operators: []savepoint.Operator{{Name: "count"}}}
	for i, s := range stores {
		w := savepoint.NewWriter("", m.Job, m.Epoch, task(i, 2), s, savepoint.Simulated)
		if err := statetest.Drive(w, &unsure{Storage: st}); err != nil {
			t.Fatal(err)
		}
		m.Operators[0].Parts = append(m.Operators[0].Parts, w.Part())
	}
	to := open(t, catalog.Names()[2], 0, 1)
	tr, err := savepoint.NewRestore("", m, "count", savepoint.Target{Store: to, Groups: state.GroupsOf(0, 1, groups), Instances: 1})
	if err == nil {
		err = statetest.Drive(tr, &unsure{Storage: st})
	}
	if err != nil || keyedSum(to) != keyedSums(stores) {
		t.Errorf("%v, sum %#x, want %#x", err, keyedSum(to), keyedSums(stores))
	}
}

// TestEveryFlip flips a bit of every byte of every object, cuts each off and takes
// it away, and lets the storage's checksums say that all is well: each is an error
// that names the object, and one in the data also state and key group.
func TestEveryFlip(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 2)
	some(stores, puts, 12)
	st := statetest.NewMemory()
	write(t, st, "saved", stores, savepoint.Sizes{Section: 60, File: 300})
	refused := func(key, what string) {
		t.Helper()
		_, _, err := restore(t, st, "saved", catalog.Names()[0], 0, 1)
		var d *savepoint.Damage
		if !errors.As(err, &d) || d.File != key || !strings.Contains(err.Error(), key) {
			t.Fatalf("%s of %s: %v", what, key, err)
		}
		if data := strings.Contains(key, "-"); data && (!strings.Contains(err.Error(), `state "`) || !strings.Contains(err.Error(), "key group")) {
			t.Errorf("%s of %s: %v does not name state and key group", what, key, err)
		}
		var op *state.OpError
		if !errors.Is(err, state.ErrCorrupt) && (!errors.As(err, &op) || op.Status != state.NotFound) {
			t.Errorf("%s of %s: %v is neither corrupt nor missing", what, key, err)
		}
	}
	data := 0
	for key, content := range objects(st) {
		if strings.Contains(key, "-") {
			data++
		}
		for at := range len(content) {
			flip := func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b }
			st.Damage(key, true, flip)
			refused(key, fmt.Sprint("flip at ", at))
			st.Damage(key, true, flip)
		}
		st.Damage(key, false, func(b []byte) []byte { b[0] ^= 1; return b })
		refused(key, "damage that storage sees")
		st.Damage(key, false, func([]byte) []byte { return []byte(content[:len(content)-1]) })
		refused(key, "cut")
		st.Damage(key, true, func([]byte) []byte { return []byte(content[:len(content)-1]) })
		refused(key, "cut and summed")
		st.Do(state.Op{Kind: state.OpDelete, Key: key})
		refused(key, "missing")
		st.Do(state.Op{Kind: state.OpPut, Key: key, Data: []byte(content)})
	}
	if _, _, err := restore(t, st, "saved", catalog.Names()[0], 0, 1); err != nil || data < 4 {
		t.Errorf("%v after all was put back, %d data objects", err, data)
	}
}

// resummed replaces the version and mends the checksum.
func resummed(b []byte, version byte) []byte {
	b[8] = version
	body := b[:len(b)-8]
	return binary.LittleEndian.AppendUint64(body, xxhash.Sum64(body))
}

func TestNewerVersionsAreRefused(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 1)
	some(stores, puts, 5)
	for _, key := range []string{"manifest", "t3"} {
		st := statetest.NewMemory()
		write(t, st, "", stores, savepoint.Simulated)
		st.Damage(key, true, func(b []byte) []byte { return resummed(b, 9) })
		_, _, err := restore(t, st, "", catalog.Names()[0], 0, 1)
		if !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), "version 9") || !strings.Contains(err.Error(), "version 1:") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 2)
	some(stores, puts, 5)
	st := statetest.NewMemory()
	m := write(t, st, "", stores, savepoint.Simulated)
	target := savepoint.Target{Store: open(t, catalog.Names()[0], 0, 1), Groups: state.GroupsOf(0, 1, groups), Instances: 1}
	if _, err := savepoint.NewRestore("", m, "sum", target); err == nil || !strings.Contains(err.Error(), `"sum"`) || !strings.Contains(err.Error(), `"count"`) {
		t.Errorf("an operator that is not there: %v", err)
	}
	if _, err := target.Store.Table(state.Descriptor{Name: "name", Kind: state.KindValue, Codec: "string/2"}); err != nil {
		t.Fatal(err)
	}
	tr, err := savepoint.NewRestore("", m, "count", target)
	if err != nil {
		t.Fatal(err)
	}
	if err := statetest.Drive(tr, st); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), `"name"`) {
		t.Errorf("another codec: %v", err)
	}
	for what, bad := range map[string]savepoint.Manifest{
		"no groups":      {Operators: m.Operators},
		"no name":        {Groups: 1, Operators: []savepoint.Operator{{Parts: m.Operators[0].Parts}}},
		"two names":      {Groups: 1, Operators: []savepoint.Operator{{Name: "a", Parts: m.Operators[0].Parts[:1]}, {Name: "a", Parts: m.Operators[0].Parts[1:]}}},
		"no tasks":       {Groups: 1, Operators: []savepoint.Operator{{Name: "a"}}},
		"one task twice": {Groups: 1, Operators: []savepoint.Operator{{Name: "a", Parts: slices.Repeat(m.Operators[0].Parts[:1], 2)}}},
	} {
		if _, err := savepoint.DecodeManifest(bad.Encode()); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("a manifest with %s: %v", what, err)
		}
	}
	swapped := *m
	swapped.Operators = []savepoint.Operator{{Name: "count", Parts: []savepoint.PartRef{m.Operators[0].Parts[1], m.Operators[0].Parts[0]}}}
	target.Store = open(t, catalog.Names()[0], 0, 1)
	tr, err = savepoint.NewRestore("", &swapped, "count", target)
	if err == nil {
		err = statetest.Drive(tr, st)
	}
	if !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "count[1]") {
		t.Errorf("indexes in the wrong order: %v", err)
	}
}

// TestPartReadsWhatIsLeft: of a damaged object the other sections can be read.
func TestPartReadsWhatIsLeft(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 1)
	some(stores, puts, 40)
	st := statetest.NewMemory()
	write(t, st, "", stores, savepoint.Simulated)
	st.Damage("t3-0", true, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	s, err := savepoint.Open(st, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Part(&s.Operators[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	lost, read := 0, 0
	for i := range p.States {
		for k := range p.States[i].Sections {
			c := &p.States[i].Sections[k]
			err := p.Section(&p.States[i], c, func(state.KeyedEntry) bool { read++; return true })
			if err == nil {
				continue
			}
			lost += c.Entries
			var d *savepoint.Damage
			if !errors.As(err, &d) || d.File != "t3-0" || !strings.Contains(d.Holds, fmt.Sprint("key group ", c.Group)) {
				t.Errorf("%v", err)
			}
		}
	}
	all := 0
	for i := range p.States {
		n, _ := p.States[i].Entries()
		all += n
	}
	if lost == 0 || lost > 10 || read+lost != all {
		t.Errorf("%d entries read, %d lost of %d", read, lost, all)
	}
	c := p.Content()
	for _, d := range c.States() {
		c.Entries(d.Name, func(state.KeyedEntry) bool { return true })
	}
	if !errors.Is(c.Err(), state.ErrCorrupt) {
		t.Errorf("the content as a whole: %v", c.Err())
	}
}

// TestSavepointOwnsItsBytes: nothing outside its root is referred to.
func TestSavepointOwnsItsBytes(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[2], 2)
	some(stores, puts, 100)
	st := statetest.NewMemory()
	c, err := stores[0].Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "files/"})
	if err == nil {
		err = statetest.Drive(c, st)
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, st, "saved", stores, savepoint.Simulated)
	for key := range objects(st) {
		if !strings.HasPrefix(key, "saved/") {
			st.Do(state.Op{Kind: state.OpDelete, Key: key})
		}
	}
	s, _, err := restore(t, st, "saved", catalog.Names()[1], 0, 1)
	if err != nil || keyedSum(s) != keyedSums(stores) {
		t.Errorf("%v", err)
	}
}

func TestGroupsInWords(t *testing.T) {
	var g savepoint.Groups
	for _, x := range []uint16{1, 2, 2, 3, 7, 9, 10} {
		g.Add(x)
	}
	if got := g.String(); got != "1-3, 7, 9-10" {
		t.Errorf("%s", got)
	}
}

// FuzzDecode: arbitrary bytes with a right checksum neither panic nor ask for more
// memory than they can describe; what decodes encodes to the same.
func FuzzDecode(f *testing.F) {
	stores, puts := filled(f, catalog.Names()[0], 1)
	some(stores, puts, 5)
	st := statetest.NewMemory()
	write(f, st, "", stores, savepoint.Simulated)
	for _, key := range []string{"manifest", "t3"} {
		data := st.Do(state.Op{Kind: state.OpGet, Key: key}).Data
		f.Add(data[:len(data)-8])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		src := binary.LittleEndian.AppendUint64(bytes.Clone(body), xxhash.Sum64(body))
		if m, err := savepoint.DecodeManifest(src); err == nil {
			again, err := savepoint.DecodeManifest(m.Encode())
			if err != nil || cmp.Diff(m, again) != "" {
				t.Errorf("manifest %+v became %+v, %v", m, again, err)
			}
		}
		if x, err := savepoint.DecodeIndex(src); err == nil {
			again, err := savepoint.DecodeIndex(x.Encode())
			if err != nil || cmp.Diff(x, again) != "" {
				t.Errorf("index %+v became %+v, %v", x, again, err)
			}
		}
	})
}

// TestExpiredIsLeftOut: what has expired is in no savepoint, whatever a backend still
// has of it, and what is left expires when it would have.
func TestExpiredIsLeftOut(t *testing.T) {
	d := state.Descriptor{Name: "soon", Kind: state.KindValue, Codec: "bytes/1", TTL: state.TTL{Clock: state.EventTime, Duration: 100}}
	var want map[string]string
	for _, backend := range catalog.Names() {
		s := open(t, backend, 0, 1)
		table, err := state.OpenValueTable(s, d)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 40 {
			s.Clocks().Advance(state.EventTime, int64(10*k))
			table.Put(state.KeyOf(fmt.Append(nil, "key ", k), groups), []byte("value"))
		}
		st := statetest.NewMemory()
		mine := savepoint.Task{ID: 3, Operator: "count", Instances: 1, Groups: state.GroupsOf(0, 1, groups), Own: s.AppendOperator(nil)}
		w := savepoint.NewWriter("", "job", 1, mine, s, savepoint.Simulated)
		if err := statetest.Drive(w, st); err != nil {
			t.Fatal(err)
		}
		m := &savepoint.Manifest{Job: "job", Epoch: 1, Groups: groups, Operators: []savepoint.Operator{{Name: "count", Parts: []savepoint.PartRef{w.Part()}}}}
		st.Do(m.Create(""))
		got := objects(st)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s writes other bytes: %.1000s", backend, diff)
		}
		to, _, err := restore(t, st, "", catalog.Names()[2], 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		restored, err := state.OpenValueTable(to, d)
		if err != nil {
			t.Fatal(err)
		}
		alive := func() (n int) {
			for k := range 40 {
				if _, ok := restored.Get(state.KeyOf(fmt.Append(nil, "key ", k), groups)); ok {
					n++
				}
			}
			return n
		}
		if n := alive(); n != 10 {
			t.Errorf("%s: %d entries live after the restore, want the last 10", backend, n)
		}
		to.Clocks().Advance(state.EventTime, 440)
		if n := alive(); n != 5 {
			t.Errorf("%s: %d entries live at 440, want 5", backend, n)
		}
	}
}
