package heap_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"weir/state"
	"weir/state/heap"
	"weir/state/statetest"
)

func TestConformance(t *testing.T) {
	for _, b := range []heap.Backend{{}, {Simulated: true}} {
		t.Run(fmt.Sprint("simulated ", b.Simulated), func(t *testing.T) {
			statetest.RunBackend(t, func(t *testing.T, o state.Open) state.Store {
				s, err := b.Open(o)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

// finish carries out a capture.
func finish(t *testing.T, c state.Capture, st state.Storage) state.Handle {
	t.Helper()
	if err := statetest.Drive(c, st); err != nil {
		t.Fatal(err)
	}
	c.Discard()
	return c.Handle()
}

func restored(t *testing.T, st state.Storage, groups state.GroupRange, size int, h ...state.Handle) (state.Store, state.FixedTable) {
	t.Helper()
	s := open(t, groups)
	table := counts(t, s, size)
	tr, err := s.Restore(h)
	if err == nil {
		err = statetest.Drive(tr, st)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, table
}

// TestShrink gives pages back that a capture still has to read: all keys are in
// one group, and are deleted from the last, so that none has to move.
func TestShrink(t *testing.T) {
	one := state.GroupRange{Lo: 0, Hi: 1}
	s := open(t, one)
	table := counts(t, s, 100)
	var buf [8]byte
	for k := range uint64(5000) {
		v, _ := table.Update(state.KeyOfUint64(&buf, k, 1))
		binary.LittleEndian.PutUint64(v, k)
	}
	want := s.Sum()
	c := snapshot(t, s, 0)
	for k := uint64(4999); k > 10; k-- {
		table.Delete(state.KeyOfUint64(&buf, k, 1))
	}
	for k := range uint64(5000) {
		table.Update(state.KeyOfUint64(&buf, k+1_000_000, 1))
	}
	mem := statetest.NewMemory()
	if to, _ := restored(t, mem, one, 100, finish(t, c, mem)); to.Sum() != want {
		t.Error("deleting and adding keys changed a capture")
	}
}

// history does the same things to a store each time.
func history(t *testing.T, keys int) (state.Handle, *statetest.Memory) {
	s, table := filled(t, keys, 100)
	m, err := state.OpenMapTable(s, state.Descriptor{Name: "a map"})
	if err != nil {
		t.Fatal(err)
	}
	var buf [8]byte
	for k := range uint64(keys) {
		if k%5 == 0 {
			table.Delete(state.KeyOfUint64(&buf, k, state.DefaultGroups))
			m.MapPut(state.KeyOfUint64(&buf, k, state.DefaultGroups), []byte{byte(k)}, buf[:])
		}
		table.Put(state.KeyOf(fmt.Append(nil, "text ", k%50), state.DefaultGroups), make([]byte, 100))
	}
	mem := statetest.NewMemory()
	return finish(t, snapshot(t, s, 7), mem), mem
}

func TestSameHistorySameBytes(t *testing.T) {
	for _, keys := range []int{30, 3000, 60_000} {
		h1, mem1 := history(t, keys)
		h2, mem2 := history(t, keys)
		if !reflect.DeepEqual(h1, h2) {
			t.Fatalf("%d keys: handles differ", keys)
		}
		if keys == 60_000 && len(h1.Files) < 2 {
			t.Fatalf("the case is blind: %d files", len(h1.Files))
		}
		for _, f := range h1.Files {
			get := state.Op{Kind: state.OpGet, Key: f.Name}
			if !bytes.Equal(mem1.Do(get).Data, mem2.Do(get).Data) {
				t.Errorf("%d keys: file %q differs", keys, f.Name)
			}
			if f.Size > 8<<20 || f.Shared {
				t.Errorf("file %+v: want at most 8 MiB, not shared", f)
			}
		}
	}
}

func TestSmallStateIsInline(t *testing.T) {
	s, _ := filled(t, 9000, 100) // 972,000 bytes
	if h := finish(t, snapshot(t, s, 0), devNull{}); len(h.Files) != 0 || h.Bytes != 9000*108 {
		t.Errorf("%d files, %d bytes; want inline, %d", len(h.Files), h.Bytes, 9000*108)
	}
	s, _ = filled(t, 10_000, 100) // 1,080,000 bytes
	if h := finish(t, snapshot(t, s, 0), devNull{}); len(h.Files) != 1 || len(h.Inline) > 8<<10 {
		t.Errorf("%d files and %d bytes inline, want one file and the index", len(h.Files), len(h.Inline))
	}
}

func TestUpdateAllocatesNothing(t *testing.T) {
	for _, keys := range []int{100, 10_000} {
		_, table := filled(t, keys, 100)
		var buf [8]byte
		r := random{x: 1, n: uint64(keys)}
		if n := testing.AllocsPerRun(1000, func() { bump(table, &buf, r.next()) }); n != 0 {
			t.Errorf("%d keys: %v allocations per update", keys, n)
		}
	}
}

// TestPagesComeBack takes snapshot after snapshot with every page written to in
// between: after the second one there is nothing more to allocate.
func TestPagesComeBack(t *testing.T) {
	const keys, size = 50_000, 100
	s, table := filled(t, keys, size)
	var buf [8]byte
	round := func(n int) {
		c := snapshot(t, s, n)
		for k := range uint64(keys) {
			bump(table, &buf, k)
		}
		c.Discard()
	}
	round(0)
	round(1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range 10 {
		round(n + 2)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > keys*size {
		t.Errorf("ten snapshots allocated %d bytes, the state has %d: pages do not come back", grown, keys*size)
	}
}

func TestMisusePanicsWithTheName(t *testing.T) {
	s := open(t, state.GroupRange{Lo: 10, Hi: 20})
	fixed := counts(t, s, 8)
	k := state.Key{Group: 10, Bytes: []byte("k")}
	for name, misuse := range map[string]func(){
		"counts": func() { fixed.Put(k, []byte("too short")) },
		"group":  func() { fixed.Update(state.Key{Group: 20, Bytes: []byte("k")}) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), name) {
					t.Errorf("%s: %v", name, r)
				}
			}()
			misuse()
		}()
	}
}

func TestRestoreOnce(t *testing.T) {
	s, _ := filled(t, 5, 16)
	h := finish(t, snapshot(t, s, 0), devNull{})
	if _, err := s.Restore([]state.Handle{h}); err == nil || !strings.Contains(err.Error(), "counts") {
		t.Errorf("restore into a store in use: %v", err)
	}
	to, _ := restored(t, devNull{}, all, 16, h)
	if _, err := to.Restore([]state.Handle{h}); err == nil {
		t.Error("restored twice")
	}
	if _, err := open(t, all).Restore(nil); err != nil {
		t.Errorf("restore of nothing: %v", err)
	}
}

func TestWarmChangesNothing(t *testing.T) {
	s, table := filled(t, 30_000, 16)
	before := s.Sum()
	w, ok := state.Warmable(table)
	if !ok {
		t.Fatal("a table of 30,000 keys cannot be warmed")
	}
	keys := make([]state.Key, 256)
	for i := range keys {
		h := state.HashUint64(uint64(i) * 997)
		keys[i] = state.Key{Hash: h, Group: state.GroupOf(h, state.DefaultGroups)}
	}
	w.Warm(keys)
	if s.Sum() != before || table.Len() != 30_000 {
		t.Error("Warm changed the state")
	}
	if _, small := filled(t, 10, 16); small != nil {
		small.(state.Warmer).Warm(keys)
		if _, ok := state.Warmable(small); ok {
			t.Error("ten keys are said to be worth warming")
		}
	}
}
