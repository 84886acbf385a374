package check

import (
	"encoding/binary"
	"testing"
)

func TestReader(t *testing.T) {
	alone := &Expect{Alone: func(dst, row []byte) []byte { return append(dst, row...) }}
	keyed := &Expect{Key: func(row []byte) ([]byte, uint64) { return row[:1], uint64(row[1]) }}
	values := &Expect{Key: keyed.Key, Values: true}
	for _, c := range []struct {
		what string
		x    *Expect
		rows []string
		want flaw // of the last; the others are sound
	}{
		{"rows of the answer", alone, []string{"a1", "b1", "a1"}, sound},
		{"a row more often than the answer has it", alone, []string{"b1", "b1"}, again},
		{"a row that the answer lacks", alone, []string{"c1"}, foreign},
		{"versions in any order", keyed, []string{"a2", "a1", "b2"}, sound},
		{"a version again", keyed, []string{"a2", "a1", "a2"}, again},
		{"newer values", values, []string{"a1", "b1", "a2"}, sound},
		{"an older value", values, []string{"a2", "a1"}, stale},
		{"the same value", values, []string{"a2", "a2"}, stale},
	} {
		var r reader
		for range 2 { // a reader is used again
			r.reset(c.x, [][]byte{[]byte("a1"), []byte("a1"), []byte("b1")})
			for i, row := range c.rows {
				want := sound
				if i == len(c.rows)-1 {
					want = c.want
				}
				if got := r.take([]byte(row)); got != want {
					t.Errorf("%s: row %d: %v, want %v", c.what, i, got, want)
				}
			}
		}
	}
}

// TestRowIsRefutedAtOnce: a row that can never have been right is a violation when
// it becomes visible, whatever becomes of the job.
func TestRowIsRefutedAtOnce(t *testing.T) {
	w := newWorld(t, func(x *Expect) {
		x.Alone = func(dst, row []byte) []byte {
			out, err := x.Canonical([][]byte{row})
			if err != nil || len(out) != 1 {
				return append(dst, "?"...)
			}
			return append(dst, out[0]...)
		}
	})
	w.middle()
	w.open = append(w.open, w.open[0])
	mustFire(t, w.finish(epoch(1, 2)), "became visible, again", Output)
}

// TestRowsAgainWithoutARollback: under an exact state rows come again only when a
// rollback has taken them back.
func TestRowsAgainWithoutARollback(t *testing.T) {
	w := newWorld(t, func(x *Expect) {
		x.AtOnce, x.Output, x.Key = true, AtLeastOnce, func(row []byte) ([]byte, uint64) { return row, binary.MaxVarintLen64 }
	})
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.flow()
	for range 200 {
		w.open = append(w.open, w.open[0])
	}
	mustFire(t, w.finish(epoch(2, 1)), "rows became visible again, and rollbacks had taken", Output)
}
