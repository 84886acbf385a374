package sampling

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// history makes the rows of an execution that takes the records in order.
func history(w *Workload, clock func(seq uint64) int64) (rows [][]byte) {
	last := map[uint64][]byte{}
	for seq := range uint64(w.Events()) {
		key := w.settings.key(seq)
		if last[key] == nil {
			last[key] = make([]byte, rowBytes)
		}
		w.settings.next(last[key], seq, key, clock(seq), seq*seq+7)
		rows = append(rows, slices.Clone(last[key]))
	}
	return rows
}

func small() *Workload {
	w := New().(*Workload)
	w.Small()
	return w
}

// TestExecutionsAreExplained, whatever clock they read, in any order of rows; what
// is left of them is the reference.
func TestExecutionsAreExplained(t *testing.T) {
	w := small()
	want, err := w.Reference()
	if err != nil {
		t.Fatal(err)
	}
	for _, pace := range []int64{0, 1e4, 1e6, 1e8} {
		rows := history(w, func(seq uint64) int64 { return 5e9 + int64(seq)*pace })
		slices.Reverse(rows)
		got, err := w.Canonical(rows)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("pace %d: %d rows, want %d; %v", pace, len(got), len(want), err)
		}
	}
}

// TestOthersAreNot: a number that is another one, a row that is missing or there
// twice, and rows of two histories.
func TestOthersAreNot(t *testing.T) {
	w := small()
	pace := func(seq uint64) int64 { return 5e9 + int64(seq)*1e6 }
	for n := range rowWords {
		rows := history(w, pace)
		at := rows[100][8*n:]
		binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+1)
		if _, err := w.Canonical(rows); err == nil || !strings.Contains(err.Error(), "no execution") {
			t.Errorf("number %d of a row is another: %v", n, err)
		}
	}
	rows := history(w, pace)
	later := history(w, func(seq uint64) int64 { return pace(seq) + 1 })
	for name, bad := range map[string][][]byte{
		"missing":       append(slices.Clone(rows[:50]), rows[51:]...),
		"twice":         append(slices.Clone(rows), rows[50]),
		"two histories": append(slices.Clone(rows[:120]), later[120:]...),
	} {
		if _, err := w.Canonical(bad); err == nil {
			t.Errorf("%s: explained", name)
		}
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
}
