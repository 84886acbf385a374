package disk

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const unspecified = vfs.WriteCategoryUnspecified

// script is a Drawer that gives listed values, then zeros, and checks the bounds.
type script struct {
	tb     testing.TB
	values []int
}

func (s *script) Draw(n int) int {
	if len(s.values) == 0 {
		return 0
	}
	v := s.values[0]
	s.values = s.values[1:]
	if v >= n {
		s.tb.Fatalf("script gives %d for a draw below %d", v, n)
	}
	return v
}

func crash(tb testing.TB, v *Volume, draws ...int) Damage {
	s := &script{tb, draws}
	d := v.Crash(s)
	if len(s.values) != 0 {
		tb.Fatalf("the crash left %d draws unused: %v", len(s.values), s.values)
	}
	return d
}

// write creates a file with some content, not synced, and leaves it open.
func write(tb testing.TB, fs vfs.FS, name string, data []byte) vfs.File {
	tb.Helper()
	f, err := fs.Create(name, unspecified)
	must(tb, err)
	_, err = f.Write(data)
	must(tb, err)
	return f
}

// writeSynced creates a file whose content, but not whose name, is durable.
func writeSynced(tb testing.TB, fs vfs.FS, name, data string) {
	tb.Helper()
	f := write(tb, fs, name, []byte(data))
	must(tb, f.Sync())
	must(tb, f.Close())
}

func syncDir(tb testing.TB, fs vfs.FS, name string) {
	tb.Helper()
	d, err := fs.OpenDir(name)
	must(tb, err)
	must(tb, d.Sync())
	must(tb, d.Close())
}

// content returns a file's bytes, or "-" if there is no such file.
func content(tb testing.TB, fs vfs.FS, name string) string {
	tb.Helper()
	f, err := fs.Open(name)
	if err != nil {
		return "-"
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	must(tb, err)
	return string(data)
}

func wantContent(t *testing.T, v *Volume, name, want string) {
	t.Helper()
	if got := content(t, v.Mount(), name); got != want {
		t.Errorf("%s holds %d bytes %.40q, want %d bytes %.40q", name, len(got), got, len(want), want)
	}
}

// sectors returns n sectors, each full of its own letter.
func sectors(first byte, n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, bytes.Repeat([]byte{first + byte(i)}, SectorSize)...)
	}
	return b
}

func TestUnsyncedBytesAreLost(t *testing.T) {
	v := New(Config{})
	f := write(t, v.Mount(), "a", []byte("durable"))
	must(t, f.Sync())
	syncDir(t, v.Mount(), "")
	_, err := f.Write([]byte(" and not"))
	must(t, err)
	if d := crash(t, v); d.SectorsLost != 1 || d.SectorsKept != 0 {
		t.Errorf("damage %+v", d)
	}
	wantContent(t, v, "a", "durable")
}

func TestUnsyncedBytesMaySurvive(t *testing.T) {
	v := New(Config{})
	write(t, v.Mount(), "a", []byte("lucky"))
	syncDir(t, v.Mount(), "")
	crash(t, v, fateKept)
	wantContent(t, v, "a", "lucky")
	crash(t, v) // what survived is durable
	wantContent(t, v, "a", "lucky")
}

func TestTornWrite(t *testing.T) {
	v := New(Config{})
	f := write(t, v.Mount(), "a", []byte("head"))
	must(t, f.Sync())
	syncDir(t, v.Mount(), "")
	tail := sectors('A', 3)
	_, err := f.Write(tail)
	must(t, err)
	d := crash(t, v, fatePrefix, prefixParts/2) // half of four dirty sectors
	if d.FilesTorn != 1 || d.SectorsKept != 2 || d.SectorsLost != 2 {
		t.Errorf("damage %+v", d)
	}
	wantContent(t, v, "a", "head"+string(tail[:2*SectorSize-4]))
}

func TestScatteredWrite(t *testing.T) {
	v := New(Config{})
	write(t, v.Mount(), "a", sectors('A', 5))
	syncDir(t, v.Mount(), "")
	crash(t, v, fateScattered, 0b01010)
	zeros := strings.Repeat("\x00", SectorSize)
	b, d := string(sectors('B', 1)), string(sectors('D', 1))
	wantContent(t, v, "a", zeros+b+zeros+d)
}

func TestOverwriteRevertsToSyncedSectors(t *testing.T) {
	old, over := sectors('a', 4), sectors('A', 2)
	for _, c := range []struct {
		draws []int
		want  string
	}{
		{nil, string(old)},
		{[]int{fateKept}, string(old[:SectorSize]) + string(over) + string(old[3*SectorSize:])},
		{[]int{fatePrefix, 128}, string(old[:SectorSize]) + string(over[:SectorSize]) + string(old[2*SectorSize:])},
		{[]int{fateScattered, 0b10}, string(old[:2*SectorSize]) + string(over[SectorSize:]) + string(old[3*SectorSize:])},
	} {
		v := New(Config{})
		f := write(t, v.Mount(), "a", old)
		must(t, f.Sync())
		syncDir(t, v.Mount(), "")
		for range 2 { // twice: the second write must not take the first for durable
			_, err := f.WriteAt(over, SectorSize)
			must(t, err)
		}
		crash(t, v, c.draws...)
		wantContent(t, v, "a", c.want)
	}
}

func TestEntriesNeedDirectorySync(t *testing.T) {
	for _, c := range []struct {
		name  string
		draws []int
		want  map[string]string // after the crash
	}{
		{"all lost", nil, map[string]string{"old": "1", "gone": "2", "new": "-", "link": "-"}},
		{"all kept", []int{fateKept}, map[string]string{"old": "-", "gone": "-", "new": "1", "link": "1"}},
		{"rename kept, atomically", []int{fatePrefix, 110}, map[string]string{"old": "-", "gone": "2", "new": "1", "link": "-"}},
		{"rename cut in half is lost", []int{fatePrefix, 64}, map[string]string{"old": "1", "gone": "2", "new": "-", "link": "-"}},
		{"rename and remove kept", []int{fatePrefix, 160}, map[string]string{"old": "-", "gone": "-", "new": "1", "link": "-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := New(Config{})
			fs := v.Mount()
			writeSynced(t, fs, "old", "1")
			writeSynced(t, fs, "gone", "2")
			syncDir(t, fs, "")
			must(t, fs.Rename("old", "new")) // two changes, joined
			must(t, fs.Remove("gone"))
			must(t, fs.Link("new", "link"))
			crash(t, v, c.draws...)
			for _, name := range []string{"old", "gone", "new", "link"} {
				wantContent(t, v, name, c.want[name])
			}
		})
	}
}

func TestSyncedEntriesSurvive(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	must(t, fs.MkdirAll("d/e", 0o755))
	writeSynced(t, fs, "d/e/a", "1")
	must(t, fs.Rename("d/e/a", "d/e/b"))
	syncDir(t, fs, "")
	syncDir(t, fs, "d")
	syncDir(t, fs, "d/e")
	writeSynced(t, fs, "d/e/c", "2") // its name is not durable
	if d := crash(t, v); d.ChangesLost != 1 {
		t.Errorf("damage %+v", d)
	}
	wantContent(t, v, "d/e/b", "1")
	wantContent(t, v, "d/e/c", "-")
}

func TestSyncedFileInLostDirectoryIsLost(t *testing.T) {
	v := New(Config{})
	must(t, v.Mount().MkdirAll("d", 0o755))
	writeSynced(t, v.Mount(), "d/a", "1")
	syncDir(t, v.Mount(), "d") // but not the root, which holds d
	crash(t, v)
	if names, err := v.Mount().List(""); err != nil || len(names) != 0 {
		t.Errorf("root has %v, %v", names, err)
	}
}

func TestSyncOfParentMakesNoEntryOfChildDurable(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	must(t, fs.MkdirAll("d", 0o755))
	syncDir(t, fs, "")
	writeSynced(t, fs, "d/a", "1")
	must(t, fs.Rename("d", "e"))
	syncDir(t, fs, "")
	crash(t, v)
	if names, err := v.Mount().List("e"); err != nil || len(names) != 0 {
		t.Errorf("e has %v, %v", names, err)
	}
}

// A file moved through a directory that is then removed must be somewhere.
func TestFileMovedThroughRemovedDirectory(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	for _, d := range []string{"p", "q", "r"} {
		must(t, fs.MkdirAll(d, 0o755))
	}
	syncDir(t, fs, "")
	writeSynced(t, fs, "p/a", "1")
	syncDir(t, fs, "p")
	must(t, fs.Rename("p/a", "q/a"))
	must(t, fs.Rename("q/a", "r/a"))
	must(t, fs.Remove("q"))
	syncDir(t, fs, "")
	crash(t, v, fateKept) // of p
	wantContent(t, v, "r/a", "1")
}

func TestRemovedTreeMayComeBack(t *testing.T) {
	v := New(Config{})
	fs := v.Mount()
	must(t, fs.MkdirAll("d", 0o755))
	writeSynced(t, fs, "d/a", "1")
	syncDir(t, fs, "d")
	syncDir(t, fs, "")
	must(t, fs.RemoveAll("d"))
	if v.Used() != 0 {
		t.Errorf("%d bytes used by nothing", v.Used())
	}
	crash(t, v)
	wantContent(t, v, "d/a", "1")
	if v.Used() != 1 {
		t.Errorf("%d bytes used by one", v.Used())
	}
}

// A rename between directories whose removal survives and whose insertion does
// not would lose the file.
func TestRenameBetweenDirectoriesLosesNothing(t *testing.T) {
	for _, draws := range [][]int{{fateKept, 0}, {0, fateKept}, {0, 0}, {fateKept, fateKept}} {
		v := New(Config{})
		fs := v.Mount()
		must(t, fs.MkdirAll("from", 0o755))
		must(t, fs.MkdirAll("to", 0o755))
		writeSynced(t, fs, "from/a", "1")
		syncDir(t, fs, "from")
		syncDir(t, fs, "")
		must(t, fs.Rename("from/a", "to/a"))
		crash(t, v, draws...)
		if content(t, v.Mount(), "from/a") == "-" && content(t, v.Mount(), "to/a") == "-" {
			t.Errorf("draws %v: the file is gone\n%s", draws, v)
		}
	}
	v := New(Config{})
	fs := v.Mount()
	must(t, fs.MkdirAll("from", 0o755))
	must(t, fs.MkdirAll("to", 0o755))
	syncDir(t, fs, "")
	writeSynced(t, fs, "from/a", "1")
	must(t, fs.Rename("from/a", "to/a"))
	syncDir(t, fs, "from") // makes the removal durable, and with it the insertion
	crash(t, v)
	wantContent(t, v, "to/a", "1")
	wantContent(t, v, "from/a", "-")
}

func TestHandlesMountsAndLocksAreStaleAfterCrash(t *testing.T) {
	v := New(Config{})
	old := v.Mount()
	f := write(t, old, "a", []byte("x"))
	dir, err := old.OpenDir("")
	must(t, err)
	lock, err := old.Lock("LOCK")
	must(t, err)
	must(t, dir.Sync())
	v.Crash(nil)

	_, writeErr := f.Write([]byte("y"))
	_, readErr := f.ReadAt(make([]byte, 1), 0)
	_, statErr := f.Stat()
	_, createErr := old.Create("b", unspecified)
	_, listErr := old.List("")
	_, usageErr := old.GetDiskUsage("")
	for i, err := range []error{
		writeErr, readErr, statErr, f.Sync(), dir.Sync(), createErr, listErr, usageErr,
		old.Remove("a"), old.RemoveAll("a"), old.RemoveAll("none"), old.Rename("a", "b"), old.Link("a", "b"), old.MkdirAll("d", 0),
	} {
		if !errors.Is(err, ErrStale) {
			t.Errorf("operation %d after the crash: %v", i, err)
		}
	}
	fresh, err := v.Mount().Lock("LOCK")
	must(t, err)
	for i, c := range []io.Closer{f, dir, lock} { // must not touch what the new process holds
		if err := c.Close(); err != nil {
			t.Errorf("closing stale handle %d: %v", i, err)
		}
	}
	if _, err := v.Mount().Lock("LOCK"); err == nil {
		t.Error("closing a stale lock released the new one")
	}
	must(t, fresh.Close())
	if v.Mount() == old {
		t.Error("the mount outlived the crash")
	}
}

// Closing a handle from before a crash must not free what the new process uses.
func TestStaleCloseFreesNothing(t *testing.T) {
	v := New(Config{})
	stale := write(t, v.Mount(), "a", []byte("xyz"))
	must(t, stale.Sync())
	syncDir(t, v.Mount(), "")
	v.Crash(nil)
	f, err := v.Mount().Open("a")
	must(t, err)
	must(t, v.Mount().Remove("a"))
	must(t, stale.Close())
	if v.Used() != 3 {
		t.Errorf("%d bytes used by the removed file that is open", v.Used())
	}
	must(t, f.Close())
	if v.Used() != 0 {
		t.Errorf("%d bytes used by nothing", v.Used())
	}
}

// The bytes of an earlier run must not shine through a gap in a file.
func TestGapInReusedMemoryReadsAsZeros(t *testing.T) {
	v := New(Config{})
	write(t, v.Mount(), "a", []byte("secret"))
	v.Reset(Config{})
	f, err := v.Mount().Create("a", unspecified)
	must(t, err)
	_, err = f.WriteAt([]byte("!"), 5)
	must(t, err)
	wantContent(t, v, "a", "\x00\x00\x00\x00\x00!")
}
