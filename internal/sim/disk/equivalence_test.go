package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// twin is one of the two file systems that must behave alike: ours and the
// real one under a temporary directory.
type twin struct {
	fs    vfs.FS
	base  string
	files []vfs.File // open handles by slot
}

func (w *twin) path(p string) string { return w.fs.PathJoin(w.base, p) }

// Without crashes the simulated file system must do what the real one does.
func TestEquivalentToRealFileSystem(t *testing.T) {
	root := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		real := &twin{fs: vfs.Default, base: fmt.Sprintf("%s/%d", root, run)}
		ours := &twin{fs: New(Config{}).Mount(), base: "base"}
		for _, w := range []*twin{real, ours} {
			if err := w.fs.MkdirAll(w.base, 0o755); err != nil {
				t.Fatal(err)
			}
			w.files = make([]vfs.File, 4)
			defer w.close()
		}
		for range rapid.IntRange(1, 40).Draw(t, "operations") {
			op := anyOperation(t)
			if a, b := op.do(real), op.do(ours); a != b {
				t.Fatalf("%+v: the real file system says %s, ours %s", op, a, b)
			}
		}
		if a, b := real.tree(""), ours.tree(""); a != b {
			t.Fatalf("the real file system has\n%sours\n%s", a, b)
		}
	})
}

func (w *twin) close() {
	for _, f := range w.files {
		if f != nil {
			_ = f.Close()
		}
	}
	_ = w.fs.RemoveAll(w.base)
}

// tree describes everything that can be seen under a directory.
func (w *twin) tree(dir string) string {
	names, err := w.fs.List(w.path(dir))
	if err != nil {
		return class(err)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, n := range names {
		p := dir + "/" + n
		st, err := w.fs.Stat(w.path(p))
		if err != nil {
			return class(err)
		}
		if st.IsDir() {
			fmt.Fprintf(&b, "%s/\n%s", p, w.tree(p))
			continue
		}
		f, _ := w.fs.Open(w.path(p))
		data, _ := io.ReadAll(f)
		_ = f.Close()
		fmt.Fprintf(&b, "%s %d %q\n", p, st.Size(), data)
	}
	return b.String()
}

// class reduces an error to what callers can tell.
func class(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, io.EOF):
		return "eof"
	case errors.Is(err, os.ErrNotExist):
		return "does not exist"
	}
	return "error"
}

// operation is one call, on names, a slot for handles, an offset and data.
type operation struct {
	kind   string
	x, y   string
	slot   int
	off    int64
	data   string
	length int
}

func anyOperation(t *rapid.T) operation {
	names := []string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "none/a", "./d/../a", "d//b"}
	kinds := []string{
		"create", "open", "open-write", "reuse", "write", "write-at", "read", "read-at", "close", "sync",
		"size", "mkdir", "remove", "remove-all", "rename", "link", "stat", "list", "sync-dir",
	}
	return operation{
		kind:   rapid.SampledFrom(kinds).Draw(t, "kind"),
		x:      rapid.SampledFrom(names).Draw(t, "x"),
		y:      rapid.SampledFrom(names).Draw(t, "y"),
		slot:   rapid.IntRange(0, 3).Draw(t, "slot"),
		off:    rapid.Int64Range(0, 12).Draw(t, "off"),
		data:   rapid.StringMatching(`[a-z]{1,6}`).Draw(t, "data"),
		length: rapid.IntRange(1, 8).Draw(t, "length"),
	}
}

// do carries out the operation and returns what was seen.
func (o operation) do(w *twin) string {
	x, y := w.path(o.x), w.path(o.y)
	switch o.kind {
	case "create":
		return w.keep(o.slot)(w.fs.Create(x, unspecified))
	case "open":
		return w.keep(o.slot)(w.fs.Open(x, vfs.RandomReadsOption))
	case "open-write":
		return w.keep(o.slot)(w.fs.OpenReadWrite(x, unspecified))
	case "reuse":
		return w.keep(o.slot)(w.fs.ReuseForWrite(x, y, unspecified))
	case "mkdir":
		return class(w.fs.MkdirAll(x, 0o755))
	case "remove":
		return class(w.fs.Remove(x))
	case "remove-all":
		return class(w.fs.RemoveAll(x))
	case "rename":
		return class(w.fs.Rename(x, y))
	case "link":
		return class(w.fs.Link(x, y))
	case "list":
		names, err := w.fs.List(x)
		slices.Sort(names)
		return fmt.Sprint(names, class(err))
	case "stat":
		st, err := w.fs.Stat(x)
		if err != nil {
			return class(err)
		}
		return describeInfo(st)
	case "sync-dir":
		d, err := w.fs.OpenDir(x)
		if err != nil {
			return class(err)
		}
		return o.onDirectory(w, d)
	}
	if w.files[o.slot] == nil {
		return "no handle"
	}
	return o.onHandle(w)
}

func (o operation) onHandle(w *twin) string {
	f := w.files[o.slot]
	buf := make([]byte, o.length)
	switch o.kind {
	case "write":
		n, err := f.Write([]byte(o.data))
		return fmt.Sprint(n, class(err))
	case "write-at":
		n, err := f.WriteAt([]byte(o.data), o.off)
		return fmt.Sprint(n, class(err))
	case "read":
		n, err := f.Read(buf)
		return fmt.Sprint(n, string(buf[:max(n, 0)]), class(err))
	case "read-at":
		n, err := f.ReadAt(buf, o.off)
		return fmt.Sprint(n, string(buf[:max(n, 0)]), class(err))
	case "sync":
		if w.fs == vfs.Default {
			return "ok" // always, and slowly
		}
		return class(f.Sync())
	case "size":
		st, err := f.Stat()
		if err != nil {
			return class(err)
		}
		return describeInfo(st)
	}
	w.files[o.slot] = nil
	return class(f.Close())
}

func (o operation) onDirectory(w *twin, d vfs.File) string {
	if w.fs != vfs.Default { // there it is slow
		if err := d.Sync(); err != nil {
			return class(err)
		}
	}
	return class(d.Close())
}

func describeInfo(st vfs.FileInfo) string {
	if st.IsDir() {
		return fmt.Sprint(st.Name(), st.Mode().Type())
	}
	return fmt.Sprint(st.Name(), st.Size(), st.Mode().Type())
}

// keep stores an opened handle in a slot, closing what was there.
func (w *twin) keep(slot int) func(vfs.File, error) string {
	return func(f vfs.File, err error) string {
		if err == nil {
			if old := w.files[slot]; old != nil {
				_ = old.Close()
			}
			w.files[slot] = f
		}
		return class(err)
	}
}
