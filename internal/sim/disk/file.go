package disk

import (
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// file is an open file or directory.
type file struct {
	fs     *FS
	node   *node
	name   string // as it was opened
	off    int64  // of the next Read or Write
	role   Role
	writes bool
	closed bool
}

var _ vfs.File = (*file)(nil)

// maxFileSize bounds the memory that one wild offset can take, in bytes.
const maxFileSize = 1 << 32

// handle opens a node. The volume is locked.
func (f *FS) handle(n *node, name string, writes bool) *file {
	n.open++
	return &file{fs: f, node: n, name: name, role: RoleOf(name), writes: writes}
}

// begin starts an operation on the handle, which may be refused. The volume is locked.
func (h *file) begin(op Op) error {
	if h.closed {
		return h.error(op, os.ErrClosed)
	}
	if err := h.fs.admit(op, h.role, h.name); err != nil {
		return err
	}
	switch {
	case op == OpRead && h.node.isDir:
		return h.error(op, syscall.EISDIR)
	case op == OpWrite && !h.writes:
		return h.error(op, syscall.EBADF)
	}
	return nil
}

func (h *file) error(op Op, err error) error {
	return &fs.PathError{Op: op.String(), Path: h.name, Err: err}
}

// Close gives up the handle. What is not synced stays unsynced. Closing a
// handle from before a crash succeeds and does nothing.
func (h *file) Close() error {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	if h.closed {
		return &fs.PathError{Op: "close", Path: h.name, Err: os.ErrClosed}
	}
	h.drop()
	return nil
}

func (h *file) drop() {
	h.closed = true
	if h.fs.gen == h.fs.vol.gen {
		h.node.open--
		h.fs.vol.release(h.node)
	}
}

// Read reads from the handle's offset and advances it.
func (h *file) Read(p []byte) (int, error) {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	n, err := h.readAt(p, h.off)
	h.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt reads from off; it gives io.EOF when it reads less than asked for.
func (h *file) ReadAt(p []byte, off int64) (int, error) {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	return h.readAt(p, off)
}

func (h *file) readAt(p []byte, off int64) (int, error) {
	if err := h.begin(OpRead); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, h.error(OpRead, syscall.EINVAL)
	}
	n := 0
	if off < int64(len(h.node.data)) {
		n = copy(p, h.node.data[off:])
	}
	h.fs.vol.stats.BytesRead += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write writes at the handle's offset and advances it. When the volume is full
// nothing is written.
func (h *file) Write(p []byte) (int, error) {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	n, err := h.writeAt(p, h.off)
	h.off += int64(n)
	return n, err
}

// WriteAt writes at off. A gap that it leaves behind the end of the file reads as zeros.
func (h *file) WriteAt(p []byte, off int64) (int, error) {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	return h.writeAt(p, off)
}

func (h *file) writeAt(p []byte, off int64) (int, error) {
	if err := h.begin(OpWrite); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, h.error(OpWrite, syscall.EINVAL)
	}
	if off > maxFileSize-int64(len(p)) {
		return 0, h.error(OpWrite, syscall.EFBIG)
	}
	v := h.fs.vol
	if len(p) > 0 {
		if err := v.room(off + int64(len(p)) - int64(len(h.node.data))); err != nil {
			return 0, h.error(OpWrite, err)
		}
	}
	v.write(h.node, p, off)
	v.stats.BytesWritten[h.role] += int64(len(p))
	return len(p), nil
}

// Sync makes durable the bytes of a file, or the entries of a directory.
func (h *file) Sync() error {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	if h.node.isDir {
		if err := h.begin(OpSyncDir); err != nil {
			return err
		}
		v.commit(h.node, v.lastSeq)
		return nil
	}
	if err := h.begin(OpSync); err != nil {
		return err
	}
	v.stats.BytesSynced[h.role] += h.node.unsynced
	h.node.settled()
	return nil
}

// SyncData is Sync.
func (h *file) SyncData() error { return h.Sync() }

// SyncTo promises nothing, as on Linux, and does nothing.
func (h *file) SyncTo(int64) (fullSync bool, err error) { return false, nil }

// Preallocate does nothing.
func (h *file) Preallocate(_, _ int64) error { return nil }

// Prefetch does nothing.
func (h *file) Prefetch(_, _ int64) error { return nil }

// Fd returns vfs.InvalidFd.
func (h *file) Fd() uintptr { return vfs.InvalidFd }

// Stat describes the open file or directory. The Sys of the result is an [Inode].
func (h *file) Stat() (vfs.FileInfo, error) {
	v := h.fs.vol
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := h.begin(OpStat); err != nil {
		return nil, err
	}
	return describe(h.node, path.Base(h.name)), nil
}

// fileLock is a handle that holds a lock.
type fileLock file

// Close releases the lock.
func (l *fileLock) Close() error {
	v := l.fs.vol
	v.mu.Lock()
	if !l.closed && l.fs.gen == v.gen {
		l.node.lock = false
	}
	v.mu.Unlock()
	return (*file)(l).Close()
}

// Inode is what vfs.FileInfo.Sys returns: which file it is, however it is
// called, and how many names it has.
type Inode struct {
	Number uint64
	Links  int
}

// info is a description that does not change with the file.
type info struct {
	name  string
	size  int64
	mtime int64
	isDir bool
	inode Inode
}

func describe(n *node, name string) *info {
	return &info{
		name: name, size: int64(len(n.data)), mtime: n.mtime, isDir: n.isDir,
		inode: Inode{Number: n.ino, Links: int(n.nlink)},
	}
}

var _ vfs.FileInfo = (*info)(nil)

func (i *info) Name() string           { return i.name }
func (i *info) Size() int64            { return i.size }
func (i *info) ModTime() time.Time     { return time.Unix(0, i.mtime).UTC() }
func (i *info) IsDir() bool            { return i.isDir }
func (i *info) Sys() any               { return i.inode }
func (i *info) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

func (i *info) Mode() fs.FileMode {
	if i.isDir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
