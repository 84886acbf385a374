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

	"weir/state"
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

// addTree adds the changed fields; those that have expired go from the database.
func (r *run) addTree(t *tree, e expiries) {
	if t == nil {
		return
	}
	t.Scan(func(f field) bool {
		deleted := f.deleted || !e.live(f.key[0], f.value)
		r.begin(len(f.value), deleted)
		r.data = append(r.data, f.key...)
		r.end(f.value)
		return true
	})
}

// addRecord adds a changed record of the cache, without what has expired of it.
func (s *Store) addRecord(r *run, rec cell, e expiries) {
	value, deleted := rec.value(), rec.is(flagDeleted)
	if e != nil && !deleted {
		left, live := e.of(rec.table()).Unexpired(value, &s.kept)
		value, deleted = left, !live
	}
	r.begin(len(value), deleted)
	r.data = appendKey(r.data, rec.table(), rec.group(), rec.key())
	r.end(value)
}

func (r *run) begin(valueLen int, deleted bool) {
	r.entries = append(r.entries, runEntry{at: len(r.data)})
	length := uint64(valueLen)
	if deleted {
		length = deletedLength
	}
	r.data = binary.LittleEndian.AppendUint64(r.data, length<<32)
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

// sort orders entries by key.
func (r *run) sort(entries []runEntry) {
	slices.SortFunc(entries, func(a, b runEntry) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(r.key(a), r.key(b))
	})
}

// divide brings the entries into the order of table and key group, by counting,
// and returns where each group ends: what is left to sort is small.
func (r *run) divide(groups state.GroupRange) (ends []int) {
	width := int(groups.Hi-groups.Lo) + 1
	part := func(e *runEntry) int {
		table, group := int(e.prefix>>56), int(uint16(e.prefix>>40))
		return table*width + group - int(groups.Lo)
	}
	for i := range r.entries {
		k := part(&r.entries[i])
		if k >= len(ends) {
			ends = append(ends, make([]int, k+1-len(ends))...)
		}
		ends[k]++
	}
	at := 0
	for k, n := range ends {
		ends[k] = at
		at += n
	}
	divided := make([]runEntry, len(r.entries))
	for i := range r.entries {
		k := part(&r.entries[i])
		divided[ends[k]] = r.entries[i]
		ends[k]++
	}
	r.entries = divided
	return ends
}

// touchAhead is cache.touchAhead for entries of a run.
func (r *run) touchAhead(entries []runEntry) {
	for _, e := range entries {
		for at := e.at; at < min(len(r.data), e.at+3*lineBytes); at += lineBytes {
			r.touched += r.data[at]
		}
	}
}

// ingestion is a run on its way into the database, a slice at a time. Everything
// else in the database is older.
type ingestion struct {
	s    *Store
	r    *run
	w    tableWriter
	ends []int // of the groups of entries not written yet
	// Entries before sorted are in order, those before touched at hand, and those
	// before next written.
	sorted, touched, next int
}

// step writes about as many entries, and ingests the tables with the last one.
func (n *ingestion) step(most int) (done bool, err error) {
	if len(n.r.entries) == 0 {
		return true, nil
	}
	if n.w.s == nil {
		if err := n.s.prepare(); err != nil {
			return false, err
		}
		n.w.s = n.s
		n.ends = n.r.divide(n.s.groups)
		if most < len(n.r.entries) {
			return false, nil
		}
	}
	if err := n.write(most); err != nil {
		return false, errors.Join(err, n.w.abandon())
	}
	if n.next < len(n.r.entries) {
		return false, nil
	}
	return true, n.ingest()
}

// ingest puts the tables into the database, or where it will be opened.
func (n *ingestion) ingest() error {
	if n.s.backend.cfg.Deterministic {
		if err := n.w.abandon(); err != nil {
			return err
		}
		if placed, err := n.w.place(); placed || err != nil {
			return err
		}
	}
	db, err := n.s.open()
	if err != nil {
		return errors.Join(err, n.w.abandon())
	}
	return n.w.ingest(db)
}

func (n *ingestion) write(most int) error {
	entries := n.r.entries
	for until := min(len(entries), n.next+most); n.next < until; n.next++ {
		for n.next == n.sorted {
			n.sorted, n.ends = n.ends[0], n.ends[1:]
			n.r.sort(entries[n.next:n.sorted])
		}
		if n.next >= n.touched {
			n.touched = min(n.next+ahead, n.sorted)
			n.r.touchAhead(entries[n.next:n.touched])
		}
		e := entries[n.next]
		value, deleted := n.r.value(e)
		if err := n.w.add(n.r.key(e), value, deleted); err != nil {
			return err
		}
	}
	return nil
}

// ingest puts a run into the database, which is opened if need be.
func (s *Store) ingest(r *run) error {
	n := ingestion{s: s, r: r}
	_, err := n.step(len(r.entries))
	return err
}

// tableWriter writes sorted entries as table files of limited size.
type tableWriter struct {
	s       *Store
	w       *sstable.Writer
	written int
	paths   []string
	last    *sstable.WriterMetadata // of the table finished last
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
	if err == nil {
		w.last, err = w.w.Metadata()
	}
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
