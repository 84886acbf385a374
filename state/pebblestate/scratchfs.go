package pebblestate

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// scratchFS is a file system on which nothing is synced: after a crash the
// local directory is of no use anyway.
type scratchFS struct{ vfs.FS }

type scratchFile struct{ vfs.File }

func (scratchFile) Sync() error                { return nil }
func (scratchFile) SyncData() error            { return nil }
func (scratchFile) SyncTo(int64) (bool, error) { return false, nil }

func scratch(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return scratchFile{f}, nil
}

func (s scratchFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return scratch(s.FS.Create(name, c))
}

func (s scratchFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return scratch(s.FS.OpenReadWrite(name, c, opts...))
}

func (s scratchFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return scratch(s.FS.ReuseForWrite(old, name, c))
}

func (s scratchFS) OpenDir(name string) (vfs.File, error) { return scratch(s.FS.OpenDir(name)) }

// Lock gives every directory to whoever asks: it belongs to one incarnation,
// and locks of a dead process would be in the way.
func (scratchFS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap hides the file system below.
func (scratchFS) Unwrap() vfs.FS { return nil }

// MkdirAll does not ask for permission bits.
func (s scratchFS) MkdirAll(dir string, _ os.FileMode) error { return s.FS.MkdirAll(dir, 0o755) }

// tableFiles decides when obsolete files are deleted: at moments that the store
// names, and table files not as long as a capture is to upload them.
type tableFiles struct {
	mu       sync.Mutex
	pins     map[uint64]int // captures that need a table, by its number
	obsolete []string       // paths, in no order
}

// databaseFS is the file system that a database sees: what it removes is noted
// and stays for now. (Pebble has a Cleaner for that, which other modules cannot implement.)
type databaseFS struct {
	scratchFS
	files *tableFiles
	whole bool // table files are read and written in one piece
}

// Create creates a file.
func (d databaseFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.scratchFS.Create(name, c)
	if err == nil && d.whole && isTableFile(name) {
		return &wholeWriter{scratchFile: f.(scratchFile)}, nil
	}
	return f, err
}

// Open opens a file for reading.
func (d databaseFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if !d.whole || !isTableFile(name) {
		return d.scratchFS.Open(name, opts...)
	}
	f, err := d.scratchFS.Open(name)
	if err != nil {
		return nil, err
	}
	return readWhole(f)
}

func isTableFile(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, tempSuffix)
}

// Remove notes the files that the database removes in the background. Files
// on their way into it are removed at once.
func (d databaseFS) Remove(path string) error {
	if strings.HasSuffix(path, tempSuffix) {
		return d.scratchFS.Remove(path)
	}
	d.files.mu.Lock()
	defer d.files.mu.Unlock()
	d.files.obsolete = append(d.files.obsolete, path)
	return nil
}

func (t *tableFiles) pin(tables []table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range tables {
		t.pins[tables[i].num]++
	}
}

func (t *tableFiles) unpin(tables []table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range tables {
		if t.pins[tables[i].num]--; t.pins[tables[i].num] == 0 {
			delete(t.pins, tables[i].num)
		}
	}
}

// takeFree returns the obsolete files that nobody needs, in order.
func (t *tableFiles) takeFree() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.obsolete)
	var free []string
	t.obsolete = slices.DeleteFunc(t.obsolete, func(path string) bool {
		num, isTable := tableNumber(path)
		if isTable && t.pins[num] > 0 {
			return false
		}
		free = append(free, path)
		return true
	})
	return free
}

func tableNumber(path string) (uint64, bool) {
	base, isTable := strings.CutSuffix(path[strings.LastIndexByte(path, '/')+1:], ".sst")
	num, err := strconv.ParseUint(base, 10, 64)
	return num, isTable && err == nil
}
