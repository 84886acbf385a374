package savepoint_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/state"
	"weir/state/catalog"
	"weir/state/savepoint"
	"weir/state/statetest"
)

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
