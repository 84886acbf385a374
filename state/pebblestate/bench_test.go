package pebblestate_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/pebblestate"
	"weir/state/statetest"
	"weir/state/storage"
)

const benchKeys = 1_000_000

// wide is a state of 100-byte values, incompressible.
var wide = state.Descriptor{Name: "wide", Kind: state.KindReducing, Codec: "wide/1", FixedSize: 100}

var whole = state.GroupRange{Lo: 0, Hi: state.DefaultGroups}

type wideStore struct {
	state.Store
	table state.FixedTable
	r     *rand.Rand
	key   [8]byte
}

func openWide(tb testing.TB, b *pebblestate.Backend, fs vfs.FS, dir string) *wideStore {
	tb.Helper()
	s, err := b.Open(state.Open{Dir: dir, Groups: whole, FS: fs})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := state.OpenFixedTable(s, wide)
	if err != nil {
		tb.Fatal(err)
	}
	return &wideStore{Store: s, table: t, r: rand.New(rand.NewPCG(1, 2))}
}

// bump counts in the first eight bytes and fills the rest with noise if fresh.
func (w *wideStore) bump(key uint64) {
	v, fresh := w.table.Update(state.KeyOfUint64(&w.key, key, state.DefaultGroups))
	if fresh {
		for i := 8; i+8 <= len(v); i += 8 {
			binary.LittleEndian.PutUint64(v[i:], w.r.Uint64())
		}
	}
	binary.LittleEndian.PutUint64(v, binary.LittleEndian.Uint64(v)+1)
}

// renew overwrites the whole value with noise.
func (w *wideStore) renew(key uint64) {
	v, _ := w.table.Update(state.KeyOfUint64(&w.key, key, state.DefaultGroups))
	for i := 0; i+8 <= len(v); i += 8 {
		binary.LittleEndian.PutUint64(v[i:], w.r.Uint64())
	}
}

func (w *wideStore) snapshot(tb testing.TB, epoch, base id.Epoch, st state.Storage) state.Handle {
	tb.Helper()
	c, err := w.Snapshot(state.SnapshotRequest{Epoch: epoch, Base: base, Prefix: "t0/a1-"})
	if err != nil {
		tb.Fatal(err)
	}
	if err := statetest.Drive(c, st); err != nil {
		tb.Fatal(err)
	}
	c.Discard()
	return c.Handle()
}

func BenchmarkUpdate(b *testing.B) {
	for _, total := range []int64{1 << 30, 32 << 20} {
		b.Run(fmt.Sprintf("keys=1M/value=100/cache=%dMiB", total>>20), func(b *testing.B) {
			back := backend(b, pebblestate.Config{CacheBytes: total / 4, WriteCacheBytes: total / 2})
			w := openWide(b, back, vfs.Default, b.TempDir()+"/db")
			for k := range uint64(benchKeys) {
				w.bump(k)
			}
			runtime.GC()
			b.ResetTimer()
			b.ReportAllocs()
			for range b.N {
				w.bump(w.r.Uint64N(benchKeys))
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
			if err := w.Err(); err != nil {
				b.Fatal(err)
			}
			_ = w.Close()
		})
	}
}

// BenchmarkSnapshotIncremental updates a million keys at a tenth of a million
// records per second and takes a snapshot after each second's worth, as one
// iteration, to a directory with synced files. The asynchronous part runs on
// its own goroutine while updates go on.
func BenchmarkSnapshotIncremental(b *testing.B) {
	back := backend(b, pebblestate.Config{CacheBytes: 256 << 20, WriteCacheBytes: 512 << 20})
	root := b.TempDir()
	st, err := storage.OpenDir(vfs.Default, root+"/storage", storage.DirConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	w := openWide(b, back, vfs.Default, root+"/db")
	for k := range uint64(benchKeys) {
		w.bump(k)
	}
	w.snapshot(b, 1, 0, st)
	epoch := id.Epoch(1)
	var syncs, totals []time.Duration
	var wg sync.WaitGroup
	b.ResetTimer()
	for range b.N {
		for range 100_000 {
			w.bump(w.r.Uint64N(benchKeys))
		}
		wg.Wait()
		start := time.Now()
		c, err := w.Snapshot(state.SnapshotRequest{Epoch: epoch + 1, Base: epoch, Prefix: "t0/a1-"})
		syncs = append(syncs, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
		epoch++
		totals = append(totals, 0)
		wg.Go(func() {
			if err := statetest.Drive(c, st); err != nil {
				b.Error(err)
			}
			totals[len(totals)-1] = time.Since(start)
			c.Discard()
		})
		wg.Wait() // the rate is given, not what the machine can do
		w.Release(epoch)
	}
	b.StopTimer()
	b.ReportMetric(median(syncs), "sync-ms")
	b.ReportMetric(median(totals), "total-ms")
	_ = w.Close()
}

func median(d []time.Duration) float64 {
	sorted := append([]time.Duration(nil), d...)
	for i := range sorted {
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return float64(sorted[len(sorted)/2].Microseconds()) / 1000
}

// BenchmarkOpenClose is what a simulated run pays per stateful task: open,
// 100 updates, a snapshot, 100 updates, an incremental snapshot, close, and a
// new incarnation restored from it.
func BenchmarkOpenClose(b *testing.B) {
	back := backend(b, pebblestate.Config{Deterministic: true})
	vol := disk.New(disk.Config{})
	st := storage.NewMemory(0)
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			vol.Reset(disk.Config{})
			w := openWide(b, back, vol.Mount(), "db")
			_ = w.Close()
		}
	})
	b.Run("two-snapshots", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			vol.Reset(disk.Config{})
			st.Reset(0)
			w := openWide(b, back, vol.Mount(), "db")
			w.cycle(b, st)
			_ = w.Close()
		}
	})
	b.Run("two-snapshots-and-restore", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			vol.Reset(disk.Config{})
			st.Reset(0)
			w := openWide(b, back, vol.Mount(), "db")
			h := w.cycle(b, st)
			_ = w.Close()
			w = openWide(b, back, vol.Mount(), "db2")
			tr, err := w.Restore([]state.Handle{h})
			if err == nil {
				err = statetest.Drive(tr, st)
			}
			if err != nil {
				b.Fatal(err)
			}
			w.bump(1)
			_ = w.Close()
		}
	})
}

func (w *wideStore) cycle(b *testing.B, st state.Storage) state.Handle {
	for k := range uint64(100) {
		w.bump(k)
	}
	w.snapshot(b, 1, 0, st)
	for k := range uint64(100) {
		w.bump(k / 2)
	}
	return w.snapshot(b, 2, 1, st)
}

// BenchmarkTimersSnapshot takes incremental snapshots.
func BenchmarkTimersSnapshot(b *testing.B) {
	back := backend(b, pebblestate.Config{})
	s, err := back.Open(state.Open{Dir: b.TempDir() + "/db", Groups: whole, FS: vfs.Default})
	if err != nil {
		b.Fatal(err)
	}
	statetest.BenchmarkTimers(b, s)
	_ = s.Close()
}
