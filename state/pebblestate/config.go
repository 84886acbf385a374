package pebblestate

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
)

// Names of the two backends in catalogs and handles. Each restores what the other wrote.
const (
	NameIncremental = "pebble"
	NameFull        = "pebble-full"
)

// Config holds the settings of a backend. The zero value is a live, incremental
// backend of modest size.
type Config struct {
	// Full makes every snapshot upload every table file.
	Full bool
	// Deterministic is for simulation: no background work, compaction as part of
	// a capture and by counting only, small buffers. The same calls then make the
	// same files with the same contents and operations in the same order.
	Deterministic bool
	// CacheBytes is the size of the block cache, which all stores of a backend
	// share. 0 means 64 MiB (deterministic: 1 MiB).
	CacheBytes int64
	// WriteCacheBytes bounds the entries in memory, per store: changed ones and
	// clean ones. The frozen copy of a snapshot comes on top, at most as much
	// again. 0 means 64 MiB (deterministic: 4 MiB).
	WriteCacheBytes int64
	// TableBytes is the size at which a table file ends and the next begins.
	// 0 means 32 MiB (deterministic: 1 MiB).
	TableBytes int
}

// Validate reports settings that make no sense.
func (c Config) Validate() error {
	if c.CacheBytes < 0 || c.WriteCacheBytes < 0 || c.TableBytes < 0 {
		return fmt.Errorf("pebblestate: sizes must not be negative: block cache %d, write cache %d, table %d; 0 takes the default", c.CacheBytes, c.WriteCacheBytes, c.TableBytes)
	}
	return nil
}

func (c Config) withDefaults() Config {
	cache, write, table := int64(64<<20), int64(64<<20), 32<<20
	if c.Deterministic {
		cache, write, table = 1<<20, 4<<20, 1<<20
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = cache
	}
	if c.WriteCacheBytes == 0 {
		c.WriteCacheBytes = write
	}
	if c.TableBytes == 0 {
		c.TableBytes = table
	}
	return c
}

// Backend opens stores that share a block cache. Safe for concurrent use. Make
// one and keep it: a simulation that opens thousands of stores needs one backend.
type Backend struct {
	cfg  Config
	once sync.Once
	// cache and files hold blocks and open files of all stores; they have no
	// effect on what a store does.
	cache *pebble.Cache
	files *pebble.FileCache
	put   atomic.Int64
}

var _ state.Backend = (*Backend)(nil)

// New returns a backend. Errors are those of Config.Validate.
func New(cfg Config) (*Backend, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Backend{cfg: cfg.withDefaults()}, nil
}

// Name returns "pebble" or "pebble-full".
func (b *Backend) Name() string {
	if b.cfg.Full {
		return NameFull
	}
	return NameIncremental
}

// Open returns an empty store in directory o.Dir of the vfs.FS o.FS. What is in
// the directory is removed. The database itself is opened when it is first
// needed.
func (b *Backend) Open(o state.Open) (state.Store, error) {
	fs, isFS := o.FS.(vfs.FS)
	switch {
	case !isFS:
		return nil, fmt.Errorf("%s: open %v: the worker has no file system (%T); give it a vfs.FS", b.Name(), o.Task, o.FS)
	case o.Dir == "":
		return nil, fmt.Errorf("%s: open %v: no local directory; give every task incarnation its own", b.Name(), o.Task)
	case o.Groups.Lo > o.Groups.Hi:
		return nil, fmt.Errorf("%s: open %v: key groups [%d, %d) run backwards", b.Name(), o.Task, o.Groups.Lo, o.Groups.Hi)
	}
	b.once.Do(func() {
		b.cache = pebble.NewCache(b.cfg.CacheBytes)
		b.files = pebble.NewFileCache(1, 4096)
	})
	return newStore(b, o, scratchFS{fs}), nil
}

// BytesPut returns the bytes of keys and values that all stores so far have put
// into their databases. What was overwritten in memory before that is not among
// them; table files that a restore adopts as they are neither.
func (b *Backend) BytesPut() int64 { return b.put.Load() }

// Close frees the caches. All stores must be closed before.
func (b *Backend) Close() {
	if b.cache != nil {
		b.files.Unref()
		b.cache.Unref()
		b.cache, b.files = nil, nil
	}
}

// maxL0Tables is far above what the policy for compaction allows to pile up:
// writes never stall, they go on reading more tables.
const maxL0Tables = 1 << 20

// options returns the options of a store's database.
func (s *Store) options() *pebble.Options {
	b := s.backend
	o := &pebble.Options{
		FS: s.databaseFS(), Cache: b.cache, FileCache: b.files, Logger: logger{s},
		FormatMajorVersion:    formatVersion,
		DisableWAL:            true,
		DisableTableStats:     true,
		NoSyncOnClose:         true,
		MemTableSize:          64 << 10, // never used
		MaxManifestFileSize:   1 << 20,
		L0StopWritesThreshold: maxL0Tables,
	}
	o.TargetFileSizes[0] = int64(b.cfg.TableBytes)
	o.Experimental.FileCacheShards = 1 // the default depends on the number of processors
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	if b.cfg.Deterministic {
		o.DisableAutomaticCompactions = true
	} else {
		o.L0CompactionThreshold = 8
		o.LBaseMaxBytes = 512 << 20
		for i := range o.Levels {
			o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
			o.Levels[i].BlockSize = 8 << 10
		}
		o.EventListener = &pebble.EventListener{BackgroundError: func(err error) { s.fail("in the background", err) }}
	}
	o.EnsureDefaults()
	return o
}

func (s *Store) databaseFS() databaseFS {
	return databaseFS{s.fs, &s.local, s.backend.cfg.Deterministic}
}

const formatVersion = pebble.FormatNewest

func (s *Store) writerOptions() sstable.WriterOptions {
	o := s.opts.MakeWriterOptions(0, formatVersion.MaxTableFormat())
	o.DisableValueBlocks = true // they are for older versions, and a run has none; they cost 32 KiB per table
	return o
}

// logger takes what Pebble has to say; only what is fatal matters, and that
// ends the store, not the process.
type logger struct{ s *Store }

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}
func (l logger) Fatalf(format string, args ...any) {
	l.s.fail("in the database", fatal(format, args))
}

func fatal(format string, args []any) error {
	for _, a := range args {
		if err, isErr := a.(error); isErr {
			return err
		}
	}
	return fmt.Errorf(format, args...)
}
