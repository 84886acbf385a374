package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is a volume as one process sees it until it crashes. Paths are separated
// by slashes; a leading slash or its absence makes no difference, and the empty path is the root.
// Errors wrap what the real file system would give (syscall.ENOENT, EEXIST,
// ENOTDIR, ENOTEMPTY, ENOSPC, ...), [ErrStale] after a crash, or the error of a [Fault].
// All methods may be called concurrently.
type FS struct {
	vol *Volume
	gen uint64
}

var _ vfs.FS = (*FS)(nil)

var errLocked = errors.New("already locked; close the database that holds it first")

// place is where a path leads: the entry name in dir, and what it stands for,
// nil for nothing. Of the root, dir is nil.
type place struct {
	dir  *node
	name string
	node *node
}

// locate follows a path. Only its last element may be missing.
func (v *Volume) locate(name string) (place, error) {
	p := place{node: v.root, name: "/"}
	for rest := name; rest != ""; {
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		switch element {
		case "", ".":
			continue
		case "..":
			return v.locate(path.Clean("/" + name))
		}
		if p.node == nil {
			return place{}, syscall.ENOENT
		}
		if !p.node.isDir {
			return place{}, syscall.ENOTDIR
		}
		p = place{dir: p.node, name: element, node: p.node.child(element)}
	}
	return p, nil
}

// start begins an operation on a path and locates it. The volume is locked.
func (f *FS) start(op Op, name string) (place, error) {
	if err := f.admit(op, RoleOf(name), name); err != nil {
		return place{}, err
	}
	p, err := f.vol.locate(name)
	return p, pathError(op, name, err)
}

// existing is start for a path that must lead somewhere.
func (f *FS) existing(op Op, name string) (place, error) {
	p, err := f.start(op, name)
	if err == nil && p.node == nil {
		err = pathError(op, name, syscall.ENOENT)
	}
	return p, err
}

// startTwo begins an operation that makes newname out of oldname, which must exist.
func (f *FS) startTwo(op Op, oldname, newname string) (from, to place, err error) {
	if err := f.admit(op, RoleOf(newname), newname); err != nil {
		return from, to, err
	}
	from, err = f.vol.locate(oldname)
	if err == nil && from.node == nil && op == OpLink {
		err = syscall.ENOENT // a rename first looks whether both directories exist
	}
	if err == nil {
		to, err = f.vol.locate(newname)
	}
	if err == nil && from.node == nil {
		err = syscall.ENOENT
	}
	return from, to, linkError(op, oldname, newname, err)
}

func linkError(op Op, oldname, newname string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op.String(), Old: oldname, New: newname, Err: err}
}

func pathError(op Op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op.String(), Path: name, Err: err}
}

// Create makes an empty file for reading and writing. A file of this name is
// removed first, so that its other names keep its content.
func (f *FS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	v := f.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := f.start(OpCreate, name)
	if err != nil {
		return nil, err
	}
	if p.node != nil {
		if err := v.remove(p); err != nil {
			return nil, pathError(OpCreate, name, err)
		}
	}
	p.node = v.newNode(false)
	v.place(p.dir, p.name, p.node)
	return f.handle(p.node, name, true), nil
}

// Link gives a file a further name.
func (f *FS) Link(oldname, newname string) error {
	v := f.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	from, to, err := f.startTwo(OpLink, oldname, newname)
	if err != nil {
		return err
	}
	switch {
	case to.node != nil:
		err = syscall.EEXIST
	case from.node.isDir:
		err = syscall.EPERM
	default:
		v.place(to.dir, to.name, from.node)
		return nil
	}
	return linkError(OpLink, oldname, newname, err)
}

// Open opens a file or directory for reading.
func (f *FS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.open(OpOpen, name)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o.Apply(file)
	}
	return file, nil
}

// OpenDir opens a directory for syncing.
func (f *FS) OpenDir(name string) (vfs.File, error) {
	file, err := f.open(OpOpenDir, name)
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *FS) open(op Op, name string) (*file, error) {
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	p, err := f.existing(op, name)
	if err != nil {
		return nil, err
	}
	return f.handle(p.node, name, false), nil
}

// OpenReadWrite opens a file for reading and writing from its beginning and
// creates it when it is missing.
func (f *FS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.openWrite(OpOpenWrite, name)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o.Apply(file)
	}
	return file, nil
}

func (f *FS) openWrite(op Op, name string) (*file, error) {
	v := f.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := f.start(op, name)
	if err != nil {
		return nil, err
	}
	if p.node == nil {
		p.node = v.newNode(false)
		v.place(p.dir, p.name, p.node)
	}
	if p.node.isDir {
		return nil, pathError(op, name, syscall.EISDIR)
	}
	return f.handle(p.node, name, true), nil
}

// Remove removes a file or an empty directory.
func (f *FS) Remove(name string) error {
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	p, err := f.existing(OpRemove, name)
	if err != nil {
		return err
	}
	return pathError(OpRemove, name, f.vol.remove(p))
}

func (v *Volume) remove(p place) error {
	if p.dir == nil {
		return syscall.EBUSY
	}
	if len(p.node.entries) > 0 {
		return syscall.ENOTEMPTY
	}
	v.place(p.dir, p.name, nil)
	return nil
}

// RemoveAll removes a file or a directory with all that is in it, the last
// name first; of the root, only what is in it. It goes on after an error and returns the first. A path that
// does not exist is no error.
func (f *FS) RemoveAll(name string) error {
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	p, err := f.vol.locate(name)
	if err == nil && p.node != nil {
		return f.removeAll(p, name)
	}
	if _, err = f.existing(OpRemove, name); errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return err
}

func (f *FS) removeAll(p place, name string) error {
	var first error
	for i := len(p.node.entries) - 1; i >= 0; i-- {
		e := p.node.entries[i]
		err := f.removeAll(place{dir: p.node, name: e.name, node: e.node}, path.Join(name, e.name))
		if first == nil {
			first = err
		}
	}
	if p.dir == nil {
		return first
	}
	err := f.admit(OpRemove, RoleOf(name), name)
	if err == nil {
		err = pathError(OpRemove, name, f.vol.remove(p))
	}
	if first == nil {
		first = err
	}
	return first
}

// Rename gives a file or directory another name. A file of that name is
// removed by the same atomic operation; a directory of that name is an error.
func (f *FS) Rename(oldname, newname string) error {
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	return f.rename(OpRename, oldname, newname)
}

func (f *FS) rename(op Op, oldname, newname string) error {
	from, to, err := f.startTwo(op, oldname, newname)
	if err != nil {
		return err
	}
	if err := mayRename(from, to); err != nil {
		return linkError(op, oldname, newname, err)
	}
	if from.node != to.node { // else: two names of one file, both of which stay
		f.vol.move(from.node, from.dir, from.name, to.dir, to.name)
	}
	return nil
}

// mayRename gives the error with which the real file system refuses.
func mayRename(from, to place) error {
	switch {
	case from.dir == nil || to.dir == nil:
		return syscall.EBUSY
	case to.node != nil && to.node.isDir:
		return syscall.EEXIST // as os.Rename has it, even when it is empty
	case from.node.isDir && to.node != nil:
		return syscall.ENOTDIR
	case from.node.isDir && from.node.contains(to.dir):
		return syscall.EINVAL
	}
	return nil
}

// ReuseForWrite renames a file and opens it for writing over its old content.
func (f *FS) ReuseForWrite(oldname, newname string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	v := f.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := f.rename(OpReuse, oldname, newname); err != nil {
		return nil, err
	}
	p, err := v.locate(newname)
	if err == nil && p.node.isDir {
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, pathError(OpReuse, newname, err)
	}
	return f.handle(p.node, newname, true), nil
}

// MkdirAll creates a directory and those above it that are missing. Permissions are not kept.
func (f *FS) MkdirAll(dir string, _ os.FileMode) error {
	v := f.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := f.admit(OpMkdir, RoleOf(dir), dir); err != nil {
		return err
	}
	at := v.root
	for rest := path.Clean("/" + dir)[1:]; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		next := at.child(name)
		if next == nil {
			next = v.newNode(true)
			v.place(at, name, next)
		}
		if !next.isDir {
			return pathError(OpMkdir, dir, syscall.ENOTDIR)
		}
		at = next
	}
	return nil
}

// Lock takes the lock that a file stands for, creating the file when it is
// missing. It is held until closed or until a crash; a second Lock fails.
func (f *FS) Lock(name string) (io.Closer, error) {
	h, err := f.openWrite(OpLock, name)
	if err != nil {
		return nil, err
	}
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	if h.node.lock {
		h.drop()
		return nil, pathError(OpLock, name, errLocked)
	}
	h.node.lock = true
	return (*fileLock)(h), nil
}

// List returns the names in a directory, sorted.
func (f *FS) List(dir string) ([]string, error) {
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	p, err := f.existing(OpList, dir)
	if err != nil {
		return nil, err
	}
	if !p.node.isDir {
		return nil, pathError(OpList, dir, syscall.ENOTDIR)
	}
	names := make([]string, len(p.node.entries))
	for i, e := range p.node.entries {
		names[i] = e.name
	}
	return names, nil
}

// Stat describes a file or directory. The Sys of the result is an [Inode].
func (f *FS) Stat(name string) (vfs.FileInfo, error) {
	f.vol.mu.Lock()
	defer f.vol.mu.Unlock()
	p, err := f.existing(OpStat, name)
	if err != nil {
		return nil, err
	}
	return describe(p.node, path.Base(name)), nil
}

// PathBase returns the last element of a path.
func (*FS) PathBase(name string) string { return path.Base(name) }

// PathJoin joins elements with slashes and cleans the result.
func (*FS) PathJoin(elem ...string) string { return path.Join(elem...) }

// PathDir returns all but the last element of a path.
func (*FS) PathDir(name string) string { return path.Dir(name) }

// GetDiskUsage returns what is used of the capacity; without a capacity, of 1 EiB.
func (f *FS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	v := f.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.gen != v.gen {
		return vfs.DiskUsage{}, pathError(OpStat, "/", ErrStale)
	}
	total := v.cfg.Capacity
	if total == 0 {
		total = 1 << 60
	}
	return vfs.DiskUsage{
		TotalBytes: uint64(total),
		UsedBytes:  uint64(v.used),
		AvailBytes: uint64(max(0, total-v.used)),
	}, nil
}

// Unwrap returns nil: this file system wraps no other.
func (*FS) Unwrap() vfs.FS { return nil }
