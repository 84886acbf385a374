package sampling

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// parsed is a row as it was read.
type parsed [rowWords]uint64

func parse(row []byte) (r parsed, err error) {
	if len(row) != rowBytes {
		return r, fmt.Errorf("sampling: a row of %d bytes; rows have %d", len(row), rowBytes)
	}
	for i := range r {
		r[i] = binary.LittleEndian.Uint64(row[8*i:])
	}
	return r, nil
}

// explain returns why no execution makes exactly these rows, nil if one does:
// each key's rows, by their place, are the history that it executes, and clock and draws
// are what it reads. The window, the sample, the answer and the hash follow.
func (s *settings) explain(rows []parsed) error {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b parsed) int {
		return cmp.Or(cmp.Compare(a[rowKey], b[rowKey]), cmp.Compare(a[rowPlace], b[rowPlace]))
	})
	var key, place, window, sample, hash uint64
	var inWindow uint64
	for i, r := range rows {
		if i == 0 || r[rowKey] != key {
			key, place, window, inWindow, hash = r[rowKey], 0, 0, 0, 0
		}
		place++
		now := r[rowClock] / uint64(s.window)
		if place == 1 || now > window {
			window, inWindow = now, 0
		}
		inWindow++
		if r[rowDraw]%inWindow == 0 {
			sample = r[rowSeq]
		}
		hash = chained(hash, r[rowSeq], r[rowClock], r[rowDraw])
		want := parsed{key, place, r[rowSeq], r[rowClock], r[rowDraw], window, inWindow, sample, s.outside(key, int64(r[rowClock])), hash}
		for n, name := range [rowWords]string{"key", "place", "sequence", "clock", "draw", "window", "place in the window", "sample", "answer", "hash"} {
			if r[n] != want[n] {
				return fmt.Errorf("sampling: row %d of key %d, of record %d: its %s is %d, and %d after the rows before it: no execution explains both", r[rowPlace], key, r[rowSeq], name, r[n], want[n])
			}
		}
	}
	return nil
}
