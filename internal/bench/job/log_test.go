package job

import (
	"testing"

	"weir/id"
	"weir/state"
	"weir/state/storage"
)

func TestBytesOfMessageLogs(t *testing.T) {
	fs := newMeasuredFS(func() int64 { return 0 }, nil, nil)
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
