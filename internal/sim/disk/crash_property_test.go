package disk

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// In one directory the tree after a crash must be one that existed since the
// last sync, whatever is drawn.
func TestCrashLeavesATreeThatExisted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := New(Config{})
		fs := v.Mount()
		tree := func() string {
			names, _ := v.Mount().List("")
			out := ""
			for _, n := range names {
				st, err := v.Mount().Stat(n)
				if err != nil {
					t.Fatal(err)
				}
				out += fmt.Sprint(n, "=", st.Sys().(Inode).Number, " ")
			}
			return out
		}
		name := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		existed := []string{tree()}
		for range rapid.IntRange(0, 30).Draw(t, "operations") {
			x, y := name.Draw(t, "x"), name.Draw(t, "y")
			switch rapid.IntRange(0, 5).Draw(t, "operation") {
			case 0:
				_ = fs.Remove(x) // as Create does, visibly
				existed = append(existed, tree())
				_, _ = fs.Create(x, unspecified)
			case 1:
				_ = fs.Remove(x)
			case 2:
				_ = fs.Rename(x, y)
			case 3:
				_ = fs.Link(x, y)
			case 4:
				d, _ := fs.OpenDir("")
				_ = d.Sync()
				existed = existed[:0]
			}
			existed = append(existed, tree())
		}
		v.Crash(&pcg{rapid.Uint64().Draw(t, "crash")})
		if got := tree(); !slices.Contains(existed, got) {
			t.Fatalf("after the crash: %s\nsince the sync: %q", got, existed)
		}
	})
}

// Files that are only ever renamed, across directories that come and go, must
// not get lost, and directories must keep one name.
func TestCrashLosesNoRenamedFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := New(Config{})
		fs := v.Mount()
		dirs := []string{"p", "q", "p/r"}
		for _, d := range dirs {
			_ = fs.MkdirAll(d, 0o755)
			_, _ = fs.Create(d+"/f-"+d[len(d)-1:], unspecified)
		}
		v.commitTree(v.root)
		for i := range rapid.IntRange(0, 20).Draw(t, "operations") {
			paths := append(walk(v.root, ""), "")
			x := rapid.SampledFrom(paths).Draw(t, "x")
			fresh := fmt.Sprintf("%s/n%d", rapid.SampledFrom(paths).Draw(t, "to"), i)
			st, _ := fs.Stat(x)
			switch rapid.IntRange(0, 5).Draw(t, "operation") {
			case 0:
				if h, err := fs.OpenDir(x); err == nil {
					_ = h.Sync()
				}
			case 1:
				_ = fs.MkdirAll(fresh, 0o755)
			case 2:
				if st.IsDir() {
					_ = fs.Remove(x)
				}
			default:
				_ = fs.Rename(x, fresh)
			}
		}
		before := v.String()
		v.Crash(&pcg{rapid.Uint64().Draw(t, "crash")})
		files, directories := map[uint64]bool{}, map[uint64]bool{}
		for _, p := range walk(v.root, "") {
			st, err := v.Mount().Stat(p)
			if err != nil {
				t.Fatal(err)
			}
			ino := st.Sys().(Inode).Number
			if !st.IsDir() {
				files[ino] = true
			} else if directories[ino] {
				t.Fatalf("directory %s has two names\n%s", p, v)
			} else {
				directories[ino] = true
			}
		}
		if len(files) != 3 {
			t.Fatalf("%d of 3 files are left\n%safter\n%s", len(files), v, before)
		}
	})
}

// walk returns the paths under a directory.
func walk(n *node, path string) []string {
	var out []string
	for _, e := range n.entries {
		out = append(out, path+"/"+e.name)
		if e.node.isDir {
			out = append(out, walk(e.node, path+"/"+e.name)...)
		}
	}
	return out
}

// Every sector of a file holds, after a crash, what was last synced there, what
// was last written there, or zeros where nothing durable was.
func TestCrashLeavesLegalSectors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := New(Config{})
		fs := v.Mount()
		f, _ := fs.Create("a", unspecified)
		d, _ := fs.OpenDir("")
		_ = d.Sync()
		var now, synced []byte
		for i := range rapid.IntRange(1, 12).Draw(t, "writes") {
			if rapid.IntRange(0, 2).Draw(t, "sync") == 0 {
				_ = f.Sync()
				synced = slices.Clone(now)
			}
			off := rapid.IntRange(0, len(now)+600).Draw(t, "offset")
			p := bytes.Repeat([]byte{byte(i + 1)}, rapid.IntRange(1, 1500).Draw(t, "length"))
			if _, err := f.WriteAt(p, int64(off)); err != nil {
				t.Fatal(err)
			}
			if end := off + len(p); end > len(now) {
				now = append(now, make([]byte, end-len(now))...)
			}
			copy(now[off:], p)
		}
		v.Crash(&pcg{rapid.Uint64().Draw(t, "crash")})
		r, _ := v.Mount().Open("a")
		got, _ := io.ReadAll(r)
		if len(got) < len(synced) || len(got) > len(now) {
			t.Fatalf("%d bytes left of %d synced, %d written", len(got), len(synced), len(now))
		}
		for a := 0; a < len(got); a += SectorSize {
			b := min(a+SectorSize, len(got))
			old := make([]byte, b-a)
			copy(old, synced[min(a, len(synced)):])
			if s := got[a:b]; !bytes.Equal(s, now[a:b]) && !bytes.Equal(s, old) {
				t.Fatalf("bytes %d-%d are neither old nor new", a, b)
			}
		}
	})
}
