package job

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestMeasuredFilesSync: what is measured is synced, and the time noted. A file
// system in memory loses what was not when it crashes.
func TestMeasuredFilesSync(t *testing.T) {
	for name, sync := range map[string]func(vfs.File) error{
		"sync": vfs.File.Sync, "data": vfs.File.SyncData, "never": func(vfs.File) error { return nil },
	} {
		mem := vfs.NewCrashableMem()
		now := int64(0)
		fs := newMeasuredFS(func() int64 { now += 10; return now }, nil, nil)
		fs.FS = mem
		f, err := fs.Create("f", "test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("12345")); err != nil {
			t.Fatal(err)
		}
		if err := sync(f); err != nil {
			t.Fatal(err)
		}
		dir, err := fs.OpenDir("")
		if err == nil {
			err = dir.Sync()
		}
		if err != nil {
			t.Fatal(err)
		}
		want := int64(5)
		if name == "never" {
			want = 0
		}
		info, err := mem.CrashClone(vfs.CrashCloneCfg{}).Stat("f")
		if err != nil || info.Size() != want {
			t.Errorf("%s: %v, %v after a crash, want %d bytes", name, info, err, want)
		}
		if took := fs.syncing(0, now); took < 10 {
			t.Errorf("%s: %d ns of syncing noted", name, took)
		}
		if fs.written.Load() != 5 {
			t.Errorf("%s: %d bytes counted", name, fs.written.Load())
		}
	}
}
