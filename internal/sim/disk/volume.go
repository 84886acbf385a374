package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"syscall"
)

// SectorSize is the unit, in bytes, that a write reaches the medium in: a
// sector survives a crash as a whole or not at all.
const SectorSize = 512

// ErrStale is what every operation gives on a mount or handle from before a
// crash. Only closing such a handle succeeds, so that an abandoned database can be
// closed to free its memory.
var ErrStale = errors.New("the process that used this crashed; mount the volume again")

// Drawer makes the choices of a crash: Draw returns a number from 0 to n-1, 0
// being the quiet choice, which is that what is not durable is lost.
type Drawer interface {
	Draw(n int) int
}

// Fault is asked before every operation whether it fails. A non-nil error is
// returned to the caller, wrapped with operation and path, and the operation has no
// effect; a failed sync makes nothing durable and loses nothing. [RoleOf] tells what the file is for. It is called
// with the volume locked, hence by one goroutine at a time, and must not use
// the volume.
type Fault func(op Op, path string) error

// Config describes a volume. The zero value is an unlimited volume without faults.
type Config struct {
	Capacity int64        // bytes of file contents it can hold; 0 means no limit
	Fault    Fault        // nil means no faults
	Clock    func() int64 // time for modification times, nanoseconds since 1970; nil means always 0
}

// Stats counts what was done to a volume since New or Reset. Operations count
// when they are asked for, failed ones included; bytes count when they are done.
type Stats struct {
	Ops          [NumOps][NumRoles]int64
	BytesRead    int64
	BytesWritten [NumRoles]int64
	BytesSynced  [NumRoles]int64 // written, then made durable by a sync
	Crashes      int64
}

// Count returns the number of operations of one kind over all roles.
func (s *Stats) Count(op Op) int64 { return sum(&s.Ops[op]) }

// Written returns the bytes written over all roles.
func (s *Stats) Written() int64 { return sum(&s.BytesWritten) }

// Synced returns the bytes made durable over all roles.
func (s *Stats) Synced() int64 { return sum(&s.BytesSynced) }

func sum(byRole *[NumRoles]int64) int64 {
	n := int64(0)
	for _, v := range byRole {
		n += v
	}
	return n
}

// Volume is the simulated medium. All methods may be called concurrently.
type Volume struct {
	mu      sync.Mutex
	cfg     Config
	stats   Stats
	root    *node
	mounted *FS    // the mount of this generation, nil when there is none
	gen     uint64 // grows at each crash and reset; mounts and handles of others are stale
	used    int64  // bytes of the files that have a name or an open handle
	lastIno uint64
	lastSeq uint64 // of the last change to a directory
	mark    uint64 // of the last walk that visits each node once
	pool    pool
	dirty   []*node // scratch of Crash
}

// New returns an empty volume, durable as it is.
func New(cfg Config) *Volume {
	v := new(Volume)
	v.Reset(cfg)
	return v
}

// Reset makes the volume equal to New(cfg) and keeps memory for reuse. Mounts
// and handles handed out before are stale.
func (v *Volume) Reset(cfg Config) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mark++
	v.recycle(v.root)
	v.gen++
	v.mounted = nil
	v.cfg, v.stats = cfg, Stats{}
	v.used, v.lastIno, v.lastSeq = 0, 0, 0
	v.root = v.newNode(true)
	v.root.nlink = 1
}

// SetFault replaces the fault hook; nil removes it.
func (v *Volume) SetFault(f Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cfg.Fault = f
}

// Mount returns the file system of the process that now runs on this volume.
// It is valid until the next Crash or Reset; until then every call returns the same one.
func (v *Volume) Mount() *FS {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mounted == nil {
		v.mounted = &FS{vol: v, gen: v.gen}
	}
	return v.mounted
}

// Stats returns a copy of the counters.
func (v *Volume) Stats() Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stats
}

// Used returns the bytes of all files that have a name or an open handle, each
// counted once however many names it has.
func (v *Volume) Used() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.used
}

// String lists the volume, for messages: one line per entry in path order with
// its size, and "+" where bytes or entries are not durable yet.
func (v *Volume) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	v.root.describe(&b, "")
	return b.String()
}

func (n *node) describe(b *strings.Builder, path string) {
	pending := ""
	if n.isDirty() || len(n.pending) > 0 {
		pending = " +"
	}
	if !n.isDir {
		fmt.Fprintf(b, "%s %d%s\n", path, len(n.data), pending)
		return
	}
	fmt.Fprintf(b, "%s/%s\n", path, pending)
	for _, e := range n.entries {
		e.node.describe(b, path+"/"+e.name)
	}
}

// admit begins an operation: it counts it and gives the error with which it fails
// before it has any effect. The volume is locked.
func (f *FS) admit(op Op, role Role, path string) error {
	v := f.vol
	if f.gen != v.gen {
		return &fs.PathError{Op: op.String(), Path: path, Err: ErrStale}
	}
	v.stats.Ops[op][role]++
	if v.cfg.Fault == nil {
		return nil
	}
	if err := v.cfg.Fault(op, path); err != nil {
		return &fs.PathError{Op: op.String(), Path: path, Err: err}
	}
	return nil
}

// FullError says that a volume has no room for a write. It is a syscall.ENOSPC.
type FullError struct {
	Used, Capacity, Asked int64 // bytes
}

// Error gives the figures and the way out.
func (e *FullError) Error() string {
	return fmt.Sprintf("%v: %d of %d bytes used, %d more asked for; delete checkpoints or raise the capacity",
		syscall.ENOSPC, e.Used, e.Capacity, e.Asked)
}

// Unwrap returns syscall.ENOSPC.
func (e *FullError) Unwrap() error { return syscall.ENOSPC }

// room reports whether the contents may grow by n bytes.
func (v *Volume) room(n int64) error {
	if v.cfg.Capacity > 0 && n > 0 && v.used+n > v.cfg.Capacity {
		return &FullError{Used: v.used, Capacity: v.cfg.Capacity, Asked: n}
	}
	return nil
}

// now returns the time for modification times, nanoseconds since 1970.
func (v *Volume) now() int64 {
	if v.cfg.Clock == nil {
		return 0
	}
	return v.cfg.Clock()
}
