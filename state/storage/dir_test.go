package storage_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/statetest"
	"weir/state/storage"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.seed", "1") // a flag on the command line comes later and wins
	os.Exit(m.Run())
}

// draws is a source of choices with a seed, for crashes.
type draws struct{ r *rand.Rand }

func newDraws(seed uint64) draws { return draws{rand.New(rand.NewPCG(seed, 1))} }

func (d draws) Draw(n int) int { return d.r.IntN(n) }

func openDir(t testing.TB, fs vfs.FS, segmentBytes int64) *storage.Dir {
	t.Helper()
	for range 1000 {
		d, err := storage.OpenDir(fs, "/data/job/storage", storage.DirConfig{SegmentBytes: segmentBytes})
		if err == nil {
			return d
		}
		if !errors.Is(err, errFlaky) {
			t.Fatal(err)
		}
	}
	t.Fatal("OpenDir fails for ever")
	return nil
}

var errFlaky = errors.New("flaky disk")

func TestMemoryConforms(t *testing.T) {
	statetest.RunStorage(t, func(*testing.T) (state.Storage, func(bool) state.Storage) {
		m := storage.NewMemory(0)
		return m, func(bool) state.Storage { return m } // lasts as long as the object
	})
}

func TestDirConforms(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		statetest.RunStorage(t, func(t *testing.T) (state.Storage, func(bool) state.Storage) {
			root := filepath.Join(t.TempDir(), "job", "storage")
			open := func() *storage.Dir {
				d, err := storage.OpenDir(vfs.Default, root, storage.DirConfig{SegmentBytes: 200})
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			d := open()
			t.Cleanup(func() { _ = d.Close() })
			return d, func(bool) state.Storage {
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
				d = open()
				return d
			}
		})
	})
	for _, segment := range []int64{1, 200, 0} {
		for _, flaky := range []int{0, 60} {
			t.Run(fmt.Sprintf("simulated/segment=%d/flaky=%d", segment, flaky), func(t *testing.T) {
				statetest.RunStorage(t, simulated(segment, flaky))
			})
		}
	}
}

// simulated opens a Dir on a simulated disk where a crash loses, keeps or tears
// what is not durable, as drawn, and where one operation in flaky fails.
func simulated(segment int64, flaky int) statetest.OpenStorage {
	return func(t *testing.T) (state.Storage, func(bool) state.Storage) {
		crashes, faults := newDraws(1), newDraws(2)
		vol := disk.New(disk.Config{})
		if flaky > 0 {
			vol.SetFault(func(op disk.Op, path string) error {
				if faults.Draw(flaky) == 0 {
					return errFlaky
				}
				return nil
			})
		}
		d := openDir(t, vol.Mount(), segment)
		return d, func(crash bool) state.Storage {
			if crash {
				vol.Crash(crashes)
			} else {
				_ = d.Close()
			}
			d = openDir(t, vol.Mount(), segment)
			return d
		}
	}
}

func put(key string, data []byte) state.Op {
	return state.Op{Kind: state.OpPut, Key: key, Data: data}
}

func wantStatus(t testing.TB, st state.Storage, op state.Op, want state.Status) state.Result {
	t.Helper()
	r := st.Do(op)
	if r.Status != want {
		t.Fatalf("%v %q: %v (%v), want %v", op.Kind, op.Key, r.Status, r.Err, want)
	}
	return r
}

func entry(seq id.Seq, text string) []byte { return state.AppendEntry(nil, seq, 1, []byte(text)) }

// damage changes the bytes of a file of the storage.
func damage(t *testing.T, fs vfs.FS, path string, change func(b []byte) []byte) {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if f, err = fs.Create(path, vfs.WriteCategoryUnspecified); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(change(b)); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}

func TestDirDamagedObject(t *testing.T) {
	const path = "/data/job/storage/chk/2.7/t3.obj"
	data := []byte(strings.Repeat("state ", 20))
	// Every single bit, and every shorter length.
	size := 24 + len(data) + 8
	for i := range size*8 + size {
		vol := disk.New(disk.Config{})
		d := openDir(t, vol.Mount(), 0)
		wantStatus(t, d, put("chk/2.7/t3", data), state.OK)
		damage(t, vol.Mount(), path, func(b []byte) []byte {
			if len(b) != size {
				t.Fatalf("file of %d bytes, want %d", len(b), size)
			}
			if i < size*8 {
				b[i/8] ^= 1 << (i % 8)
				return b
			}
			return b[:i-size*8]
		})
		r := wantStatus(t, d, state.Op{Kind: state.OpGet, Key: "chk/2.7/t3"}, state.Corrupt)
		if !errors.Is(r.Err, state.ErrCorrupt) || !strings.Contains(r.Err.Error(), path) || !strings.Contains(r.Err.Error(), "earlier checkpoint") {
			t.Fatalf("error %v does not name the file and the way out", r.Err)
		}
		wantStatus(t, d, state.Op{Kind: state.OpCreate, Key: "chk/2.7/t3", Data: data}, state.Corrupt)
	}
}

func TestDirMovedObject(t *testing.T) {
	vol := disk.New(disk.Config{})
	d := openDir(t, vol.Mount(), 0)
	wantStatus(t, d, put("a", []byte("of a")), state.OK)
	if err := vol.Mount().Rename("/data/job/storage/a.obj", "/data/job/storage/b.obj"); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, d, state.Op{Kind: state.OpGet, Key: "b"}, state.Corrupt)
}

func TestDirOtherVersion(t *testing.T) {
	vol := disk.New(disk.Config{})
	d := openDir(t, vol.Mount(), 0)
	for _, path := range []string{"/data/job/storage/a.obj", "/data/job/storage/c.log/0000000001-0000000001.seg"} {
		if err := vol.Mount().MkdirAll(vol.Mount().PathDir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := vol.Mount().Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(storage.OtherVersion(path, 2)); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	for _, op := range []state.Op{
		{Kind: state.OpGet, Key: "a"},
		{Kind: state.OpReadLog, Key: "c", To: 1},
		{Kind: state.OpAppend, Key: "c", Attempt: 2, To: 1, Data: entry(1, "x")},
	} {
		r := wantStatus(t, d, op, state.Refused)
		if !strings.Contains(r.Err.Error(), "version 2") || !strings.Contains(r.Err.Error(), "/data/job/storage/") {
			t.Errorf("%v: %v", op.Kind, r.Err)
		}
	}
}

func TestDirDamagedLog(t *testing.T) {
	const path = "/data/job/storage/log/c1.log/0000000001-0000000001.seg"
	const header, record = 32, 28 + 4 // entry: position, items, length, one byte
	read := state.Op{Kind: state.OpReadLog, Key: "log/c1", To: 3}
	for i := range header + 3*record {
		vol := disk.New(disk.Config{})
		d := openDir(t, vol.Mount(), 0)
		for k := range 3 {
			wantStatus(t, d, state.Op{Kind: state.OpAppend, Key: "log/c1", Attempt: 1, From: id.Seq(k), To: id.Seq(k + 1), Data: entry(id.Seq(k+1), "x")}, state.OK)
		}
		wantStatus(t, d, read, state.OK)
		damage(t, vol.Mount(), path, func(b []byte) []byte {
			if len(b) != header+3*record {
				t.Fatalf("file of %d bytes, want %d", len(b), header+3*record)
			}
			b[i] ^= 4
			return b
		})
		r := wantStatus(t, openDir(t, vol.Mount(), 0), read, state.Corrupt)
		if !strings.Contains(r.Err.Error(), path) {
			t.Fatalf("byte %d: error %v does not name the file", i, r.Err)
		}
	}
}

// TestDirTornTail crashes with an append under way: what was acknowledged
// before is there, the torn append is not, and the log goes on.
func TestDirTornTail(t *testing.T) {
	for seed := range uint64(200) {
		vol := disk.New(disk.Config{})
		d := openDir(t, vol.Mount(), 0)
		large := strings.Repeat("y", 3000)
		wantStatus(t, d, state.Op{Kind: state.OpAppend, Key: "c", Attempt: 1, To: 1, Data: entry(1, "x")}, state.OK)
		vol.SetFault(func(op disk.Op, _ string) error {
			if op == disk.OpSync {
				return errFlaky
			}
			return nil
		})
		r := wantStatus(t, d, state.Op{Kind: state.OpAppend, Key: "c", Attempt: 1, From: 1, To: 2, Data: entry(2, large)}, state.Failed)
		if !errors.Is(r.Err, errFlaky) {
			t.Fatal(r.Err)
		}
		vol.SetFault(nil)
		vol.Crash(newDraws(seed))
		d = openDir(t, vol.Mount(), 0)
		wantStatus(t, d, state.Op{Kind: state.OpReadLog, Key: "c", To: 1}, state.OK)
		wantStatus(t, d, state.Op{Kind: state.OpAppend, Key: "c", Attempt: 1, From: 1, To: 2, Data: entry(2, large)}, state.OK)
		vol.Crash(newDraws(seed))
		r = wantStatus(t, openDir(t, vol.Mount(), 0), state.Op{Kind: state.OpReadLog, Key: "c", To: 2}, state.OK)
		if want := string(entry(1, "x")) + string(entry(2, large)); string(r.Data) != want {
			t.Fatalf("seed %d: the log holds %d bytes, want %d", seed, len(r.Data), len(want))
		}
	}
}

func TestDirFullDisk(t *testing.T) {
	vol := disk.New(disk.Config{Capacity: 10_000})
	d := openDir(t, vol.Mount(), 0)
	wantStatus(t, d, put("a", make([]byte, 4000)), state.OK)
	wantStatus(t, d, state.Op{Kind: state.OpAppend, Key: "c", Attempt: 1, To: 1, Data: entry(1, "x")}, state.OK)
	for _, op := range []state.Op{
		put("b", make([]byte, 8000)),
		{Kind: state.OpCreate, Key: "b", Data: make([]byte, 8000)},
		{Kind: state.OpAppend, Key: "c", Attempt: 1, From: 1, To: 2, Data: entry(2, strings.Repeat("y", 8000))},
		{Kind: state.OpAppend, Key: "new", Attempt: 1, To: 1, Data: entry(1, strings.Repeat("y", 8000))},
	} {
		r := wantStatus(t, d, op, state.Refused)
		if !errors.Is(r.Err, syscall.ENOSPC) || !strings.Contains(r.Err.Error(), "free space") || !strings.Contains(r.Err.Error(), `"`+op.Key+`"`) {
			t.Errorf("%v: %v", op.Kind, r.Err)
		}
	}
	// Nothing is lost, small things still fit, and no remains take up the room.
	wantStatus(t, d, state.Op{Kind: state.OpGet, Key: "a"}, state.OK)
	wantStatus(t, d, state.Op{Kind: state.OpAppend, Key: "c", Attempt: 1, From: 1, To: 2, Data: entry(2, "y")}, state.OK)
	wantStatus(t, d, state.Op{Kind: state.OpReadLog, Key: "c", To: 2}, state.OK)
	wantStatus(t, d, put("b", make([]byte, 5000)), state.OK)
}

func TestDirNotWritable(t *testing.T) {
	vol := disk.New(disk.Config{})
	d := openDir(t, vol.Mount(), 0)
	wantStatus(t, d, put("a", nil), state.OK)
	vol.SetFault(func(op disk.Op, _ string) error {
		if op == disk.OpCreate || op == disk.OpMkdir || op == disk.OpLock {
			return syscall.EACCES
		}
		return nil
	})
	r := wantStatus(t, d, put("b", nil), state.Refused)
	if !strings.Contains(r.Err.Error(), "permissions") {
		t.Error(r.Err)
	}
	wantStatus(t, d, state.Op{Kind: state.OpGet, Key: "a"}, state.OK)
	_, err := storage.OpenDir(vol.Mount(), "/data/job/storage", storage.DirConfig{})
	if err == nil || !strings.Contains(err.Error(), "/data/job/storage") || !strings.Contains(err.Error(), "permissions") {
		t.Errorf("OpenDir: %v", err)
	}
}

func TestDirIsFile(t *testing.T) {
	root := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(root, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.OpenDir(vfs.Default, root, storage.DirConfig{}); err == nil || !strings.Contains(err.Error(), root) {
		t.Errorf("OpenDir on a file: %v", err)
	}
}

// TestDirLeftovers kills a process at every operation of a put and looks at
// what the next one finds: the object or none, and no remains.
func TestDirLeftovers(t *testing.T) {
	for k := 1; ; k++ {
		vol := disk.New(disk.Config{})
		d := openDir(t, vol.Mount(), 0)
		wantStatus(t, d, put("dir/x", []byte("old")), state.OK)
		n := 0
		vol.SetFault(func(disk.Op, string) error {
			if n++; n >= k {
				return errFlaky
			}
			return nil
		})
		r := d.Do(state.Op{Kind: state.OpCreate, Key: "dir/a", Data: []byte("new")})
		vol.SetFault(nil)
		vol.Crash(newDraws(uint64(k)))
		d2 := openDir(t, vol.Mount(), 0)
		names, err := vol.Mount().List("/data/job/storage/.tmp")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".tmp") {
				t.Errorf("crash at operation %d: %s is left", k, name)
			}
		}
		got := d2.Do(state.Op{Kind: state.OpGet, Key: "dir/a"})
		if got.Status != state.OK && (got.Status != state.NotFound || r.Status == state.OK) || string(got.Data) != "new"[:len(got.Data)] {
			t.Fatalf("crash at operation %d, create was %v: get is %v %q (%v)", k, r.Status, got.Status, got.Data, got.Err)
		}
		wantStatus(t, d2, state.Op{Kind: state.OpGet, Key: "dir/x"}, state.OK)
		if n < k {
			if k < 5 {
				t.Fatalf("a create takes only %d operations", n)
			}
			return
		}
	}
}

// TestDirTwoProcesses uses one directory from two places at once.
func TestDirTwoProcesses(t *testing.T) {
	vol := disk.New(disk.Config{})
	a, b := openDir(t, vol.Mount(), 0), openDir(t, vol.Mount(), 0)
	wantStatus(t, a, state.Op{Kind: state.OpCreate, Key: "plan/1", Data: []byte("a")}, state.OK)
	if r := wantStatus(t, b, state.Op{Kind: state.OpCreate, Key: "plan/1", Data: []byte("b")}, state.Lost); string(r.Data) != "a" {
		t.Errorf("lost to %q", r.Data)
	}
	app := func(attempt id.Attempt, from id.Seq, text string) state.Op {
		return state.Op{Kind: state.OpAppend, Key: "c", Attempt: attempt, From: from, To: from + 1, Data: entry(from+1, text)}
	}
	wantStatus(t, a, app(1, 0, "a1"), state.OK)
	wantStatus(t, a, app(1, 1, "a1"), state.OK)
	wantStatus(t, b, app(2, 1, "b2"), state.OK)
	// a does not know yet that it has been replaced. It is told, and what it
	// writes is void, whatever its position.
	wantStatus(t, a, app(1, 2, "a1"), state.Lost)
	wantStatus(t, a, app(1, 3, "a1"), state.Lost)
	wantStatus(t, b, app(2, 2, "b2"), state.OK)
	for _, d := range []*storage.Dir{a, b} {
		r := wantStatus(t, d, state.Op{Kind: state.OpReadLog, Key: "c", To: 3}, state.OK)
		if want := string(entry(1, "a1")) + string(entry(2, "b2")) + string(entry(3, "b2")); string(r.Data) != want {
			t.Errorf("log %q, want %q", r.Data, want)
		}
	}
	wantStatus(t, b, state.Op{Kind: state.OpFence, Attempt: 5}, state.OK)
	wantStatus(t, a, state.Op{Kind: state.OpAppend, Key: "other", Attempt: 4, To: 1, Data: entry(1, "x")}, state.Lost)
	wantStatus(t, a, state.Op{Kind: state.OpAppend, Key: "other", Attempt: 4, To: 1, Data: entry(1, "x")}, state.Lost)
}

// TestDirTrimFreesSpace says that trimming deletes files.
func TestDirTrimFreesSpace(t *testing.T) {
	vol := disk.New(disk.Config{})
	d := openDir(t, vol.Mount(), 2000)
	var most int64
	for k := range 500 {
		op := state.Op{Kind: state.OpAppend, Key: "c", Attempt: id.Attempt(1 + k/200), From: id.Seq(k), To: id.Seq(k + 1), Data: entry(id.Seq(k+1), strings.Repeat("z", 200))}
		wantStatus(t, d, op, state.OK)
		if k > 10 {
			wantStatus(t, d, state.Op{Kind: state.OpTrim, Key: "c", To: id.Seq(k - 10)}, state.OK)
		}
		most = max(most, vol.Used())
	}
	if most > 10_000 {
		t.Errorf("the log of the last ten entries of 200 bytes took up to %d bytes", most)
	}
	wantStatus(t, d, state.Op{Kind: state.OpReadLog, Key: "c", From: 490, To: 500}, state.OK)
}

// TestDirSharesSyncs says that concurrent puts share directory syncs.
func TestDirSharesSyncs(t *testing.T) {
	fs := &countingFS{FS: vfs.Default}
	d, err := storage.OpenDir(fs, t.TempDir(), storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	wantStatus(t, d, put("dir/first", nil), state.OK)
	fs.dirSyncs.Store(0)
	const writers, puts = 16, 20
	done := make(chan bool)
	for w := range writers {
		go func() {
			for k := range puts {
				d.Do(put(fmt.Sprintf("dir/%d-%d", w, k), []byte("x")))
			}
			done <- true
		}()
	}
	for range writers {
		<-done
	}
	if n := fs.dirSyncs.Load(); n >= writers*puts {
		t.Errorf("%d directory syncs for %d puts", n, writers*puts)
	} else {
		t.Logf("%d directory syncs for %d puts", n, writers*puts)
	}
	if r := wantStatus(t, d, state.Op{Kind: state.OpList, Key: "dir/"}, state.OK); len(r.List) != writers*puts+1 {
		t.Errorf("%d objects", len(r.List))
	}
}

type countingFS struct {
	vfs.FS
	dirSyncs atomic.Int64
}

func (f *countingFS) OpenDir(name string) (vfs.File, error) {
	f.dirSyncs.Add(1)
	return f.FS.OpenDir(name)
}

func BenchmarkDirPut(b *testing.B) {
	for _, size := range []int{100, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			d, err := storage.OpenDir(vfs.Default, b.TempDir(), storage.DirConfig{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = d.Close() }()
			data := make([]byte, size)
			b.SetBytes(int64(size))
			for k := 0; b.Loop(); k++ {
				wantStatus(b, d, put(fmt.Sprintf("dir/%d", k%8), data), state.OK)
			}
		})
	}
}

func BenchmarkDirAppend(b *testing.B) {
	d, err := storage.OpenDir(vfs.Default, b.TempDir(), storage.DirConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	pos := id.Seq(0)
	for b.Loop() {
		wantStatus(b, d, state.Op{Kind: state.OpAppend, Key: "c", Attempt: 1, From: pos, To: pos + 1, Data: entry(pos+1, strings.Repeat("x", 4096))}, state.OK)
		pos++
	}
}
