package storage_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/state"
	"weir/state/storage"
)

func TestMemoryLimit(t *testing.T) {
	m := storage.NewMemory(100)
	r := m.Do(state.Op{Kind: state.OpPut, Key: "chk/1/t0", Data: make([]byte, 101)})
	if r.Status != state.Refused {
		t.Fatalf("101 bytes: %v, want refused", r.Status)
	}
	for _, want := range []string{"chk/1/t0", "101", "100", "directory"} {
		if !strings.Contains(r.Err.Error(), want) {
			t.Errorf("error %q does not mention %q", r.Err, want)
		}
	}
	if r := m.Do(state.Op{Kind: state.OpPut, Key: "chk/1/t0", Data: make([]byte, 100)}); r.Status != state.OK {
		t.Fatalf("100 bytes: %v %v", r.Status, r.Err)
	}
	if n, size := m.Len(); n != 1 || size != 100 {
		t.Errorf("%d objects of %d bytes, want 1 of 100", n, size)
	}
	m.Reset(0)
	if r := m.Do(state.Op{Kind: state.OpPut, Key: "a", Data: make([]byte, storage.DefaultMemoryLimit+1)}); r.Status != state.Refused {
		t.Errorf("above the default limit: %v", r.Status)
	}
	if n, size := m.Len(); n != 0 || size != 0 {
		t.Errorf("%d objects of %d bytes after Reset", n, size)
	}
}

func TestMemoryFaults(t *testing.T) {
	m := storage.NewMemory(0)
	data := []byte("state of task three")
	m.Do(state.Op{Kind: state.OpPut, Key: "a", Data: data})
	m.Do(state.Op{Kind: state.OpPut, Key: "b", Data: data})
	if m.Corrupt("absent", 1) || m.Truncate("a", len(data)) || m.Truncate("a", -1) {
		t.Error("a fault that changes nothing was reported as done")
	}
	if !m.Corrupt("a", 1001) || !m.Truncate("b", 3) {
		t.Fatal("fault not done")
	}
	for _, key := range []string{"a", "b"} {
		r := m.Do(state.Op{Kind: state.OpGet, Key: key})
		if r.Status != state.Corrupt || !errors.Is(r.Err, state.ErrCorrupt) || !strings.Contains(r.Err.Error(), `"`+key+`"`) {
			t.Errorf("%s: %v %v, want corrupt with the name", key, r.Status, r.Err)
		}
	}
	if string(data) != "state of task three" {
		t.Error("the fault changed the caller's bytes")
	}
}

func TestMemoryLogDamage(t *testing.T) {
	m := storage.NewMemory(0)
	run := state.AppendEntry(state.AppendEntry(nil, 1, 2, []byte("x")), 3, 1, []byte("y"))
	m.Do(state.Op{Kind: state.OpAppend, Key: "log/c1", Attempt: 1, To: 3, Data: run})
	if m.Corrupt("log/c2", 3) || !m.Corrupt("log/c1", 1001) {
		t.Fatal("the newest entry of log/c1 alone can be damaged")
	}
	if r := m.Do(state.Op{Kind: state.OpReadLog, Key: "log/c1", To: 2}); r.Status != state.OK {
		t.Errorf("the entry before: %v %v", r.Status, r.Err)
	}
	r := m.Do(state.Op{Kind: state.OpReadLog, Key: "log/c1", To: 3})
	if r.Status != state.Corrupt || !errors.Is(r.Err, state.ErrCorrupt) || !strings.Contains(r.Err.Error(), `"log/c1": the entry of positions 3 to 3`) {
		t.Errorf("%v %v, want corrupt with log and positions", r.Status, r.Err)
	}
}

func TestMemoryInspection(t *testing.T) {
	m := storage.NewMemory(0)
	for _, k := range []string{"b", "a", "c"} {
		m.Do(state.Op{Kind: state.OpPut, Key: k, Data: []byte(k)})
	}
	run := state.AppendEntry(state.AppendEntry(nil, 1, 2, []byte("x")), 3, 1, []byte("y"))
	m.Do(state.Op{Kind: state.OpAppend, Key: "log/c1", Attempt: 4, To: 3, Data: run})
	var keys []string
	for k, v := range m.Objects() {
		keys = append(keys, k+"="+string(v))
	}
	if want := []string{"a=a", "b=b", "c=c"}; !slices.Equal(keys, want) {
		t.Errorf("objects %v, want %v", keys, want)
	}
	var frames []byte
	for l := range m.Logs() {
		if l.Key != "log/c1" || l.Attempt != 4 {
			t.Errorf("log %+v", l)
		}
		for e := range l.Entries() {
			frames = append(frames, e.Frame...)
		}
	}
	if string(frames) != string(run) {
		t.Errorf("entries %q, want %q", frames, run)
	}
}

func BenchmarkMemoryRun(b *testing.B) {
	m := storage.NewMemory(0)
	run := state.AppendEntry(nil, 1, 1, make([]byte, 64))
	keys := []string{"chk/1/a", "chk/1/b", "chk/2/a", "chk/2/b", "meta/1", "meta/2"}
	data := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		m.Reset(0)
		for _, k := range keys {
			m.Do(state.Op{Kind: state.OpPut, Key: k, Data: data})
			m.Do(state.Op{Kind: state.OpGet, Key: k})
		}
		m.Do(state.Op{Kind: state.OpAppend, Key: "log/1", Attempt: 1, To: 1, Data: run})
	}
}
