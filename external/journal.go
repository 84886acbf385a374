package external

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
)

// A record of a segment, all numbers little-endian:
//
//	bytes  field
//	4      magic
//	4      length of the head
//	4      length of the body
//	8      length of the segment that was durable when this was written
//	8      xxHash64 of the body
//	8      xxHash64 of the 28 bytes before and the head
//	       head, then body
//
// The head is read when the journal is opened, the body when it is asked for.
const (
	recordMagic  = 0x4a524557 // "WERJ"
	prefixBytes  = 36
	sumOffset    = prefixBytes - 8
	maxHead      = 1 << 24
	scanBytes    = 512      // read at once for a head
	inlineBytes  = 64 << 10 // bodies up to this are copied into the write buffer
	segmentBytes = 8 + 8    // head of a segment's first record: its number, the length of the one before
	journalWrite = "weir-journal"
)

// body locates the body of a record: size bytes at off of segment seg.
type body struct {
	seg  int
	off  int64
	size int
	sum  uint64
}

// journal is an append-only log in a directory.
type journal struct {
	fs     vfs.FS
	dir    string
	name   string // prefix of the segments' names
	seg    int    // number of the segment written to, from 1
	file   vfs.File
	size   int64 // of the segment, what is buffered included
	synced int64
	buf    []byte
	err    error
	reader vfs.File // of segment readSeg
	read   int
}

// openJournal replays the journal called name in dir and begins a new segment.
// The head passed to replay is borrowed; load reads the body.
func openJournal(fs vfs.FS, dir, name string, replay func(head []byte, b body, load func() ([]byte, error)) error) (*journal, error) {
	j := &journal{fs: fs, dir: dir, name: name}
	if err := makeDurably(fs, dir); err != nil {
		return nil, fmt.Errorf("journal: directory %s: %w", dir, err)
	}
	last, err := j.lastSegment()
	if err != nil {
		return nil, err
	}
	cuts, err := j.cuts(last)
	if err != nil {
		return nil, err
	}
	for i := range cuts {
		s := &segment{j: j, number: i + 1, cut: cuts[i]}
		if err := s.replay(replay); err != nil {
			return nil, errors.Join(err, j.closeReader())
		}
		cuts[i] = s.end
	}
	cut := int64(0)
	if len(cuts) > 0 {
		cut = cuts[len(cuts)-1]
	}
	if err := j.begin(len(cuts)+1, cut); err != nil {
		return nil, errors.Join(err, j.closeReader())
	}
	return j, nil
}

// makeDurably makes dir and those above it, and syncs the directories that new
// entries were made in.
func makeDurably(fs vfs.FS, dir string) error {
	var changed []string
	for d := dir; ; {
		if _, err := fs.Stat(d); err == nil {
			break
		}
		parent := fs.PathDir(d)
		if parent == d {
			break
		}
		changed = append(changed, parent)
		d = parent
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range changed {
		if err := syncDir(fs, d); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (j *journal) path(seg int) string {
	return j.fs.PathJoin(j.dir, fmt.Sprintf("%s-%06d.log", j.name, seg))
}

// lastSegment returns the highest number of a segment, 0 if there is none.
func (j *journal) lastSegment() (int, error) {
	names, err := j.fs.List(j.dir)
	if err != nil {
		return 0, fmt.Errorf("journal %s: %w", j.dir, err)
	}
	last := 0
	for _, n := range names {
		digits, ok := strings.CutPrefix(n, j.name+"-")
		digits, isLog := strings.CutSuffix(digits, ".log")
		if k, err := strconv.Atoi(digits); ok && isLog && err == nil {
			last = max(last, k)
		}
	}
	return last, nil
}

// openEnded is the cut of the last segment: its end is to be found.
const openEnded = math.MaxInt64

// cuts returns, by segment, how many bytes of it count. A last segment whose
// first record never became durable does not exist.
func (j *journal) cuts(last int) ([]int64, error) {
	cuts := make([]int64, last)
	for n := last; n >= 1; n-- {
		cut, ok, err := j.segmentHead(n)
		if err != nil {
			return nil, errors.Join(err, j.closeReader())
		}
		if !ok {
			if n == last {
				cuts = cuts[:last-1]
				last--
				continue
			}
			return nil, errors.Join(corrupt(j.path(n), 0, "its first record is damaged"), j.closeReader())
		}
		if n == last {
			cuts[n-1] = openEnded
		}
		if n > 1 {
			cuts[n-2] = cut
		}
	}
	return cuts, nil
}

// segmentHead reads the first record of a segment: the length of the one before.
func (j *journal) segmentHead(n int) (previous int64, ok bool, err error) {
	s := &segment{j: j, number: n, cut: openEnded}
	if err := s.open(); err != nil {
		return 0, false, err
	}
	r, ok, err := s.record(0)
	if err != nil {
		return 0, false, err
	}
	if !ok || len(r.head) != segmentBytes || binary.LittleEndian.Uint64(r.head) != uint64(n) {
		damaged, err := s.acknowledgedBehind(0)
		if err == nil && damaged {
			err = corrupt(j.path(n), 0, "its first record is damaged")
		}
		return 0, false, err
	}
	return int64(binary.LittleEndian.Uint64(r.head[8:])), true, nil
}

// begin creates segment n and makes it durable.
func (j *journal) begin(n int, cut int64) error {
	if err := j.closeReader(); err != nil {
		return err
	}
	f, err := j.fs.Create(j.path(n), journalWrite)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.file, j.seg = f, n
	head := binary.LittleEndian.AppendUint64(nil, uint64(n))
	head = binary.LittleEndian.AppendUint64(head, uint64(cut))
	j.append(head, nil, j.next(head, nil))
	if err := j.sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := syncDir(j.fs, j.dir); err != nil {
		return errors.Join(fmt.Errorf("journal: directory %s: %w", j.dir, err), f.Close())
	}
	return nil
}

// next says where the body of the record will stand that is appended next.
func (j *journal) next(head, data []byte) body {
	return body{seg: j.seg, off: j.size + int64(prefixBytes+len(head)), size: len(data), sum: xxhash.Sum64(data)}
}

// append writes a record whose place b is that of next, to be made durable by
// sync. Errors are sticky and come out of sync.
func (j *journal) append(head, data []byte, b body) {
	at := len(j.buf)
	j.buf = binary.LittleEndian.AppendUint32(j.buf, recordMagic)
	j.buf = binary.LittleEndian.AppendUint32(j.buf, uint32(len(head)))
	j.buf = binary.LittleEndian.AppendUint32(j.buf, uint32(len(data)))
	j.buf = binary.LittleEndian.AppendUint64(j.buf, uint64(j.synced))
	j.buf = binary.LittleEndian.AppendUint64(j.buf, b.sum)
	j.buf = binary.LittleEndian.AppendUint64(j.buf, headSum(j.buf[at:], head))
	j.buf = append(j.buf, head...)
	j.size = b.off + int64(len(data))
	if len(data) > inlineBytes {
		j.flush()
		j.write(data) // no file system used here writes to what it is given
		return
	}
	if j.buf = append(j.buf, data...); len(j.buf) >= 4*inlineBytes {
		j.flush()
	}
}

func headSum(prefix, head []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(prefix[:sumOffset])
	_, _ = d.Write(head)
	return d.Sum64()
}

func (j *journal) flush() {
	if len(j.buf) > 0 {
		j.write(j.buf)
		j.buf = j.buf[:0]
	}
}

func (j *journal) write(b []byte) {
	if j.err != nil {
		return
	}
	if _, err := j.file.Write(b); err != nil {
		j.err = fmt.Errorf("journal %s: write: %w", j.path(j.seg), err)
	}
}

// sync makes everything appended durable.
func (j *journal) sync() error {
	j.flush()
	if j.err == nil && j.synced < j.size {
		if err := j.file.Sync(); err != nil {
			j.err = fmt.Errorf("journal %s: sync: %w", j.path(j.seg), err)
		} else {
			j.synced = j.size
		}
	}
	return j.err
}

// load reads the body b into dst's memory and checks it.
func (j *journal) load(dst []byte, b body) ([]byte, error) {
	j.flush()
	if j.err != nil {
		return nil, j.err
	}
	if err := j.openReader(b.seg); err != nil {
		return nil, err
	}
	if cap(dst) < b.size {
		dst = make([]byte, b.size)
	}
	dst = dst[:b.size]
	if n, err := j.reader.ReadAt(dst, b.off); n < b.size {
		return nil, fmt.Errorf("journal %s: %d bytes at %d: %w", j.path(b.seg), b.size, b.off, err)
	}
	if xxhash.Sum64(dst) != b.sum {
		return nil, corrupt(j.path(b.seg), b.off, "the content does not match its checksum")
	}
	return dst, nil
}

func (j *journal) openReader(seg int) error {
	if j.reader != nil && j.read == seg {
		return nil
	}
	if err := j.closeReader(); err != nil {
		return err
	}
	f, err := j.fs.Open(j.path(seg))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.reader, j.read = f, seg
	return nil
}

func (j *journal) closeReader() error {
	if j.reader == nil {
		return nil
	}
	f := j.reader
	j.reader = nil
	return f.Close()
}

func (j *journal) close() error { return errors.Join(j.sync(), j.closeReader(), j.file.Close()) }

func corrupt(path string, at int64, what string) error {
	return fmt.Errorf("%w: journal %s at byte %d: %s, although it was acknowledged as durable; bring the file back from a copy, or remove the directory to begin without what it holds", state.ErrCorrupt, path, at, what)
}

// readAt fills p as far as the file goes.
func readAt(f vfs.File, p []byte, off int64) ([]byte, error) {
	n, err := f.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return p[:n], nil
}
