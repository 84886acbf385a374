package dataflow

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// shelf is a source of several splits: letters, each with the watermark that
// stands behind it, "." for none.
type shelf struct {
	forward
	splits []string
	wms    map[string]int64
	next   []int
}

func newShelf(splits ...string) *shelf {
	return &shelf{splits: splits, next: make([]int, len(splits)), wms: map[string]int64{}}
}

func (s *shelf) Seek(split int, o id.Offset) error { s.next[split] = int(o); return nil }

func (s *shelf) Emit(split, most int) (b Batch, err error) {
	b.Watermark = NoWatermark
	for all := s.splits[split]; most > 0 && s.next[split] < len(all); most-- {
		rec := all[s.next[split] : s.next[split]+1]
		s.ctx.Out(0).Emit([]byte(rec))
		if wm, ok := s.wms[rec]; ok {
			b.Watermark = wm
		}
		s.next[split]++
		b.Records++
	}
	b.Done = s.next[split] == len(s.splits[split])
	return b, nil
}

// reader is a rig of a source with these splits, all of them its own.
func reader(t *testing.T, s *shelf, half func(p *script) Protocol) *rig {
	t.Helper()
	r := newRig(t, "source", s, half, func(c *Config) { c.Credits, c.QueueBuffers = 99, 99 })
	r.info.Splits = len(s.splits)
	return r
}

// read begins an incarnation that reads some splits.
func (r *rig) read(a id.Attempt, p TaskPlan, splits ...int) {
	r.t.Helper()
	p.Splits = splits
	r.step(Event{Kind: EvStart, Attempt: a, Plan: &p})
	r.settle()
}

// again is a new incarnation of the same source.
func (r *rig) again(s *shelf) {
	r.job.Graph.Vertices[0].New = func() Operator {
		x := newShelf(s.splits...)
		x.wms = s.wms
		return x
	}
	r.renew()
}

// TestSplitsTakeTurns: one after the other, as long as each has records left, and
// the source ends with the last of them.
func TestSplitsTakeTurns(t *testing.T) {
	r := reader(t, newShelf("ab", "", "cdef"), nil)
	r.read(1, TaskPlan{}, 0, 1, 2)
	r.connect(0)
	r.turns()
	r.want("sent", r.wire(0), "1 a | 2 c | 3 b | 4 d | 5 e | 6 f | 7 end")
	if r.task.Offset() != 6 {
		t.Errorf("offset %d after six records", r.task.Offset())
	}
}

// TestIdleSource: an instance without splits ends at once, even where it may emit nothing.
func TestIdleSource(t *testing.T) {
	r := reader(t, newShelf("a"), nil)
	r.read(1, TaskPlan{})
	r.p.k.Limit(0)
	r.connect(0)
	if n := r.turns(); n != 1 {
		t.Errorf("%d turns", n)
	}
	r.want("sent", r.wire(0), "1 end")
}

// TestLimitCountsAllSplits.
func TestLimitCountsAllSplits(t *testing.T) {
	r := reader(t, newShelf("abc", "def"), nil)
	r.read(1, TaskPlan{}, 0, 1)
	r.connect(0)
	r.p.k.Limit(3)
	r.turns()
	r.want("sent", r.wire(0), "1 a | 2 d | 3 b")
	if !r.p.k.Limit(3) {
		t.Error("three records of two splits count as before 3")
	}
}

// TestDriverNamesASplit: one that is paced.
func TestDriverNamesASplit(t *testing.T) {
	r := reader(t, newShelf("abc", "def"), nil)
	r.read(1, TaskPlan{}, 0, 1)
	r.connect(0)
	r.step(Event{Kind: EvTurn, Port: 2})
	r.step(Event{Kind: EvTurn, Port: 2})
	r.step(Event{Kind: EvTurn})
	r.want("sent", r.wire(0), "1 d | 2 e | 3 a")
	r.step(Event{Kind: EvTurn, Port: 3})
	r.fails("split number 2 is named as the one to read")
}

// TestWatermarkOfASource is the lowest of its splits with records left: one that
// has said nothing holds it back, one that has ended does not.
func TestWatermarkOfASource(t *testing.T) {
	s := newShelf("abc", "xy", "e")
	s.wms = map[string]int64{"a": 10, "b": 20, "c": 30, "x": 12, "y": 15}
	r := reader(t, s, nil)
	r.read(1, TaskPlan{}, 0, 1, 2)
	r.connect(0)
	for _, step := range []struct {
		split int
		want  int64
	}{
		{0, NoWatermark}, {1, NoWatermark}, // split 2 is silent
		{2, 10}, // it has ended
		{0, 12}, {1, 20}, {0, EndOfTime},
	} {
		r.step(Event{Kind: EvTurn, Port: step.split + 1})
		if r.task.watermark != step.want {
			t.Errorf("split %d: watermark %d, want %d", step.split, r.task.watermark, step.want)
		}
	}
	r.want("sent", r.wire(0), "1 a | 2 x | 3 e wm 10 | 5 b wm 12 | 7 y wm 20 | 9 c | 10 end")
}

// TestRestoredSplits go on at their offsets, with their watermarks: a split that
// had said nothing still holds the source back.
func TestRestoredSplits(t *testing.T) {
	s := newShelf("abc", "xyz", "e")
	s.wms = map[string]int64{"a": 10, "b": 20, "x": 12, "y": 15}
	r := reader(t, s, nil)
	r.read(1, TaskPlan{}, 0, 1, 2)
	r.connect(0)
	for _, split := range []int{0, 0, 1, 2} {
		r.step(Event{Kind: EvTurn, Port: split + 1})
	}
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	snap, err := DecodeSnapshot(r.disk.Do(state.Op{Kind: state.OpGet, Key: "snap/t0/1.1"}).Data)
	if err != nil {
		t.Fatal(err)
	}
	want := []SplitHeader{{0, 2, 20, false}, {1, 1, 12, false}, {2, 1, NoWatermark, true}}
	if !reflect.DeepEqual(snap.Splits, want) {
		t.Fatalf("the snapshot has %+v, want %+v", snap.Splits, want)
	}

	r.again(s)
	r.read(2, TaskPlan{Ref: "snap/t0/1.1"}, 0, 1, 2)
	r.connect(0)
	if r.task.Offset() != 4 || r.task.watermark != 12 {
		t.Errorf("offset %d, watermark %d; want 4 and 12", r.task.Offset(), r.task.watermark)
	}
	r.want("taken", r.splitsTold(trace.SplitTaken), "s0=2 s1=1 s2=1")
	r.turns()
	r.want("sent", r.wire(0), "6 c | 7 y wm 15 | 9 z | 10 end")

	// A plan with other splits than the snapshot.
	r.again(s)
	r.read(3, TaskPlan{Ref: "snap/t0/1.1"}, 0, 2)
	r.fails("the plan gives it splits [0 2], the snapshot has the offsets of [0 1 2]")
	if !errors.Is(r.failure, state.ErrIncompatible) {
		t.Error("restoring again is of no use, and the error does not say so")
	}
}

// splitsTold renders the splits of events of a kind.
func (r *rig) splitsTold(k trace.Kind) string {
	var all []string
	for i := range r.events {
		if e := &r.events[i]; e.Kind == k {
			all = append(all, fmt.Sprintf("%s=%d", e.Split, e.To))
		}
	}
	return strings.Join(all, " ")
}

// TestSplitsResume where the source log has handed them out, without a snapshot.
func TestSplitsResume(t *testing.T) {
	s := newShelf("abc", "xyz")
	r := reader(t, s, nil)
	r.step(Event{Kind: EvStart, Attempt: 1, Plan: &TaskPlan{Resume: true, Splits: []int{1, 0}}, Offsets: []id.Offset{2, 1}})
	r.settle()
	r.connect(0)
	r.turns()
	r.want("sent", r.wire(0), "1 z | 2 b | 3 c | 4 end")
	r.again(s)
	r.read(2, TaskPlan{}, 0, 5)
	r.fails("split 5 is for a source that has it; this one has 2")
}

// TestSplitChoicesAreMadeAgain: what a driver drew is read again in that order, and
// where one split is left nothing is recorded.
func TestSplitChoicesAreMadeAgain(t *testing.T) {
	var replay, log []choice
	s := newShelf("abc", "x", "pq")
	r := reader(t, s, func(p *script) Protocol { return deciding{p, &replay, &log} })
	r.in(&world{rig: r})
	r.read(1, TaskPlan{}, 0, 1, 2)
	r.connect(0)
	r.turns()
	first, picks := r.wire(0), 0
	for _, c := range log {
		if c.c == PickSplit {
			picks++
		}
	}
	if batches := len(log) - picks; batches != 6 || picks >= batches {
		t.Errorf("%d batches, %d choices of a split", batches, picks)
	}
	replay, log = log, nil
	r.again(s)
	r.in(&world{rig: r, n: 7})
	r.read(2, TaskPlan{}, 0, 1, 2)
	r.connect(0)
	for r.task.Runnable() {
		r.step(Event{Kind: EvTurn, Port: 1}) // whatever the driver says now
	}
	r.want("sent again", r.wire(0), first)
}
