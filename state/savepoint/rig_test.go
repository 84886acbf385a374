package savepoint_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"testing"

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
