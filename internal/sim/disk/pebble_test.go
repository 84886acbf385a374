package disk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// quietLogger keeps Pebble silent; a fatal error fails the test.
type quietLogger struct{ tb testing.TB }

func (quietLogger) Infof(string, ...any)             {}
func (quietLogger) Errorf(string, ...any)            {}
func (l quietLogger) Fatalf(format string, a ...any) { l.tb.Errorf("pebble: "+format, a...) }

// options are those under which Pebble does reproducible file operations.
func options(tb testing.TB, fs vfs.FS, cache *pebble.Cache) *pebble.Options {
	return &pebble.Options{
		FS: fs, Cache: cache, Logger: quietLogger{tb},
		DisableWAL: true, DisableAutomaticCompactions: true, DisableTableStats: true,
		MemTableSize: 256 << 10, L0StopWritesThreshold: 1 << 20, L0CompactionThreshold: 1 << 20,
		FormatMajorVersion: pebble.FormatNewest,
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func fill(tb testing.TB, db *pebble.DB, from, to int) {
	tb.Helper()
	for i := from; i < to; i++ {
		must(tb, db.Set(fmt.Appendf(nil, "key-%05d", i), fmt.Appendf(nil, "value-%d", i*i), pebble.NoSync))
	}
}

// present returns how many of the keys from..to-1 a store has, and fails on a wrong value.
func present(tb testing.TB, db *pebble.DB, from, to int) int {
	tb.Helper()
	found := 0
	for i := from; i < to; i++ {
		v, closer, err := db.Get(fmt.Appendf(nil, "key-%05d", i))
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		must(tb, err)
		if string(v) != fmt.Sprintf("value-%d", i*i) {
			tb.Fatalf("key %d has value %q", i, v)
		}
		closer.Close()
		found++
	}
	return found
}

func TestPebbleCheckpointSurvivesCrash(t *testing.T) {
	for seed := range uint64(40) {
		v := New(Config{})
		fs := v.Mount()
		db, err := pebble.Open("worker/db", options(t, fs, nil))
		must(t, err)
		fill(t, db, 0, 200)
		must(t, db.Flush())
		must(t, db.Checkpoint("worker/chk-1"))
		fill(t, db, 200, 300) // never flushed: must be gone
		var d Drawer          // the quiet crash first
		if seed > 0 {
			d = &pcg{seed}
		}
		v.Crash(d)
		if err := db.Close(); err != nil && !errors.Is(err, ErrStale) {
			t.Fatalf("closing the store of the crashed process: %v", err)
		}
		for _, dir := range []string{"worker/chk-1", "worker/db"} {
			db, err := pebble.Open(dir, options(t, v.Mount(), nil))
			must(t, err)
			if old, lost := present(t, db, 0, 200), present(t, db, 200, 300); old != 200 || lost != 0 {
				t.Errorf("seed %d: %s has %d of 200 flushed and %d of 100 unflushed keys\n%s", seed, dir, old, lost, v)
			}
			must(t, db.Close())
		}
	}
}

// A checkpoint must link the tables, not copy them.
func TestPebbleCheckpointLinks(t *testing.T) {
	v := New(Config{})
	db, err := pebble.Open("db", options(t, v.Mount(), nil))
	must(t, err)
	fill(t, db, 0, 200)
	must(t, db.Flush())
	before := v.Stats()
	must(t, db.Checkpoint("chk"))
	after := v.Stats()
	if n := after.Count(OpLink) - before.Count(OpLink); n != 1 {
		t.Errorf("%d links for one table", n)
	}
	if n := after.BytesWritten[RoleTable] - before.BytesWritten[RoleTable]; n != 0 {
		t.Errorf("%d bytes of tables copied", n)
	}
	must(t, db.Close())
}

// A full volume must reach the caller of Pebble as ENOSPC, and a store that
// was durable before must open again.
func TestPebbleOnFullVolume(t *testing.T) {
	v := New(Config{})
	db, err := pebble.Open("db", options(t, v.Mount(), nil))
	must(t, err)
	fill(t, db, 0, 200)
	must(t, db.Flush())
	v.SetFault(func(op Op, path string) error {
		if op == OpWrite && RoleOf(path) == RoleOptions {
			return &FullError{}
		}
		return nil
	})
	if err := db.Checkpoint("chk"); !vfs.IsNoSpaceError(err) {
		t.Errorf("checkpoint on a full volume: %v", err)
	}
	v.SetFault(nil)
	v.Crash(nil)
	_ = db.Close()
	db, err = pebble.Open("db", options(t, v.Mount(), nil))
	must(t, err)
	if n := present(t, db, 0, 200); n != 200 {
		t.Errorf("%d of 200 keys", n)
	}
	must(t, db.Close())
}

// The file operations of a run, and so the draws of its faults, must be the
// same each time, obsolete files included.
func TestPebbleOperationsAreReproducible(t *testing.T) {
	trace, damage := drawnRun(t)
	for range 20 {
		trace2, damage2 := drawnRun(t)
		for i := range min(len(trace), len(trace2)) {
			if trace[i] != trace2[i] {
				t.Fatalf("operation %d is %q, then %q", i, trace[i], trace2[i])
			}
		}
		if len(trace) != len(trace2) || !slices.Equal(damage, damage2) {
			t.Fatalf("%d operations, damage %v; then %d, %v", len(trace), damage, len(trace2), damage2)
		}
	}
}

// drawnRun opens, fills, compacts, checkpoints and crashes one store several times.
func drawnRun(t *testing.T) (trace []string, damage []Damage) {
	v := New(Config{Fault: func(op Op, path string) error {
		trace = append(trace, op.String()+" "+path)
		return nil
	}})
	d := &pcg{7}
	for round := range 4 {
		db, err := pebble.Open("db", options(t, v.Mount().Retaining(), nil))
		must(t, err)
		for part := range 3 {
			fill(t, db, 0, 100*(round+part+1))
			must(t, db.Flush())
		}
		must(t, db.Compact(context.Background(), []byte("a"), []byte("z"), false))
		must(t, db.Checkpoint(fmt.Sprintf("chk-%d", round)))
		fill(t, db, 0, 50)
		must(t, db.Flush())
		f, err := v.Mount().Create("unsynced", vfs.WriteCategoryUnspecified)
		must(t, err)
		_, err = f.Write(make([]byte, 3000))
		must(t, err)
		damage = append(damage, v.Crash(d))
		_ = db.Close()
	}
	return trace, damage
}

// pcg is a small generator, so that the tests of this package need no other.
type pcg struct{ state uint64 }

func (p *pcg) Draw(n int) int {
	p.state = p.state*6364136223846793005 + 1442695040888963407
	return int((p.state >> 33) % uint64(n))
}

// BenchmarkPebbleCycle opens a store, sets 200 keys, flushes, checkpoints,
// crashes and reopens from the checkpoint, on one volume that is reused.
func BenchmarkPebbleCycle(b *testing.B) {
	keys := make([][]byte, 200)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "key-%05d", i)
	}
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	v := New(Config{})
	b.ReportAllocs()
	for b.Loop() {
		v.Reset(Config{})
		db, err := pebble.Open("db", options(b, v.Mount().Retaining(), cache))
		must(b, err)
		for _, k := range keys {
			must(b, db.Set(k, k, pebble.NoSync))
		}
		must(b, db.Flush())
		must(b, db.Checkpoint("chk"))
		v.Crash(nil)
		_ = db.Close()
		db, err = pebble.Open("chk", options(b, v.Mount().Retaining(), cache))
		must(b, err)
		if _, closer, err := db.Get(keys[7]); err != nil {
			b.Fatal(err)
		} else {
			closer.Close()
		}
		must(b, db.Close())
	}
}

// BenchmarkPebbleCycleMemFS is the same on Pebble's own file system in memory,
// without the crash, to compare with.
func BenchmarkPebbleCycleMemFS(b *testing.B) {
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	b.ReportAllocs()
	for b.Loop() {
		fs := vfs.NewMem()
		db, err := pebble.Open("db", options(b, fs, cache))
		must(b, err)
		fill(b, db, 0, 200)
		must(b, db.Flush())
		must(b, db.Checkpoint("chk"))
		_ = db.Close()
		db, err = pebble.Open("chk", options(b, fs, cache))
		must(b, err)
		must(b, db.Close())
	}
}
