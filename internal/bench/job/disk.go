package job

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// measuredFS is a file system that counts what is written through it, notes
// when it was syncing, and may be full before its disk is.
type measuredFS struct {
	vfs.FS
	clock func() int64
	quota *quota
	full  func() // is called when there is no room

	written  atomic.Int64
	logBytes atomic.Int64 // of them, to the segments of channel logs

	mu    sync.Mutex
	syncs []interval
	open  map[string]*measuredFile // by the name they were opened under
}

// interval is a stretch of time since the epoch.
type interval struct{ from, to int64 }

// quota is how much may be written in all; nil: any amount.
type quota struct{ left atomic.Int64 }

func newQuota(bytes int64) *quota {
	if bytes <= 0 {
		return nil
	}
	q := &quota{}
	q.left.Store(bytes)
	return q
}

func (q *quota) take(n int) error {
	if q != nil && q.left.Add(-int64(n)) < 0 {
		return &os.PathError{Op: "write", Path: "(limit of --disk-limit)", Err: syscall.ENOSPC}
	}
	return nil
}

func newMeasuredFS(clock func() int64, q *quota, full func()) *measuredFS {
	return &measuredFS{FS: vfs.Default, clock: clock, quota: q, full: full}
}

// noRoom tells whether an error says that the disk, or the share of it that one
// may use, is full.
func noRoom(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// look passes an error on, and notes one for want of room: what becomes of it
// further up may be text in a message, or the end of the process.
func (f *measuredFS) look(err error) error {
	if noRoom(err) {
		f.full()
	}
	return err
}

// measuredFile is an open file. A segment is made under a temporary name: what
// has been written to it is counted when it gets its own.
type measuredFile struct {
	vfs.File
	fs      *measuredFS
	name    string
	isLog   atomic.Bool
	written atomic.Int64
}

const segmentSuffix = ".seg"

func (f *measuredFS) wrap(file vfs.File, name string, err error) (vfs.File, error) {
	if err != nil {
		return nil, f.look(err)
	}
	m := &measuredFile{File: file, fs: f, name: name}
	m.isLog.Store(strings.HasSuffix(name, segmentSuffix))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[string]*measuredFile{}
	}
	f.open[name] = m
	return m, nil
}

// Link implements vfs.FS: so a segment gets its name.
func (f *measuredFS) Link(from, to string) error {
	err := f.FS.Link(from, to)
	f.mu.Lock()
	m := f.open[from]
	f.mu.Unlock()
	if err == nil && m != nil && strings.HasSuffix(to, segmentSuffix) && m.isLog.CompareAndSwap(false, true) {
		f.logBytes.Add(m.written.Load())
	}
	return f.look(err)
}

func (f *measuredFile) Close() error {
	f.fs.mu.Lock()
	if f.fs.open[f.name] == f {
		delete(f.fs.open, f.name)
	}
	f.fs.mu.Unlock()
	return f.fs.look(f.File.Close())
}

func (f *measuredFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return f.wrap(file, name, err)
}

func (f *measuredFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name, c, o...)
	return f.wrap(file, name, err)
}

func (f *measuredFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(old, name, c)
	return f.wrap(file, name, err)
}

func (f *measuredFS) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	return f.wrap(file, "", err)
}

// Unwrap implements vfs.FS.
func (f *measuredFS) Unwrap() vfs.FS { return f.FS }

func (f *measuredFile) Write(p []byte) (int, error) {
	if err := f.fs.quota.take(len(p)); err != nil {
		return 0, f.fs.look(err)
	}
	n, err := f.File.Write(p)
	f.fs.written.Add(int64(n))
	f.written.Add(int64(n))
	if f.isLog.Load() {
		f.fs.logBytes.Add(int64(n))
	}
	return n, f.fs.look(err)
}

func (f *measuredFile) Sync() error { return f.timed(f.File.Sync) }

func (f *measuredFile) SyncData() error { return f.timed(f.File.SyncData) }

func (f *measuredFile) timed(sync func() error) error {
	from := f.fs.clock()
	err := sync()
	to := f.fs.clock()
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.syncs = append(f.fs.syncs, interval{from, to})
	return f.fs.look(err)
}

// syncing returns for how long between two moments at least one sync was under way.
func (f *measuredFS) syncing(from, to int64) int64 {
	f.mu.Lock()
	all := slices.Clone(f.syncs)
	f.mu.Unlock()
	slices.SortFunc(all, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	total := int64(0)
	for _, s := range all {
		s.from, s.to = max(s.from, from), min(s.to, to)
		if s.to > s.from {
			total += s.to - s.from
			from = s.to
		}
	}
	return total
}
