package disk

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestCapacity(t *testing.T) {
	v := New(Config{Capacity: 1000})
	fs := v.Mount()
	f := write(t, fs, "a", make([]byte, 900))
	n, err := f.Write(make([]byte, 101))
	var full *FullError
	if n != 0 || !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &full) {
		t.Fatalf("wrote %d, %v", n, err)
	}
	want := "write a: no space left on device: 900 of 1000 bytes used, 101 more asked for; delete checkpoints or raise the capacity"
	if err.Error() != want {
		t.Errorf("error\n%s\nwant\n%s", err, want)
	}
	if _, err := f.WriteAt(make([]byte, 900), 0); err != nil {
		t.Errorf("overwriting needs no room: %v", err)
	}
	must(t, fs.Link("a", "b"))
	must(t, fs.Remove("a"))
	must(t, fs.Remove("b"))
	if v.Used() != 900 {
		t.Errorf("%d bytes used while a handle is open", v.Used())
	}
	must(t, f.Close())
	usage, err := fs.GetDiskUsage("")
	must(t, err)
	if usage.UsedBytes != 0 || usage.AvailBytes != 1000 || usage.TotalBytes != 1000 {
		t.Errorf("usage %+v", usage)
	}
}

func TestFault(t *testing.T) {
	broken := errors.New("broken")
	v := New(Config{})
	fs := v.Mount()
	f := write(t, fs, "db/../000001.sst", []byte("x"))
	must(t, f.Sync())
	v.SetFault(func(op Op, path string) error {
		if op == OpSync && RoleOf(path) == RoleTable || op == OpSyncDir || op == OpLink {
			return broken
		}
		return nil
	})
	_, err := f.Write([]byte("y"))
	must(t, err)
	if err := f.Sync(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "sync db/../000001.sst: broken") {
		t.Errorf("sync: %v", err)
	}
	if err := fs.Link("000001.sst", "b"); !errors.Is(err, broken) {
		t.Errorf("link: %v", err)
	}
	dir, err := fs.OpenDir("")
	must(t, err)
	if err := dir.Sync(); !errors.Is(err, broken) {
		t.Errorf("directory sync: %v", err)
	}
	if got := content(t, fs, "000001.sst"); got != "xy" {
		t.Errorf("content %q", got)
	}
	crash(t, v, fateKept) // of the directory; the failed sync made nothing durable
	wantContent(t, v, "000001.sst", "x")
}

func TestRoles(t *testing.T) {
	for path, want := range map[string]Role{
		"db/000004.sst": RoleTable, "000004.blob": RoleTable, "000002.log": RoleLog, "db/000002-001.log": RoleLog,
		"MANIFEST-000001": RoleManifest, "CURRENT": RoleCurrent, "marker.manifest.000001.MANIFEST-000001": RoleCurrent,
		"OPTIONS-000003": RoleOptions, "temporary.000003.dbtmp": RoleTemp, "x.tmp": RoleTemp, "LOCK": RoleOther,
		"": RoleOther, "000004.sst/x": RoleOther,
	} {
		if got := RoleOf(path); got != want {
			t.Errorf("%q is %s, want %s", path, got, want)
		}
	}
	for op := range NumOps {
		if got, ok := ParseOp(op.String()); !ok || got != op {
			t.Errorf("operation %d reads back as %d, %v", op, got, ok)
		}
	}
	for role := range NumRoles {
		if got, ok := ParseRole(role.String()); !ok || got != role {
			t.Errorf("role %d reads back as %d, %v", role, got, ok)
		}
	}
	if _, ok := ParseOp("fsync"); ok || NumOps.String() != "unknown" {
		t.Error("an unknown operation has a name")
	}
}

func TestStats(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	f := write(t, fs, "a.sst", make([]byte, 100))
	_, err := f.Write(make([]byte, 50))
	must(t, err)
	must(t, f.Sync())
	must(t, f.Sync())
	_, err = f.Write(make([]byte, 7))
	must(t, err)
	must(t, fs.Link("a.sst", "b.sst"))
	_, _ = fs.Stat("none")
	content(t, fs, "a.sst")
	st, err := fs.Stat("b.sst")
	must(t, err)
	if links := st.Sys().(Inode).Links; links != 2 {
		t.Errorf("%d links, want 2", links)
	}
	v.Crash(nil)
	s := v.Stats()
	if s.Count(OpWrite) != 3 || s.Ops[OpWrite][RoleTable] != 3 || s.Count(OpSync) != 2 || s.Count(OpLink) != 1 ||
		s.Count(OpStat) != 2 || s.Written() != 157 || s.BytesSynced[RoleTable] != 150 || s.Synced() != 150 ||
		s.BytesRead != 157 || s.Crashes != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestLock(t *testing.T) {
	v := New(Config{})
	lock, err := v.Mount().Lock("LOCK")
	must(t, err)
	if _, err := v.Mount().Lock("LOCK"); err == nil || !strings.Contains(err.Error(), "LOCK") {
		t.Errorf("second lock: %v", err)
	}
	must(t, lock.Close())
	lock, err = v.Mount().Lock("LOCK")
	must(t, err)
	must(t, lock.Close())
}

func TestModificationTimeComesFromTheClock(t *testing.T) {
	now := int64(5)
	v := New(Config{Clock: func() int64 { return now }})
	f := write(t, v.Mount(), "a", nil)
	now = 9
	_, err := f.Write([]byte("x"))
	must(t, err)
	st, err := f.Stat()
	must(t, err)
	if got := st.ModTime().UnixNano(); got != 9 {
		t.Errorf("modified at %d, want 9", got)
	}
}

func TestResetReusesMemory(t *testing.T) {
	v := New(Config{})
	page := make([]byte, 4096)
	run := func() {
		v.Reset(Config{})
		fs := v.Mount()
		for _, name := range []string{"a", "b", "c"} {
			f, _ := fs.Create(name, unspecified)
			for range 8 {
				_, _ = f.Write(page)
			}
			_ = f.Close()
		}
		_ = fs.Rename("a", "d")
		root, _ := fs.OpenDir("")
		_ = root.Sync()
		_ = root.Close()
		_ = fs.Remove("c")
		v.Crash(nil)
	}
	run()
	stale := v.Mount()
	// A mount before and one after the crash, and a handle per opening.
	if n := testing.AllocsPerRun(50, run); n > 6 {
		t.Errorf("%v allocations per run", n)
	}
	if _, err := stale.List(""); !errors.Is(err, ErrStale) {
		t.Errorf("mount from before Reset: %v", err)
	}
	v.Reset(Config{})
	v.Crash(nil)
	if names, err := v.Mount().List(""); err != nil || len(names) != 0 || v.Used() != 0 || v.Stats() != (Stats{Ops: v.Stats().Ops, Crashes: 1}) {
		t.Errorf("after Reset and crash: %v, %v, %d bytes", names, err, v.Used())
	}
}

func TestRetainingKeepsObsoleteFiles(t *testing.T) {
	v := New(Config{})
	fs := v.Mount().Retaining()
	for _, name := range []string{"d/1.sst", "d/2.log", "d/MANIFEST-1", "d/OPTIONS-1", "d/marker.a.1.b", "d/x.tmp"} {
		must(t, fs.MkdirAll("d", 0))
		writeSynced(t, fs, name, "x")
		must(t, fs.Remove(name))
	}
	names, err := fs.List("d")
	must(t, err)
	if want := []string{"1.sst", "2.log", "MANIFEST-1", "OPTIONS-1"}; !slices.Equal(names, want) {
		t.Errorf("left %v, want %v", names, want)
	}
	must(t, fs.RemoveAll("d"))
	if v.Used() != 0 {
		t.Errorf("RemoveAll left %d bytes", v.Used())
	}
}

func TestStringShowsWhatIsPending(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	must(t, fs.MkdirAll("d", 0))
	syncDir(t, fs, "")
	writeSynced(t, fs, "d/a", "1")
	write(t, fs, "d/b", []byte("22"))
	if got, want := v.String(), "/\n/d/ +\n/d/a 1\n/d/b 2 +\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	must(t, fs.MkdirAll("d", 0))
	f := write(t, fs, "d/a", []byte("x"))
	r, err := fs.Open("d/a")
	must(t, err)
	dir, err := fs.Open("d")
	must(t, err)
	_, readErr := dir.Read(make([]byte, 1))
	_, writeErr := r.Write([]byte("y"))
	_, hugeErr := f.WriteAt([]byte("y"), 1<<62)
	_, negativeErr := f.WriteAt([]byte("y"), -1)
	_, underFile := fs.Stat("d/a/b")
	must(t, f.Close())
	for i, c := range []struct{ err, want error }{
		{readErr, syscall.EISDIR},
		{writeErr, syscall.EBADF},
		{hugeErr, syscall.EFBIG},
		{negativeErr, syscall.EINVAL},
		{underFile, syscall.ENOTDIR},
		{f.Close(), os.ErrClosed},
		{fs.Remove("/"), syscall.EBUSY},
		{fs.Remove("d"), syscall.ENOTEMPTY},
		{fs.Rename("d", "d/e"), syscall.EINVAL},
		{fs.Rename("none", "d/e"), os.ErrNotExist},
		{fs.Link("d", "e"), syscall.EPERM},
		{fs.Link("d/a", "d"), os.ErrExist},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("refusal %d: %v, want %v", i, c.err, c.want)
		}
	}
	if n, err := r.ReadAt(make([]byte, 2), 0); n != 1 || !errors.Is(err, io.EOF) {
		t.Errorf("short read gave %d, %v", n, err)
	}
}
