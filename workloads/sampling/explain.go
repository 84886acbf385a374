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
// are what it reads. The window, the sample, the answer and the hash follow. Rows of
// place 0 say which windows were closed.
func (s *settings) explain(rows []parsed) error {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b parsed) int {
		return cmp.Or(cmp.Compare(a[rowKey], b[rowKey]), cmp.Compare(a[rowPlace], b[rowPlace]), cmp.Compare(a[rowWindow], b[rowWindow]))
	})
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n][rowKey] == rows[0][rowKey] {
			n++
		}
		places := slices.IndexFunc(rows[:n], func(r parsed) bool { return r[rowPlace] != 0 })
		if places < 0 {
			places = n
		}
		x := execution{settings: s, closings: rows[:places]}
		if err := x.explain(rows[places:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// execution is that of one key, row by row.
type execution struct {
	settings *settings
	last     parsed   // of the rows so far
	closings []parsed // that are not explained yet, by window
}

func (x *execution) explain(rows []parsed) error {
	for _, r := range rows {
		if err := x.next(r); err != nil {
			return err
		}
	}
	if x.last[rowPlace] != 0 && len(x.closings) > 0 {
		if err := x.close(); err != nil {
			return err
		}
	}
	if len(x.closings) > 0 {
		c := x.closings[0]
		return fmt.Errorf("sampling: window %d of key %d is closed, with %d records, and no record that is left is in it: no execution explains both", c[rowWindow], c[rowKey], c[rowPlaceIn])
	}
	return nil
}

// next takes the row of one more record.
func (x *execution) next(r parsed) error {
	last, now := &x.last, r[rowClock]/uint64(x.settings.window)
	want := parsed{r[rowKey], last[rowPlace] + 1, r[rowSeq], r[rowClock], r[rowDraw], last[rowWindow], last[rowPlaceIn] + 1, last[rowSample]}
	switch closed := x.complete(); {
	case last[rowPlace] == 0:
		want[rowWindow] = now
	case now > last[rowWindow] || closed:
		if len(x.closings) > 0 {
			if err := x.close(); err != nil {
				return err
			}
		}
		want[rowWindow], want[rowPlaceIn] = max(now, last[rowWindow]), 1
		if closed {
			want[rowWindow] = max(now, last[rowWindow]+1)
		}
	}
	if r[rowDraw]%want[rowPlaceIn] == 0 {
		want[rowSample] = r[rowSeq]
	}
	want[rowAnswer], want[rowHash] = x.settings.outside(r[rowKey], int64(r[rowClock])), chained(last[rowHash], r[rowSeq], r[rowClock], r[rowDraw])
	for n, name := range [rowWords]string{"key", "place", "sequence", "clock", "draw", "window", "place in the window", "sample", "answer", "hash"} {
		if r[n] != want[n] {
			return fmt.Errorf("sampling: row %d of key %d, of record %d: its %s is %d, and %d after the rows before it: no execution explains both", r[rowPlace], r[rowKey], r[rowSeq], name, r[n], want[n])
		}
	}
	x.last = r
	return nil
}

// complete reports that the window of the last row is closed with that row.
func (x *execution) complete() bool {
	return len(x.closings) > 0 && x.closings[0][rowWindow] == x.last[rowWindow] && x.closings[0][rowPlaceIn] == x.last[rowPlaceIn]
}

// close takes the end of the window that the last row was in. As long as there are
// closings of later ones it must be there.
func (x *execution) close() error {
	c, last := x.closings[0], &x.last
	want := parsed{rowKey: last[rowKey], rowClock: c[rowClock], rowWindow: last[rowWindow], rowPlaceIn: last[rowPlaceIn], rowSample: last[rowSample], rowHash: last[rowHash]}
	switch {
	case c != want:
		return fmt.Errorf("sampling: window %d of key %d ends with %d records, of sample %d; the first end that is not explained is of window %d, with %d records, of sample %d: no execution explains both",
			want[rowWindow], want[rowKey], want[rowPlaceIn], want[rowSample], c[rowWindow], c[rowPlaceIn], c[rowSample])
	case c[rowClock] < uint64(x.settings.endOf(c[rowWindow])):
		return fmt.Errorf("sampling: window %d of key %d is closed at %d, before its end: no execution explains that", c[rowWindow], c[rowKey], c[rowClock])
	}
	x.closings = x.closings[1:]
	return nil
}
