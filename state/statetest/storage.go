package statetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"weir/id"
	"weir/state"
)

// OpenStorage returns a fresh, empty storage and a function that stops its use
// and opens it again on the same medium: after an orderly end, or after a crash
// that may lose whatever was not acknowledged. The storage may give Failed as
// often as it likes, as long as repeating ends.
type OpenStorage func(t *testing.T) (st state.Storage, reopen func(crash bool) state.Storage)

// RunStorage checks that a storage does what state.Storage and state.Op say.
func RunStorage(t *testing.T, open OpenStorage) {
	tests := []struct {
		name string
		run  func(t *testing.T, s *storageUnderTest)
	}{
		{"objects", testStorageObjects},
		{"names", testStorageNames},
		{"create", testStorageCreate},
		{"list", testStorageList},
		{"log", testStorageLog},
		{"log gaps", testStorageLogGaps},
		{"log branches", testStorageLogBranches},
		{"log refusals", testStorageLogRefusals},
		{"fence", testStorageFence},
		{"trim", testStorageTrim},
		{"create race", testStorageCreateRace},
		{"concurrent use", testStorageConcurrentUse},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			st, reopen := open(t)
			test.run(t, &storageUnderTest{t: t, st: st, reopen: reopen})
		})
	}
	t.Run("random operations", func(t *testing.T) { testStorageModel(t, open) })
}

// storageUnderTest repeats operations whose outcome is unknown, as drivers do.
type storageUnderTest struct {
	t      *testing.T
	st     state.Storage
	reopen func(crash bool) state.Storage
}

// maxRepeats bounds how often an operation may fail before that is a finding.
const maxRepeats = 1000

func repeat(st state.Storage, op state.Op) state.Result {
	for range maxRepeats {
		if r := st.Do(op); r.Status != state.Failed {
			return r
		} else if r.Err == nil {
			return state.Result{Status: state.Failed, Err: fmt.Errorf("failed without an error")}
		}
	}
	return state.Result{Status: state.Failed, Err: fmt.Errorf("failed %d times", maxRepeats)}
}

// do wants a status, twice: every operation is idempotent.
func (s *storageUnderTest) do(op state.Op, want state.Status) state.Result {
	s.t.Helper()
	var r state.Result
	for _, time := range []string{"", " again"} {
		r = repeat(s.st, op)
		if r.Status != want {
			s.t.Fatalf("%v %q%s: %v (%v), want %v", op.Kind, op.Key, time, r.Status, r.Err, want)
		}
	}
	if (r.Status == state.Refused || r.Status == state.Corrupt) && r.Err == nil {
		s.t.Fatalf("%v %q: %v without an error", op.Kind, op.Key, r.Status)
	}
	return r
}

// everywhere runs a check now, after an orderly reopening and after a crash.
func (s *storageUnderTest) everywhere(check func()) {
	check()
	for _, crash := range []bool{false, true} {
		s.st = s.reopen(crash)
		check()
	}
}

func (s *storageUnderTest) put(key, data string) {
	s.t.Helper()
	s.do(state.Op{Kind: state.OpPut, Key: key, Data: []byte(data)}, state.OK)
}

func (s *storageUnderTest) wantObject(key, data string) {
	s.t.Helper()
	if r := s.do(state.Op{Kind: state.OpGet, Key: key}, state.OK); string(r.Data) != data {
		s.t.Fatalf("get %q: %q, want %q", key, r.Data, data)
	}
}

func (s *storageUnderTest) wantNone(key string) {
	s.t.Helper()
	s.do(state.Op{Kind: state.OpGet, Key: key}, state.NotFound)
}

func testStorageObjects(_ *testing.T, s *storageUnderTest) {
	large := string(bytes.Repeat([]byte("0123456789abcdef"), 40_000)) // spans write buffers
	s.everywhere(func() { s.wantNone("a") })
	s.put("a", "one")
	s.put("b", "")
	s.put("c", large)
	s.everywhere(func() {
		s.wantObject("a", "one")
		s.wantObject("b", "")
		s.wantObject("c", large)
	})
	s.put("a", "two") // a writer of its own name may replace
	s.do(state.Op{Kind: state.OpDelete, Key: "b"}, state.OK)
	s.do(state.Op{Kind: state.OpDelete, Key: "never/was"}, state.OK)
	s.everywhere(func() {
		s.wantObject("a", "two")
		s.wantNone("b")
	})
	s.put("never/was", "is now") // asking for a name takes nothing from it
	s.everywhere(func() { s.wantObject("never/was", "is now") })
}

func testStorageNames(_ *testing.T, s *storageUnderTest) {
	names := []string{
		"x", "x/y", "x/y/z", "x.obj", "x.obj/y", "x.log", "x/y.tmp", ".hidden", "..", "../up", "./here", "a b/c%2Fd",
		"%", "Zoë/π", "new\nline", "nul\x00byte", "back\\slash", "chk/2.7/t3", "a=b,c;d", "-", "2.", ".5", "v1.x",
	}
	for _, k := range names {
		s.put(k, "content of "+k)
	}
	s.everywhere(func() {
		for _, k := range names {
			s.wantObject(k, "content of "+k)
		}
		s.wantList("", names...)
	})
	for _, k := range []string{"", "/", "/a", "a/", "a//b"} {
		for _, kind := range []state.OpKind{state.OpPut, state.OpCreate, state.OpGet, state.OpDelete, state.OpAppend, state.OpReadLog, state.OpTrim} {
			s.do(state.Op{Kind: kind, Key: k}, state.Refused)
		}
	}
	s.do(state.Op{Kind: 99, Key: "a"}, state.Refused)
}

func (s *storageUnderTest) wantList(prefix string, want ...string) {
	s.t.Helper()
	var got []string
	for _, e := range s.do(state.Op{Kind: state.OpList, Key: prefix}, state.OK).List {
		got = append(got, e.Key)
	}
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		s.t.Fatalf("list %q: %q, want %q", prefix, got, want)
	}
}

func testStorageList(_ *testing.T, s *storageUnderTest) {
	s.everywhere(func() { s.wantList(""); s.wantList("none/") })
	for _, k := range []string{"chk/1/t0", "chk/1/t1", "chk/10/t0", "chk/2/t0", "chk", "plan/1", "chk-x"} {
		s.put(k, k)
	}
	s.append("chk/log", 1, 0, 1) // logs are not objects
	s.everywhere(func() {
		s.wantList("chk/1/", "chk/1/t0", "chk/1/t1")
		s.wantList("chk/1", "chk/1/t0", "chk/1/t1", "chk/10/t0")
		s.wantList("chk/", "chk/1/t0", "chk/1/t1", "chk/10/t0", "chk/2/t0")
		s.wantList("chk/1/t1", "chk/1/t1")
		s.wantList("plan/1", "plan/1")
		s.wantList("chk", "chk", "chk-x", "chk/1/t0", "chk/1/t1", "chk/10/t0", "chk/2/t0")
		s.wantList("zzz")
	})
	for _, e := range s.do(state.Op{Kind: state.OpList}, state.OK).List {
		if e.Size != int64(len(e.Key)) {
			s.t.Errorf("%s: size %d, want %d", e.Key, e.Size, len(e.Key))
		}
	}
}

func (s *storageUnderTest) create(key, data string, want state.Status) state.Result {
	s.t.Helper()
	return s.do(state.Op{Kind: state.OpCreate, Key: key, Data: []byte(data)}, want)
}

func testStorageCreate(_ *testing.T, s *storageUnderTest) {
	s.create("plan/1", "mine", state.OK)
	s.everywhere(func() {
		s.create("plan/1", "mine", state.OK)
		if r := s.create("plan/1", "yours", state.Lost); string(r.Data) != "mine" {
			s.t.Fatalf("a lost create brings %q, want the winner's %q", r.Data, "mine")
		}
		s.wantObject("plan/1", "mine")
	})
	s.create("plan/2", "", state.OK)
	s.create("plan/2", "x", state.Lost)
	s.do(state.Op{Kind: state.OpDelete, Key: "plan/1"}, state.OK)
	s.create("plan/1", "yours", state.OK)
	s.everywhere(func() { s.wantObject("plan/1", "yours") })
}

// grid gives the end of the k-th entry of every log here: entries of 1, 2, 3, 1,
// 2, 3, ... items, so that appends of all attempts have the same boundaries.
func grid(k int) id.Seq { return id.Seq(k/3*6 + []int{0, 1, 3}[k%3]) }

// run returns entries i+1 to j of the grid as an attempt writes them.
func run(a id.Attempt, i, j int) []byte {
	var data []byte
	for k := i; k < j; k++ {
		from, to := grid(k), grid(k+1)
		data = state.AppendEntry(data, from+1, uint32(to-from), fmt.Appendf(nil, "a%d:%d", a, k))
	}
	return data
}

func appendOp(key string, a id.Attempt, i, j int) state.Op {
	return state.Op{Kind: state.OpAppend, Key: key, Attempt: a, From: grid(i), To: grid(j), Data: run(a, i, j)}
}

func (s *storageUnderTest) append(key string, a id.Attempt, i, j int) {
	s.t.Helper()
	s.do(appendOp(key, a, i, j), state.OK)
}

func (s *storageUnderTest) wantLog(key string, from, to id.Seq, want ...[]byte) {
	s.t.Helper()
	r := s.do(state.Op{Kind: state.OpReadLog, Key: key, From: from, To: to}, state.OK)
	if w := bytes.Join(want, nil); !bytes.Equal(r.Data, w) {
		s.t.Fatalf("log %q (%d,%d]: %q, want %q", key, from, to, r.Data, w)
	}
}

func (s *storageUnderTest) wantGap(key string, from, to id.Seq) {
	s.t.Helper()
	s.do(state.Op{Kind: state.OpReadLog, Key: key, From: from, To: to}, state.NotFound)
}
