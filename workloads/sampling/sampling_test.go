package sampling

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// history makes the rows of an execution that takes the records in order, and closes
// each window before the first record of its key behind it.
func history(w *Workload, clock func(seq uint64) int64) (rows [][]byte) {
	last := map[uint64][]byte{}
	for seq := range uint64(w.Events()) {
		key := w.settings.key(seq)
		if last[key] == nil {
			last[key] = make([]byte, rowBytes)
		}
		before := word(last[key])
		w.settings.next(last[key], seq, key, clock(seq), seq*seq+7)
		if r := word(last[key]); r[rowPlace] > 1 && r[rowWindow] != before[rowWindow] {
			rows = append(rows, closing(w, before))
		}
		rows = append(rows, slices.Clone(last[key]))
	}
	return rows
}

func word(row []byte) parsed {
	r, err := parse(row)
	if err != nil {
		panic(err)
	}
	return r
}

// closing is the row of the end of the window that a row is the last of.
func closing(w *Workload, last parsed) (row []byte) {
	end := parsed{rowKey: last[rowKey], rowClock: uint64(w.settings.endOf(last[rowWindow])), rowWindow: last[rowWindow], rowPlaceIn: last[rowPlaceIn], rowSample: last[rowSample], rowHash: last[rowHash]}
	for _, v := range end {
		row = binary.LittleEndian.AppendUint64(row, v)
	}
	return row
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
		end := word(rows[ends(rows)[3]])
		at := rows[slices.IndexFunc(rows, func(r []byte) bool { return word(r)[rowSeq] == 100 })][8*n:]
		binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+1)
		if _, err := w.Canonical(rows); err == nil || !strings.Contains(err.Error(), "no execution") {
			t.Errorf("number %d of a row is another: %v", n, err)
		}
		rows = history(w, pace)
		at = rows[ends(rows)[3]][8*n:]
		binary.LittleEndian.PutUint64(at, end[n]-1)
		if _, err := w.Canonical(rows); err == nil || !strings.Contains(err.Error(), "no execution") {
			t.Errorf("number %d of an end is another: %v", n, err)
		}
	}
	rows := history(w, pace)
	later := history(w, func(seq uint64) int64 { return pace(seq) + 1 })
	for name, bad := range map[string][][]byte{
		"missing":       append(slices.Clone(rows[:50]), rows[51:]...),
		"twice":         append(slices.Clone(rows), rows[50]),
		"end missing":   without(rows, ends(rows)[3]),
		"end twice":     append(slices.Clone(rows), rows[ends(rows)[3]]),
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

// ends are the places of the rows that say a window is closed.
func ends(rows [][]byte) (at []int) {
	for i, r := range rows {
		if word(r)[rowPlace] == 0 {
			at = append(at, i)
		}
	}
	return at
}

func without(rows [][]byte, i int) [][]byte { return slices.Delete(slices.Clone(rows), i, i+1) }

// TestWindowsMayStayOpen: those that no later one of the key is closed behind; and a
// closed one is not opened again, whatever the clock says.
func TestWindowsMayStayOpen(t *testing.T) {
	w := small()
	rows := history(w, func(seq uint64) int64 { return 5e9 + int64(seq)*1e6 })
	newest := map[uint64]int{}
	for _, i := range ends(rows) {
		newest[word(rows[i])[rowKey]] = i
	}
	if len(newest) != 6 {
		t.Fatalf("%d keys have closed windows", len(newest))
	}
	var open [][]byte
	for i, r := range rows {
		if newest[word(r)[rowKey]] != i {
			open = append(open, r)
		}
	}
	if _, err := w.Canonical(open); err != nil {
		t.Error(err)
	}
	var r [rowBytes]byte
	w.settings.next(r[:], 0, w.settings.key(0), 5e9, 3)
	first := slices.Clone(r[:])
	end := closing(w, word(first))
	binary.LittleEndian.PutUint64(r[8*rowWindow:], word(first)[rowWindow]+1)
	binary.LittleEndian.PutUint64(r[8*rowPlaceIn:], 0)
	w.settings.next(r[:], 1, w.settings.key(0), 5e9, 3)
	if got := word(r[:]); got[rowWindow] != word(first)[rowWindow]+1 || got[rowPlaceIn] != 1 {
		t.Fatalf("the row is %v", got)
	}
	if err := w.settings.explain([]parsed{word(first), word(end), word(r[:])}); err != nil {
		t.Error(err)
	}
}
