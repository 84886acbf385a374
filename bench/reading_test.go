package bench

import (
	"os"
	"path/filepath"
	"testing"

	"weir/id"
	"weir/state"
	"weir/state/storage"
)

func TestProcessWritesAreThoseToADevice(t *testing.T) {
	const size = 4 << 20
	dir := t.TempDir()
	before, device := processWrites(), deviceWrites(dir)
	f, err := os.Create(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	kind, _ := mountOf(dir)
	if before == unknown || kind == "tmpfs" {
		t.Skipf("the directory is in %s", kind)
	}
	if n := grown(before, processWrites()); n < size || n > 4*size {
		t.Errorf("%d bytes were written and synced, the process says %d", size, n)
	}
	if n := grown(device, deviceWrites(dir)); n != unknown && n < size {
		t.Errorf("%d bytes were written and synced, the device says %d", size, n)
	}
}

func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	if n := deviceWrites("/proc"); n != unknown {
		t.Errorf("a file system without a device has written %d bytes", n)
	}
	if n := deviceWrites(filepath.Join(t.TempDir(), "missing")); n != unknown {
		t.Errorf("a directory that is not there has written %d bytes", n)
	}
	if grown(unknown, 5) != unknown || grown(5, unknown) != unknown || grown(5, 7) != 2 {
		t.Error("unknown is not a number to subtract")
	}
}

func TestBytesOfMessageLogs(t *testing.T) {
	fs := newMeasuredFS(func() int64 { return 0 }, nil)
	d, err := storage.OpenDir(fs, t.TempDir(), storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	do := func(op state.Op) {
		t.Helper()
		if r := d.Do(op); r.Status != state.OK {
			t.Fatal(r)
		}
	}
	do(state.Op{Kind: state.OpPut, Key: "snap/t0/1.1", Data: make([]byte, 10_000)})
	if n := fs.logBytes.Load(); n != 0 {
		t.Errorf("an object is no log, and counts %d bytes", n)
	}
	const appends, size = 5, 1000
	for i := range id.Seq(appends) {
		do(state.Op{Kind: state.OpAppend, Key: "log/c1", Attempt: 1, From: i, To: i + 1, Data: state.AppendEntry(nil, i+1, 1, make([]byte, size))})
	}
	if n := fs.logBytes.Load(); n < appends*size || n > appends*(size+200) {
		t.Errorf("%d appends of %d bytes count %d bytes", appends, size, n)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if len(fs.open) != 0 {
		t.Errorf("%d files are thought to be open", len(fs.open))
	}
}
