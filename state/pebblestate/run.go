package pebblestate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// run is a set of entries on their way into the database, one per key.
type run struct {
	data    []byte
	entries []runEntry
	touched byte // means nothing
}

// runEntry says where an entry stands in data: length of key, length of value
// (4 bytes each), key, value.
type runEntry struct {
	prefix uint64 // the key's first bytes, to sort by
	at     int
}

const deletedLength = 1<<32 - 1 // for the length of the value

func (r *run) reset() { r.data, r.entries = r.data[:0], r.entries[:0] }

func (r *run) addTree(t *tree) {
	if t == nil {
		return
	}
	t.Scan(func(f field) bool {
		r.begin(len(f.value), f.deleted)
		r.data = append(r.data, f.key...)
		r.end(f.value)
		return true
	})
}

func (r *run) addRecord(rec cell) {
	r.begin(rec.valueLen(), rec.is(flagDeleted))
	r.data = appendKey(r.data, rec.table(), rec.group(), rec.key())
	r.end(rec.value())
}

func (r *run) begin(valueLen int, deleted bool) {
	r.entries = append(r.entries, runEntry{at: len(r.data)})
	if deleted {
		valueLen = deletedLength
	}
	r.data = binary.LittleEndian.AppendUint64(r.data, uint64(valueLen)<<32)
}

func (r *run) end(value []byte) {
	e := &r.entries[len(r.entries)-1]
	key := r.data[e.at+8:]
	binary.LittleEndian.PutUint32(r.data[e.at:], uint32(len(key)))
	e.prefix = prefixOf(key)
	if binary.LittleEndian.Uint32(r.data[e.at+4:]) != deletedLength {
		r.data = append(r.data, value...)
	}
}

// prefixOf returns the first eight bytes of a key as a number of the same order:
// enough to decide most comparisons.
func prefixOf(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

func (r *run) key(e runEntry) []byte {
	n := int(binary.LittleEndian.Uint32(r.data[e.at:]))
	return r.data[e.at+8 : e.at+8+n : e.at+8+n]
}

// value returns the value of an entry, or deleted.
func (r *run) value(e runEntry) (value []byte, deleted bool) {
	n := binary.LittleEndian.Uint32(r.data[e.at+4:])
	if n == deletedLength {
		return nil, true
	}
	at := e.at + 8 + int(binary.LittleEndian.Uint32(r.data[e.at:]))
	return r.data[at : at+int(n)], false
}

func (r *run) sort() {
	slices.SortFunc(r.entries, func(a, b runEntry) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(r.key(a), r.key(b))
	})
}

// touchAhead is cache.touchAhead for entries of a run.
func (r *run) touchAhead(entries []runEntry) {
	for _, e := range entries {
		for at := e.at; at < min(len(r.data), e.at+3*lineBytes); at += lineBytes {
			r.touched += r.data[at]
		}
	}
}

// ingest sorts a run and puts it into the database, which is opened if need be.
// Everything else in the database is older.
func (s *Store) ingest(r *run) error {
	if len(r.entries) == 0 {
		return nil
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	r.sort()
	w := tableWriter{s: s}
	for i, e := range r.entries {
		if i&(ahead-1) == 0 {
			r.touchAhead(r.entries[i:min(i+ahead, len(r.entries))])
		}
		value, deleted := r.value(e)
		if err := w.add(r.key(e), value, deleted); err != nil {
			return errors.Join(err, w.abandon())
		}
	}
	return w.ingest(db)
}

// tableWriter writes sorted entries as table files of limited size.
type tableWriter struct {
	s       *Store
	w       *sstable.Writer
	written int
	paths   []string
}

func (w *tableWriter) add(key, value []byte, deleted bool) error {
	if w.w != nil && w.written >= w.s.backend.cfg.TableBytes {
		if err := w.finish(); err != nil {
			return err
		}
	}
	if w.w == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.written += len(key) + len(value)
	if deleted {
		return w.w.Delete(key)
	}
	return w.w.Set(key, value)
}

func (w *tableWriter) begin() error {
	s := w.s
	path := s.fs.PathJoin(s.dir, fmt.Sprintf("run%06d%s", s.files.Add(1), tempSuffix))
	f, err := s.databaseFS().Create(path, writeCategory)
	if err != nil {
		return err
	}
	w.paths = append(w.paths, path)
	w.w, w.written = sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.writerOptions()), 0
	return nil
}

func (w *tableWriter) finish() error {
	err := w.w.Close()
	w.w = nil
	w.s.backend.put.Add(int64(w.written))
	return err
}

func (w *tableWriter) abandon() error {
	if w.w == nil {
		return nil
	}
	return w.finish()
}

func (w *tableWriter) ingest(db *pebble.DB) error {
	if err := w.abandon(); err != nil {
		return err
	}
	if len(w.paths) == 0 {
		return nil
	}
	if err := db.Ingest(context.Background(), w.paths); err != nil {
		return err
	}
	return w.s.Err() // of the logger, to which Pebble hands what it takes to be fatal
}

// tempSuffix is Pebble's for temporary files.
const tempSuffix = ".dbtmp"

const writeCategory vfs.DiskWriteCategory = "weir-state"

// advice says what to do about an error of the local disk.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "; the local disk is full: free space or give the task another local directory, and restart it from its checkpoint"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "; the local directory is not writable: change its permissions or give the task another one"
	}
	return ""
}
