package check

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// rowSet is a set of byte strings that keeps its memory when it is emptied: a
// map would allocate each key anew in every run.
type rowSet struct {
	slots []int32 // index of a row + 1, 0: free; a power of two, at most half full
	rows  []rowSpan
	text  []byte // the rows, one behind the other
}

// rowSpan is where a row stands.
type rowSpan struct {
	hash     uint64
	from, to int
}

func (s *rowSet) reset() {
	clear(s.slots)
	s.rows, s.text = s.rows[:0], s.text[:0]
}

// add adds a copy of row, and reports whether the set lacked it.
func (s *rowSet) add(row []byte) bool {
	if 2*len(s.rows) >= len(s.slots) {
		s.grow()
	}
	hash := xxhash.Sum64(row)
	i := s.slot(hash, row)
	if s.slots[i] != 0 {
		return false
	}
	from := len(s.text)
	s.text = append(s.text, row...)
	s.rows = append(s.rows, rowSpan{hash, from, len(s.text)})
	s.slots[i] = int32(len(s.rows))
	return true
}

// slot returns the place of a row, or the free one where it belongs.
func (s *rowSet) slot(hash uint64, row []byte) int {
	mask := len(s.slots) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		k := s.slots[i] - 1
		if k < 0 {
			return i
		}
		if r := &s.rows[k]; r.hash == hash && bytes.Equal(s.text[r.from:r.to], row) {
			return i
		}
	}
}

// grow doubles the places; the rows that are there differ.
func (s *rowSet) grow() {
	s.slots = make([]int32, max(64, 2*len(s.slots)))
	mask := len(s.slots) - 1
	for k := range s.rows {
		i := int(s.rows[k].hash) & mask
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = int32(k + 1)
	}
}
