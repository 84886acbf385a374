package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
)

// Dir is storage in a directory: one file per object, one directory per log.
//
// An object is written to a temporary file, synced, renamed (OpPut) or linked
// (OpCreate, which a name already taken defeats), and the directory is synced;
// concurrent operations share directory syncs. Every file has a header with
// format and version and a checksum over its content and its key. What a listing
// shows is durable. Several processes may use one directory at a time, also one
// that has been replaced and does not know it: conditional creates have one
// winner, and an append that a later attempt has fenced off is Lost even if the
// two race. Safe for concurrent use.
//
// A full disk, missing permission or a file of another format version is
// Refused; other errors of the file system are Failed, that is, of unknown
// outcome. Directories are never removed.
type Dir struct {
	fs    vfs.FS
	root  string
	cfg   DirConfig
	slot  string    // prefix of our temporary files, ours while lock is held
	lock  io.Closer // on the slot
	temps atomic.Uint64
	view  bool // nothing is to be changed or made durable: see View

	mu     sync.Mutex
	dirs   map[string]*directory // by path
	logs   map[string]*dirLog
	fences []fence // seen so far
}

// directory is what we know of one directory below the root.
type directory struct {
	sync groupSync
	made bool // exists durably
}

// DirConfig holds the settings of a Dir. The zero value is good.
type DirConfig struct {
	// SegmentBytes is the size from which on a log goes on in a new file, which
	// is the unit in which trimming frees space. 0 means 4 MiB.
	SegmentBytes int64
}

const maxOwners = 256

// OpenDir opens the storage in directory root, which is created if need be.
// Temporary files that dead processes left behind are removed. The error names
// the directory and says what to do.
func OpenDir(fsys vfs.FS, root string, cfg DirConfig) (*Dir, error) {
	if cfg.SegmentBytes <= 0 {
		cfg.SegmentBytes = 4 << 20
	}
	d := &Dir{fs: fsys, root: root, cfg: cfg, dirs: map[string]*directory{}, logs: map[string]*dirLog{}}
	if err := d.open(); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("checkpoint directory %q cannot be used: %w%s", root, err, advice(err))
	}
	return d, nil
}

func (d *Dir) open() error {
	if err := d.makeRoot(d.root); err != nil {
		return err
	}
	for _, sub := range []string{tempDir, fenceDir} {
		if err := d.ensure(d.fs.PathJoin(d.root, sub)); err != nil {
			return err
		}
	}
	if err := d.takeSlot(); err != nil {
		return err
	}
	if err := d.syncDir(d.fs.PathJoin(d.root, fenceDir)); err != nil {
		return err
	}
	return d.readFences()
}

// makeRoot makes the root exist durably. All directories above it are synced: who
// made them may have failed to.
func (d *Dir) makeRoot(path string) error {
	if info, err := d.fs.Stat(path); err == nil && !info.IsDir() {
		return errors.New("it is a file; name a directory")
	}
	if err := d.fs.MkdirAll(path, 0o755); err != nil {
		return err
	}
	for parent := d.fs.PathDir(path); ; path, parent = parent, d.fs.PathDir(parent) {
		if err := d.syncPath(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		if parent == path || parent == d.fs.PathDir(parent) {
			return nil
		}
	}
}

// takeSlot locks the first free owner number and clears what its former owners,
// and those of other free numbers, left behind.
func (d *Dir) takeSlot() error {
	temp := d.fs.PathJoin(d.root, tempDir)
	names, err := d.fs.List(temp)
	if err != nil {
		return err
	}
	for i := range maxOwners {
		slot := fmt.Sprintf("owner%03d", i)
		var lock io.Closer
		if lock, err = d.fs.Lock(d.fs.PathJoin(temp, slot+".lock")); err != nil {
			continue
		}
		for _, name := range names {
			if strings.HasPrefix(name, slot+"-") {
				_ = d.fs.Remove(d.fs.PathJoin(temp, name)) // if not now, then at the next start
			}
		}
		if d.lock == nil {
			d.slot, d.lock = slot, lock
			continue
		}
		_ = lock.Close()
		if !anyPrefix(names, fmt.Sprintf("owner%03d", i+1)) {
			return nil // no trace of further owners
		}
	}
	if d.lock == nil {
		return fmt.Errorf("no owner lock is free in %q: %w", temp, err)
	}
	return nil
}

func anyPrefix(names []string, prefix string) bool {
	for _, n := range names {
		if strings.HasPrefix(n, prefix) {
			return true
		}
	}
	return false
}

// Close gives up the owner lock and closes all files. No operation may be under
// way or follow. What was OK is durable already.
func (d *Dir) Close() error {
	var err error
	for _, l := range d.logs { //det:unordered closing files that are synced
		err = errors.Join(err, l.closeCurrent())
	}
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
		d.lock = nil
	}
	return err
}

// Do carries one operation out.
func (d *Dir) Do(op state.Op) state.Result {
	if err := checkKey(op); err != nil {
		return refuse(op, "%w", err)
	}
	switch op.Kind {
	case state.OpPut:
		return d.put(op)
	case state.OpCreate:
		return d.create(op)
	case state.OpGet:
		return d.get(op)
	case state.OpList:
		return d.list(op)
	case state.OpDelete:
		return d.remove(op)
	case state.OpAppend, state.OpReadLog, state.OpTrim:
		return d.log(op.Key).do(op)
	case state.OpFence:
		return d.fence(op)
	}
	return refuse(op, "%w", errNoKind)
}

// ensure makes a directory below the root exist durably.
func (d *Dir) ensure(path string) error {
	if path == d.root {
		return nil
	}
	entry := d.known(path)
	d.mu.Lock()
	made := entry.made
	d.mu.Unlock()
	if made {
		return nil
	}
	parent := d.fs.PathDir(path)
	if err := d.ensure(parent); err != nil {
		return err
	}
	if err := d.fs.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if err := d.syncDir(parent); err != nil {
		return err
	}
	d.mu.Lock()
	entry.made = true
	d.mu.Unlock()
	return nil
}

func (d *Dir) known(path string) *directory {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry := d.dirs[path]
	if entry == nil {
		entry = &directory{}
		d.dirs[path] = entry
	}
	return entry
}

// syncDir makes what has happened in a known directory durable.
func (d *Dir) syncDir(path string) error {
	if d.view {
		return nil
	}
	return d.known(path).sync.do(func() error { return d.syncPath(path) })
}

func (d *Dir) syncPath(path string) error {
	f, err := d.fs.OpenDir(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}

// tempPath returns a name that nobody else uses.
func (d *Dir) tempPath() string {
	return d.fs.PathJoin(d.root, tempDir, fmt.Sprintf("%s-%d%s", d.slot, d.temps.Add(1), tempSuffix))
}

// fail turns an error of the file system into an outcome.
func (d *Dir) fail(op state.Op, err error) state.Result {
	status := state.Failed
	if advice(err) != "" {
		status = state.Refused
	}
	if errors.Is(err, fs.ErrNotExist) {
		d.mu.Lock()
		clear(d.dirs) // somebody removed a directory: make it again
		d.mu.Unlock()
	}
	return state.Result{Status: status, Err: fmt.Errorf("%s %q in directory %q: %w%s", op.Kind, op.Key, d.root, err, advice(err))}
}

// advice says what to do about an error that repeating will not mend.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "; the disk is full: free space or use another directory, and start again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "; it is not writable: change its permissions or use another directory"
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return "; the file system cannot hold this name: use shorter job and directory names"
	case errors.Is(err, syscall.EFBIG):
		return "; the file system cannot hold a file of this size: use another directory"
	}
	return ""
}
