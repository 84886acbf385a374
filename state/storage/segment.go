package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
)

// A segment file holds appends of one attempt to one log, written by one
// process. Its header is the magic, the version (2 bytes), 2 bytes of zero, the
// attempt (4), the number (8) and a checksum over these and the log's key (8).
// A record is one append: the size of its entries (4), From (8), To (8), a
// checksum (8) over these, the header's checksum, the record's place and the
// entries, and the entries. All little-endian.
const (
	segmentMagic   = "weirlog\n"
	segmentVersion = 1
	segmentHeader  = 32
	recordHeader   = 28
)

// segment is one file of a log.
type segment struct {
	name    string
	attempt id.Attempt
	num     uint64
	seed    uint64 // checksum of the header
	size    int64  // bytes up to the end of the last record we know
}

func newSegment(key string, a id.Attempt, num uint64) (*segment, []byte) {
	h := append(make([]byte, 0, segmentHeader), segmentMagic...)
	h = binary.LittleEndian.AppendUint16(h, segmentVersion)
	h = append(h, 0, 0)
	h = binary.LittleEndian.AppendUint32(h, uint32(a))
	h = binary.LittleEndian.AppendUint64(h, num)
	s := &segment{name: segmentName(a, num), attempt: a, num: num, seed: objectSum(h, key, nil), size: segmentHeader}
	return s, binary.LittleEndian.AppendUint64(h, s.seed)
}

// appendRecord appends the record of one append that will stand at place at.
func (s *segment) appendRecord(dst []byte, at int64, from, to id.Seq, entries []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(from))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(to))
	dst = binary.LittleEndian.AppendUint64(dst, s.recordSum(dst[len(dst)-20:], at, entries))
	return append(dst, entries...)
}

func (s *segment) recordSum(head []byte, at int64, entries []byte) uint64 {
	var seed [16]byte
	binary.LittleEndian.PutUint64(seed[:], s.seed)
	binary.LittleEndian.PutUint64(seed[8:], uint64(at))
	var h xxhash.Digest
	h.Reset()
	_, _ = h.Write(seed[:])
	_, _ = h.Write(head)
	_, _ = h.Write(entries)
	return h.Sum64()
}

// record is one append as read back.
type record struct {
	from, to id.Seq
	at       int64 // of the record in the file
	entries  []byte
}

// next reads the record at place at; ok is false if none that is whole stands
// there, and end is then where the next one might begin, or 0.
func (s *segment) next(file []byte, at int64) (r record, end int64, ok bool) {
	if int64(len(file)) < at+recordHeader {
		return r, 0, false
	}
	head := file[at:]
	end = at + recordHeader + int64(binary.LittleEndian.Uint32(head))
	if end > int64(len(file)) {
		return r, 0, false
	}
	r = record{
		from: id.Seq(binary.LittleEndian.Uint64(head[4:])), to: id.Seq(binary.LittleEndian.Uint64(head[12:])),
		at: at, entries: file[at+recordHeader : end : end],
	}
	return r, end, s.recordSum(head[:20], at, r.entries) == binary.LittleEndian.Uint64(head[20:])
}

// openSegment reads the header of a segment file.
func openSegment(key, name string, file []byte) (*segment, error) {
	a, num, _ := parseSegmentName(name)
	s, header := newSegment(key, a, num)
	if len(file) < segmentHeader {
		return s, fmt.Errorf("%d bytes are too few, it was cut off", len(file))
	}
	got := file[:segmentHeader]
	if string(got) == string(header) {
		return s, nil
	}
	sum := binary.LittleEndian.Uint64(got[24:])
	version := binary.LittleEndian.Uint16(got[8:])
	if version != segmentVersion && objectSum(got[:24], key, nil) == sum {
		return s, &versionError{version, segmentVersion}
	}
	return s, errors.New("its header is not that of a segment of this log")
}

// scan calls f for the whole records of a file and returns where the first one
// that is not whole begins, or 0. At the end of the file that is the tail of an
// append that was never acknowledged; further in it is damage.
func (s *segment) scan(file []byte, f func(r record) error) (torn int64, err error) {
	for at := int64(segmentHeader); at < int64(len(file)); {
		r, end, ok := s.next(file, at)
		switch {
		case ok:
			if err := f(r); err != nil {
				return at, err
			}
			s.size = end
		case torn == 0:
			torn = at
		}
		if end == 0 {
			break
		}
		at = end
	}
	return torn, nil
}

// readSegment reads a file after making it durable: what is acted upon must
// not vanish later, whoever wrote it.
func (d *Dir) readSegment(path string) ([]byte, error) {
	f, err := d.fs.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return nil, err
	}
	err = f.Sync()
	var data []byte
	if err == nil {
		data, err = readAll(f)
	}
	return data, errors.Join(err, f.Close())
}
