package external

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// segment reads one segment when the journal is opened.
type segment struct {
	j      *journal
	number int
	cut    int64 // bytes that count; openEnded: to be found
	size   int64 // of the file
	end    int64 // of the last record that counts
	synced int64 // the most that a record says was durable
	buf    []byte
}

// journalRecord is a record as it stands in a segment. head is borrowed.
type journalRecord struct {
	head   []byte
	body   body
	end    int64
	synced int64
}

func (s *segment) open() error {
	if err := s.j.openReader(s.number); err != nil {
		return err
	}
	info, err := s.j.reader.Stat()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	s.size = min(info.Size(), s.cut)
	return nil
}

// record reads the record at off, without its body; ok false: there is none.
func (s *segment) record(off int64) (r journalRecord, ok bool, err error) {
	if cap(s.buf) < scanBytes {
		s.buf = make([]byte, scanBytes)
	}
	b, err := readAt(s.j.reader, s.buf[:scanBytes], off)
	if err != nil {
		return r, false, fmt.Errorf("journal: %w", err)
	}
	if len(b) < prefixBytes || binary.LittleEndian.Uint32(b) != recordMagic {
		return r, false, nil
	}
	head, size := int(binary.LittleEndian.Uint32(b[4:])), int(binary.LittleEndian.Uint32(b[8:]))
	r.body = body{seg: s.number, off: off + prefixBytes + int64(head), size: size, sum: binary.LittleEndian.Uint64(b[20:])}
	r.end = r.body.off + int64(size)
	r.synced = int64(binary.LittleEndian.Uint64(b[12:]))
	if head > maxHead || r.end > s.size {
		return r, false, nil
	}
	if need := prefixBytes + head; need > len(b) {
		if cap(s.buf) < need {
			s.buf = make([]byte, need)
		}
		if b, err = readAt(s.j.reader, s.buf[:need], off); err != nil {
			return r, false, fmt.Errorf("journal: %w", err)
		}
	}
	r.head = b[prefixBytes : prefixBytes+head]
	return r, binary.LittleEndian.Uint64(b[sumOffset:]) == headSum(b, r.head), nil
}

// replay finds the records that count and hands them out, the first one
// (the segment's own) left out.
func (s *segment) replay(f func(head []byte, b body, load func() ([]byte, error)) error) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := s.findEnd(); err != nil {
		return err
	}
	for off := int64(0); off < s.end; {
		r, ok, err := s.record(off)
		if err != nil {
			return err
		}
		if !ok {
			return corrupt(s.j.path(s.number), off, "a record that was there a moment ago is damaged")
		}
		if off > 0 {
			if err := f(r.head, r.body, func() ([]byte, error) { return s.j.load(nil, r.body) }); err != nil {
				return fmt.Errorf("journal %s at byte %d: %w", s.j.path(s.number), off, err)
			}
		}
		off = r.end
	}
	return nil
}

// findEnd sets end to where the records end that count. Heads are checked all;
// of the bodies those that may have been torn.
func (s *segment) findEnd() error {
	off := int64(0)
	for off < s.size {
		r, ok, err := s.record(off)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		s.synced = max(s.synced, r.synced)
		off = r.end
	}
	s.end = off
	if s.cut != openEnded {
		if off != s.cut {
			return corrupt(s.j.path(s.number), off, "a record is damaged or missing")
		}
		return nil
	}
	if off < s.size {
		damaged, err := s.acknowledgedBehind(off)
		if err != nil {
			return err
		}
		if damaged || s.synced > off {
			return corrupt(s.j.path(s.number), off, "a record is damaged")
		}
	}
	return s.cutTorn()
}

// cutTorn cuts before the first record behind the durable part whose body is not whole.
func (s *segment) cutTorn() error {
	var data []byte
	for off := s.synced; off < s.end; {
		r, ok, err := s.record(off)
		if err != nil {
			return err
		}
		if !ok {
			return corrupt(s.j.path(s.number), off, "no record begins where one should")
		}
		if cap(data) < r.body.size {
			data = make([]byte, r.body.size)
		}
		b, err := readAt(s.j.reader, data[:r.body.size], r.body.off)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if len(b) < r.body.size || xxhash.Sum64(b) != r.body.sum {
			s.end = off
			return nil
		}
		off = r.end
	}
	return nil
}

// acknowledgedBehind reports whether some record behind the damage says that
// bytes there were durable: then it is no torn tail.
func (s *segment) acknowledgedBehind(damage int64) (bool, error) {
	const step = 1 << 20
	window := make([]byte, min(step+4, max(s.size-damage, 0)))
	for off := damage; off < s.size; off += step {
		b, err := readAt(s.j.reader, window, off)
		if err != nil {
			return false, fmt.Errorf("journal: %w", err)
		}
		for i := 0; i+4 <= len(b) && i < step; i++ {
			if binary.LittleEndian.Uint32(b[i:]) != recordMagic {
				continue
			}
			r, ok, err := s.record(off + int64(i))
			if err != nil {
				return false, err
			}
			if ok && r.synced > damage {
				return true, nil
			}
		}
	}
	return false, nil
}
