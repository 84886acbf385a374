package state_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"weir/state"
	"weir/state/heap"
)

func openStore(t *testing.T) state.Store {
	t.Helper()
	s, err := heap.Backend{}.Open(state.Open{Groups: state.GroupRange{Hi: state.DefaultGroups}, Keyed: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keyNamed(name string) state.Key { return state.KeyOf([]byte(name), state.DefaultGroups) }

// parts is an accumulator of text: how many, and which.
var parts = state.Aggregator[string, string, int]{
	Create: func() string { return ":" },
	Add:    func(acc, v string) string { return acc + v },
	Merge:  func(a, b string) string { return a + "+" + b },
	Result: func(acc string) int { return len(acc) },
}

// TestAccumulated: values are merged, taken in and made into results, key by key, with
// codecs of fixed size and others.
func TestAccumulated(t *testing.T) {
	s := openStore(t)
	sum, err1 := state.OpenReducing(s, "sum", state.Int64, func(a, b int64) int64 { return a + b })
	joined, err2 := state.OpenReducing(s, "joined", state.String, func(a, b string) string { return a + b })
	text, err3 := state.OpenAggregating(s, "text", state.String, parts)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	a, b := keyNamed("a"), keyNamed("key b")
	for i := range int64(4) {
		sum.Add(a, i)
		sum.Add(b, 10*i)
		joined.Add(a, fmt.Sprint(i))
		text.Add(a, fmt.Sprint(i))
	}
	text.Merge(a, "xyz")
	text.Merge(b, "xyz")
	stored, _ := text.Table().Get(a)
	x, _ := sum.Get(a)
	y, _ := sum.Get(b)
	z, _ := joined.Get(a)
	n, ok := text.Get(a)
	m, _ := text.Get(b)
	if got := fmt.Sprintf("%d %d %s %d %v %d %s", x, y, z, n, ok, m, stored); got != "6 60 0123 9 true 3 :0123+xyz" {
		t.Errorf("%s", got)
	}
	sum.Delete(a)
	text.Delete(a)
	_, ok1 := sum.Get(a)
	_, ok2 := text.Get(a)
	if ok1 || ok2 || sum.Table().Len() != 1 {
		t.Errorf("deleted: %v, %v, %d keys", ok1, ok2, sum.Table().Len())
	}
}

// TestAdditionsBeginAnew: what has expired is not added to.
func TestAdditionsBeginAnew(t *testing.T) {
	s := openStore(t)
	ttl := state.TTL{Clock: state.EventTime, Duration: 10}
	text, err1 := state.OpenAggregating(s, "text", state.String, parts, ttl)
	list, err2 := state.OpenList(s, "list", state.String, ttl)
	fields, err3 := state.OpenMap(s, "fields", state.String, state.Int64, ttl)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	k := keyNamed("k")
	seen := func() string {
		n, _ := text.Get(k)
		var all []string
		list.Each(k, func(v string) bool { all = append(all, v); return true })
		fields.Each(k, func(f string, v int64) bool { all = append(all, fmt.Sprint(f, v)); return true })
		return fmt.Sprint(n, all)
	}
	write := func(v string) {
		text.Add(k, v)
		list.Append(k, v)
		fields.Put(k, v, 1)
	}
	var got []string
	for _, at := range []int64{100, 105, 109, 110, 114, 115} {
		s.Clocks().Advance(state.EventTime, at)
		got = append(got, seen())
		if at < 110 {
			write(fmt.Sprint("w", at))
		}
	}
	want := []string{"0 []", "5 [w100 w1001]", "9 [w100 w105 w1001 w1051]", "13 [w105 w109 w1051 w1091]", "13 [w105 w109 w1051 w1091]", "13 [w109 w1091]"}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("seen\n%q\nwant\n%q", got, want)
	}
}

// TestEndsOfTime: what no clock can come to does not expire, and nothing does before
// any time is known.
func TestEndsOfTime(t *testing.T) {
	s := openStore(t)
	v, err := state.OpenValue(s, "v", state.Int64, state.TTL{Clock: state.EventTime, Duration: 10})
	if err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool { _, ok := v.Get(keyNamed(name)); return ok }
	v.Set(keyNamed("early"), 1)
	s.Clocks().Advance(state.EventTime, math.MinInt64)
	if !there("early") {
		t.Error("it expires while no time is known")
	}
	s.Clocks().Advance(state.EventTime, 50)
	s.Clocks().Advance(state.EventTime, 59)
	if !there("early") {
		t.Error("it expires before its time from the first one known")
	}
	s.Clocks().Advance(state.EventTime, 60)
	s.Clocks().Advance(state.EventTime, 10)
	if there("early") {
		t.Error("it does not expire, or comes back")
	}
	s.Clocks().Advance(state.EventTime, math.MaxInt64-10)
	v.Set(keyNamed("last but one"), 1)
	s.Clocks().Advance(state.EventTime, math.MaxInt64-9)
	v.Set(keyNamed("last"), 1)
	s.Clocks().Advance(state.EventTime, math.MaxInt64)
	if !there("last") || !there("last but one") {
		t.Errorf("at the end of time the last ones are %v, %v: no clock has come so far", there("last"), there("last but one"))
	}
}

// TestOneTTL: two are refused, and one without sense.
func TestOneTTL(t *testing.T) {
	ttl := state.TTL{Clock: state.EventTime, Duration: 1}
	if _, err := state.OpenValue(openStore(t), "two", state.Int64, ttl, ttl); err == nil || !strings.Contains(err.Error(), "two") {
		t.Errorf("two times to live: %v", err)
	}
	if _, err := state.OpenList(openStore(t), "none", state.Int64, state.TTL{Clock: 77, Duration: 1}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("by no clock: %v", err)
	}
	if _, err := state.OpenFixedTable(openStore(t), state.Descriptor{Name: "sizeless"}); err == nil || !strings.Contains(err.Error(), "sizeless") {
		t.Errorf("in place without a size: %v", err)
	}
	if _, err := state.OpenValueTable(openStore(t), state.Descriptor{Name: "listed", Kind: state.KindList}); err == nil || !strings.Contains(err.Error(), "listed") {
		t.Errorf("a list opened as one of values: %v", err)
	}
}

// TestItems: items of a list by a codec, which a snapshot knows.
func TestItems(t *testing.T) {
	s := openStore(t)
	l, err := s.List("items", state.Union)
	if err != nil {
		t.Fatal(err)
	}
	items, err := state.ItemsOf(l, state.Int64)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		items.Add(i)
	}
	items.Set(1, 70)
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := c.Next(nil); !done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	items.Clear()
	if items.Len() != 0 {
		t.Errorf("%d items are left", items.Len())
	}
	for _, other := range []bool{false, true} {
		to := openStore(t)
		l, err := to.List("items", state.Union)
		if err != nil {
			t.Fatal(err)
		}
		if other {
			if _, err := state.ItemsOf(l, state.String); err != nil {
				t.Fatal(err)
			}
		}
		_, err = to.Restore([]state.Handle{c.Handle()})
		if other != errors.Is(err, state.ErrIncompatible) {
			t.Errorf("another codec %v: %v", other, err)
		}
		if other {
			continue
		}
		back, err := state.ItemsOf(l, state.Int64)
		if err != nil || back.Len() != 3 || back.At(0)+back.At(1)+back.At(2) != 72 {
			t.Errorf("restored %q, %v", l.Items, err)
		}
		if _, err := state.ItemsOf(l, state.String); !errors.Is(err, state.ErrIncompatible) {
			t.Errorf("opened with another codec afterwards: %v", err)
		}
	}
}

// TestWritesEncodeNoSchema: a write asks whether something is of an older version, and that
// costs no memory once nothing is.
func TestWritesEncodeNoSchema(t *testing.T) {
	c := &state.Versions[int64]{ID: "number", Writes: state.Version[int64]{Number: 2, Fields: "number int64", Codec: state.Int64}}
	l, err := openStore(t).List("items", state.Union)
	if err != nil {
		t.Fatal(err)
	}
	items, err := state.ItemsOf(l, state.Codec[int64](c))
	if err != nil {
		t.Fatal(err)
	}
	items.Add(1)
	if n := testing.AllocsPerRun(100, func() { items.Set(0, 7) }); n != 0 || items.At(0) != 7 {
		t.Errorf("%v allocations per write, item %d", n, items.At(0))
	}
}
