package heap_test

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"weir/state"
	"weir/state/heap"
	"weir/state/statetest"
)

var all = state.GroupRange{Lo: 0, Hi: state.DefaultGroups}

func open(tb testing.TB, groups state.GroupRange) state.Store {
	tb.Helper()
	return openAs(tb, state.Open{Groups: groups})
}

func openAs(tb testing.TB, o state.Open) state.Store {
	tb.Helper()
	s, err := heap.Backend{}.Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func counts(tb testing.TB, s state.Store, size int) state.FixedTable {
	tb.Helper()
	t, err := state.OpenFixedTable(s, state.Descriptor{Name: "counts", Codec: "counts/1", FixedSize: size})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// random is a fixed sequence of keys below n.
type random struct{ x, n uint64 }

func (r *random) next() uint64 {
	r.x ^= r.x << 13
	r.x ^= r.x >> 7
	r.x ^= r.x << 17
	k, _ := bits.Mul64(r.x, r.n)
	return k
}

func bump(t state.FixedTable, buf *[8]byte, k uint64) {
	v, _ := t.Update(state.KeyOfUint64(buf, k, state.DefaultGroups))
	binary.LittleEndian.PutUint64(v, binary.LittleEndian.Uint64(v)+1)
	binary.LittleEndian.PutUint64(v[8:], binary.LittleEndian.Uint64(v[8:])+k)
}

func filled(tb testing.TB, keys, size int) (state.Store, state.FixedTable) {
	tb.Helper()
	s := open(tb, all)
	t := counts(tb, s, size)
	var buf [8]byte
	for k := range uint64(keys) {
		bump(t, &buf, k)
	}
	return s, t
}

func BenchmarkUpdate(b *testing.B) {
	for _, c := range []struct {
		name       string
		keys, size int
	}{{"keys=100", 100, 16}, {"keys=10k", 10_000, 16}, {"keys=1M/value=16", 1_000_000, 16}, {"keys=1M/value=100", 1_000_000, 100}} {
		b.Run(c.name, func(b *testing.B) {
			_, t := filled(b, c.keys, c.size)
			r := random{x: 88172645463325252, n: uint64(c.keys)}
			var buf [8]byte
			b.ReportAllocs()
			for b.Loop() {
				bump(t, &buf, r.next())
			}
		})
	}
}

// BenchmarkUpdateWarm is BenchmarkUpdate/keys=1M/value=100 with the keys of 64
// records shown to the table first.
func BenchmarkUpdateWarm(b *testing.B) {
	_, t := filled(b, 1_000_000, 100)
	w := t.(state.Warmer)
	r := random{x: 88172645463325252, n: 1_000_000}
	const batch = 64
	var buf [8]byte
	var nums [batch]uint64
	keys := make([]state.Key, batch)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n%batch == 0 {
			for i := range keys {
				nums[i] = r.next()
				keys[i] = state.KeyOfUint64(&buf, nums[i], state.DefaultGroups)
			}
			w.Warm(keys)
		}
		bump(t, &buf, nums[n%batch])
		n++
	}
}

// BenchmarkKeys is the part of BenchmarkUpdate that is not the store's: the
// next key and its hash.
func BenchmarkKeys(b *testing.B) {
	r := random{x: 88172645463325252, n: 10_000}
	var buf [8]byte
	var sum uint64
	for b.Loop() {
		sum += state.KeyOfUint64(&buf, r.next(), state.DefaultGroups).Hash
	}
	_ = sum
}

func snapshot(tb testing.TB, s state.Store, n int) state.Capture {
	tb.Helper()
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: fmt.Sprintf("t0/s%d-", n)})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkSnapshotSync measures the synchronous part alone, on 110 MB.
func BenchmarkSnapshotSync(b *testing.B) {
	s, _ := filled(b, 1_000_000, 100)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		snapshot(b, s, n).Discard()
		n++
	}
}

// BenchmarkSnapshotAsync measures encoding and checksums of 110 MB.
func BenchmarkSnapshotAsync(b *testing.B) {
	s, _ := filled(b, 1_000_000, 100)
	b.ReportAllocs()
	for b.Loop() {
		c := snapshot(b, s, 0)
		if err := statetest.Drive(c, devNull{}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(c.Handle().Bytes)
		c.Discard()
	}
}

type devNull struct{}

func (devNull) Do(state.Op) state.Result { return state.Result{Status: state.OK} }

// BenchmarkUpdateDuringSnapshot measures updates while a capture pins all
// pages: each round of a million updates begins with a new one.
func BenchmarkUpdateDuringSnapshot(b *testing.B) {
	s, t := filled(b, 1_000_000, 100)
	r := random{x: 88172645463325252, n: 1_000_000}
	var buf [8]byte
	var c state.Capture
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n%1_000_000 == 0 {
			if c != nil {
				c.Discard()
			}
			c = snapshot(b, s, n)
		}
		bump(t, &buf, r.next())
		n++
	}
}

func BenchmarkRestore(b *testing.B) {
	s, _ := filled(b, 1_000_000, 100)
	mem := statetest.NewMemory()
	c := snapshot(b, s, 0)
	if err := statetest.Drive(c, mem); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(c.Handle().Bytes)
	b.ReportAllocs()
	for b.Loop() {
		to := open(b, all)
		counts(b, to, 100)
		tr, err := to.Restore([]state.Handle{c.Handle()})
		if err != nil {
			b.Fatal(err)
		}
		if err := statetest.Drive(tr, mem); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSmall is what a simulated task does in a run: open, a few dozen
// keys, a snapshot, a restore.
func BenchmarkSmall(b *testing.B) {
	mem := statetest.NewMemory()
	b.ReportAllocs()
	for b.Loop() {
		s, _ := filled(b, 40, 16)
		c := snapshot(b, s, 0)
		if err := statetest.Drive(c, mem); err != nil {
			b.Fatal(err)
		}
		to := open(b, all)
		counts(b, to, 16)
		tr, err := to.Restore([]state.Handle{c.Handle()})
		if err != nil {
			b.Fatal(err)
		}
		if err := statetest.Drive(tr, mem); err != nil {
			b.Fatal(err)
		}
		c.Discard()
	}
}

func BenchmarkSum(b *testing.B) {
	s, _ := filled(b, 1000, 16)
	for b.Loop() {
		s.Sum()
	}
}

// BenchmarkTimersSnapshot takes incremental snapshots.
func BenchmarkTimersSnapshot(b *testing.B) { statetest.BenchmarkTimers(b, open(b, all)) }
