package statetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/id"
	"weir/state"
)

// naiveStorage is what a storage means, said position by position.
type naiveStorage struct {
	objects map[string]string
	logs    map[string]*naiveLog
	fences  map[string]id.Attempt
}

type naiveLog struct {
	attempt id.Attempt
	trimmed id.Seq
	at      map[id.Seq]naiveEntry // by every position it covers
}

type naiveEntry struct {
	attempt id.Attempt
	k       int // on the grid
}

func newNaiveStorage() *naiveStorage {
	return &naiveStorage{objects: map[string]string{}, logs: map[string]*naiveLog{}, fences: map[string]id.Attempt{}}
}

// step is one operation of the random test; i and j are entries on the grid.
type step struct {
	op   state.Op
	i, j int
}

func (n *naiveStorage) do(s step) (state.Status, []byte) {
	op := s.op
	data, found := n.objects[op.Key]
	switch op.Kind {
	case state.OpPut:
		n.objects[op.Key] = string(op.Data)
	case state.OpCreate:
		if found && data != string(op.Data) {
			return state.Lost, []byte(data)
		}
		n.objects[op.Key] = string(op.Data)
	case state.OpGet:
		if !found {
			return state.NotFound, nil
		}
		return state.OK, []byte(data)
	case state.OpDelete:
		delete(n.objects, op.Key)
	case state.OpFence:
		n.fences[op.Key] = max(n.fences[op.Key], op.Attempt)
	case state.OpAppend:
		return n.append(s), nil
	case state.OpReadLog:
		return n.read(op)
	case state.OpTrim:
		if l := n.logs[op.Key]; l != nil {
			l.trim(op.To)
		}
	case state.OpList: // compared by objects at the end
	}
	return state.OK, nil
}

func (n *naiveStorage) append(s step) state.Status {
	l := n.logs[s.op.Key]
	for prefix, a := range n.fences {
		if s.op.Attempt < a && strings.HasPrefix(s.op.Key, prefix) {
			return state.Lost
		}
	}
	if l == nil {
		l = &naiveLog{at: map[id.Seq]naiveEntry{}}
		n.logs[s.op.Key] = l
	}
	if s.op.Attempt < l.attempt {
		return state.Lost
	}
	l.attempt = s.op.Attempt
	maps.DeleteFunc(l.at, func(pos id.Seq, e naiveEntry) bool { return pos > s.op.From && e.attempt < s.op.Attempt })
	for k := s.i; k < s.j; k++ {
		if _, there := l.at[grid(k+1)]; there || grid(k+1) <= l.trimmed {
			continue
		}
		for pos := grid(k) + 1; pos <= grid(k+1); pos++ {
			l.at[pos] = naiveEntry{s.op.Attempt, k}
		}
	}
	return state.OK
}

func (n *naiveStorage) read(op state.Op) (state.Status, []byte) {
	var data []byte
	last := -1
	for pos := op.From + 1; pos <= op.To; pos++ {
		if n.logs[op.Key] == nil {
			return state.NotFound, nil
		}
		e, there := n.logs[op.Key].at[pos]
		if !there {
			return state.NotFound, nil
		}
		if e.k != last {
			data = append(data, run(e.attempt, e.k, e.k+1)...)
		}
		last = e.k
	}
	return state.OK, data
}

func (l *naiveLog) trim(to id.Seq) {
	l.trimmed = max(l.trimmed, to)
	maps.DeleteFunc(l.at, func(_ id.Seq, e naiveEntry) bool { return grid(e.k+1) <= to })
}

func drawStep(t *rapid.T) step {
	const entries = 14
	key := rapid.SampledFrom([]string{"a", "a/b", "a/c", "b/c", "b/d.1"}).Draw(t, "key")
	attempt := id.Attempt(rapid.IntRange(1, 5).Draw(t, "attempt"))
	i := rapid.IntRange(0, entries).Draw(t, "i")
	j := rapid.IntRange(i, entries).Draw(t, "j")
	data := []byte(rapid.SampledFrom([]string{"", "x", "y", "long " + strings.Repeat("z", 1500)}).Draw(t, "data"))
	kind := rapid.SampledFrom([]state.OpKind{
		state.OpPut, state.OpCreate, state.OpGet, state.OpList, state.OpDelete,
		state.OpAppend, state.OpAppend, state.OpAppend, state.OpReadLog, state.OpReadLog, state.OpTrim, state.OpFence,
	}).Draw(t, "kind")
	s := step{op: state.Op{Kind: kind, Key: key}, i: i, j: j}
	switch kind {
	case state.OpPut, state.OpCreate:
		s.op.Data = data
	case state.OpAppend:
		s.op = appendOp(key, attempt, i, j)
	case state.OpReadLog:
		s.op.From = id.Seq(rapid.IntRange(0, int(grid(entries))).Draw(t, "from"))
		s.op.To = s.op.From + id.Seq(rapid.IntRange(0, 6).Draw(t, "span"))
	case state.OpTrim:
		s.op.To = grid(i / 2)
	case state.OpFence:
		s.op.Key = rapid.SampledFrom([]string{"a", "a/", "b/c", "z"}).Draw(t, "prefix")
		s.op.Attempt = attempt / 2
	default: // the key is all they need
	}
	return s
}

// testStorageModel does random operations, some of them again, with random
// crashes, on the storage and on its naive twin.
func testStorageModel(t *testing.T, open OpenStorage) {
	rapid.Check(t, func(r *rapid.T) {
		st, reopen := open(t)
		twin := newNaiveStorage()
		var story strings.Builder
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			s := drawStep(r)
			fmt.Fprintf(&story, "%v %q a%d (%d,%d] %.10q\n", s.op.Kind, s.op.Key, s.op.Attempt, s.op.From, s.op.To, s.op.Data)
			got := st.Do(s.op)
			again := rapid.IntRange(0, 9).Draw(r, "then")
			if again <= 1 { // also between an unknown outcome and its repetition
				st = reopen(again == 0)
				fmt.Fprintf(&story, "reopened, crash=%v\n", again == 0)
			}
			if got.Status == state.Failed {
				got = repeat(st, s.op)
			} else if again == 2 {
				got = repeat(st, s.op)
			}
			status, data := twin.do(s)
			if got.Status != status || !bytes.Equal(got.Data, data) {
				r.Fatalf("%v %q: %v %q (%v), want %v %q, after\n%s", s.op.Kind, s.op.Key, got.Status, got.Data, got.Err, status, data, story.String())
			}
			if s.op.Kind == state.OpList {
				compareList(r, twin, s.op.Key, got.List)
			}
		}
		st = reopen(true)
		compareList(r, twin, "", repeat(st, state.Op{Kind: state.OpList}).List)
		for _, key := range slices.Sorted(maps.Keys(twin.objects)) {
			if got := repeat(st, state.Op{Kind: state.OpGet, Key: key}); string(got.Data) != twin.objects[key] {
				r.Fatalf("%q at the end: %v %q, want %q, after\n%s", key, got.Status, got.Data, twin.objects[key], story.String())
			}
		}
	})
}

func compareList(r *rapid.T, twin *naiveStorage, prefix string, got []state.Entry) {
	var want []state.Entry
	for _, key := range slices.Sorted(maps.Keys(twin.objects)) {
		if strings.HasPrefix(key, prefix) {
			want = append(want, state.Entry{Key: key, Size: int64(len(twin.objects[key]))})
		}
	}
	if !slices.Equal(got, want) {
		r.Fatalf("list %q: %v, want %v", prefix, got, want)
	}
}
