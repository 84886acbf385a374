package sessions

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// execution takes the records in some order, as one task would whose watermark is
// behind each by some chance, and returns its rows. It is the naive twin of the
// operator: it keeps all records and makes the sessions of a key anew each time.
type execution struct {
	s         *settings
	watermark int64
	taken     map[uint64][]record
	shown     map[uint64][]window
	rows      [][]byte
}

func (x *execution) take(seq uint64) {
	key, r := x.s.key(seq), record{seq, x.s.time(seq)}
	if r.time+x.s.lateness < x.watermark {
		x.rows = append(x.rows, x.lateRow(key, r))
		return
	}
	x.taken[key] = append(x.taken[key], r)
	slices.SortFunc(x.taken[key], func(a, b record) int { return int(a.time - b.time) })
	x.show(key)
}

// show makes rows of the sessions of a key that have ended and that no row shows.
func (x *execution) show(key uint64) {
	for _, v := range x.s.windowsOf(nil, x.taken[key], func(uint64) bool { return false }) {
		if v.end <= x.watermark && !slices.Contains(x.shown[key], v) {
			x.shown[key] = append(x.shown[key], v)
			x.rows = append(x.rows, rowOf(key, v))
		}
	}
}

func (x *execution) advance(wm int64) {
	x.watermark = max(x.watermark, wm)
	for key := range uint64(x.s.keys) {
		x.show(key)
	}
}

func rowOf(key uint64, v window) []byte {
	var row []byte
	for _, f := range [...]uint64{key, uint64(v.start), uint64(v.end), v.count, v.sum, 0} {
		row = binary.LittleEndian.AppendUint64(row, f)
	}
	return row
}

func (x *execution) lateRow(key uint64, r record) []byte {
	var row []byte
	for _, f := range [...]uint64{r.seq, key, uint64(r.time)} {
		row = binary.LittleEndian.AppendUint64(row, f)
	}
	return row
}

// execute runs a small workload; of the partitions, one is behind by lag records.
func execute(t *testing.T, w *Workload, lag int, rng *rand.Rand) [][]byte {
	t.Helper()
	x := &execution{s: &w.settings, watermark: -1 << 62, taken: map[uint64][]record{}, shown: map[uint64][]window{}}
	at := [2]uint64{0, 1}
	n := uint64(w.settings.numEvents)
	for at[0] < n || at[1] < n {
		p := rng.IntN(2)
		if at[p] >= n || p == 1 && at[1] < n && int(at[0])-int(at[1]) < lag && at[0] < n {
			p = 1 - p
		}
		if at[p] < n {
			x.take(at[p])
			at[p] += 2
		}
		x.advance(min(promised(at[0]), promised(at[1])))
	}
	x.advance(1 << 62)
	return x.rows
}

// TestEveryExecutionIsExplained: whatever the order of the partitions, the answer
// is that of the sequential execution, and which records were given up differs.
func TestEveryExecutionIsExplained(t *testing.T) {
	w := New().(*Workload)
	w.Small()
	want, err := w.Reference()
	if err != nil {
		t.Fatal(err)
	}
	late := map[int]bool{}
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rows := execute(t, w, int(seed), rng)
		n := 0
		for _, r := range rows {
			if len(r) == recordBytes {
				n++
			}
		}
		late[n] = true
		got, err := w.Canonical(rows)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("seed %d: %d of %d rows: %v", seed, len(got), len(want), err)
		}
	}
	if len(late) < 3 {
		t.Errorf("as many records were given up in every execution: %v", late)
	}
}

// TestWrongRowsAreNamed: each way in which rows can be wrong is an error, and
// shows in the canonical rows where no execution explains them.
func TestWrongRowsAreNamed(t *testing.T) {
	w := New().(*Workload)
	w.Small()
	rows := execute(t, w, 0, rand.New(rand.NewPCG(1, 1)))
	at := func(bytes int) int {
		return slices.IndexFunc(rows, func(r []byte) bool { return len(r) == bytes })
	}
	last := slices.IndexFunc(rows, func(r []byte) bool { // of a session that only has one row
		return len(r) == rowBytes && !slices.ContainsFunc(rows, func(o []byte) bool {
			return len(o) == rowBytes && slices.Equal(r[:8], o[:8]) && slices.Equal(r[8:16], o[8:16]) && !slices.Equal(r, o)
		}) && binary.LittleEndian.Uint64(r[24:]) > 2
	})
	onTime := uint64(0)
	for w.settings.mayBeGivenUp(onTime) {
		onTime++
	}
	x := &execution{s: &w.settings}
	for _, c := range []struct {
		name   string
		change func(rows [][]byte) [][]byte
		want   string
		hidden bool // rows are all there: only the error says it
	}{
		{"a session twice", func(rows [][]byte) [][]byte { return append(rows, rows[last]) }, "is there twice", true},
		{"a session is lost", func(rows [][]byte) [][]byte { return slices.Delete(rows, last, last+1) }, "lacks the session", false},
		{"a record is lost from a session", func(rows [][]byte) [][]byte {
			r := slices.Clone(rows[last])
			binary.LittleEndian.PutUint64(r[24:], binary.LittleEndian.Uint64(r[24:])-1)
			rows[last] = r
			return rows
		}, "lacks the session", false},
		{"a record counts twice", func(rows [][]byte) [][]byte {
			r := slices.Clone(rows[last])
			binary.LittleEndian.PutUint64(r[24:], binary.LittleEndian.Uint64(r[24:])+1)
			rows[last] = r
			return rows
		}, "lacks the session", false},
		{"given up twice", func(rows [][]byte) [][]byte { return append(rows, rows[at(recordBytes)]) }, "given up twice", true},
		{"given up and lost", func(rows [][]byte) [][]byte { i := at(recordBytes); return slices.Delete(rows, i, i+1) }, "lacks the session", false},
		{"given up in time", func(rows [][]byte) [][]byte {
			return append(rows, x.lateRow(w.settings.key(onTime), record{onTime, w.settings.time(onTime)}))
		}, "was not late by more", true},
		{"a session out of nothing", func(rows [][]byte) [][]byte {
			return append(rows, rowOf(0, window{1 << 40, 1<<40 + 90, 1, 1}))
		}, "is no part of a session", true},
	} {
		want, _ := w.Reference()
		got, err := w.Canonical(c.change(slices.Clone(rows)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if same := slices.EqualFunc(got, want, slices.Equal); same != c.hidden {
			t.Errorf("%s: canonical rows are those of the reference: %v", c.name, same)
		}
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
}

// TestRecords: the workload has records of every kind, and a record is late only
// by what the source has promised.
func TestRecords(t *testing.T) {
	w := New().(*Workload)
	w.Small()
	late, given, merged := 0, 0, 0
	for seq := range uint64(w.Events()) {
		at := w.settings.time(seq)
		switch {
		case w.settings.mayBeGivenUp(seq):
			given++
		case at < promised(seq):
			late++
		case at >= int64(seq)*step+1:
			t.Errorf("record %d is of time %d", seq, at)
		}
	}
	rows, err := w.Reference()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if strings.Contains(string(r), `"count":`) && !strings.Contains(string(r), `"count":1,`) {
			merged++
		}
	}
	if late < 12 || given < 12 || merged < 20 {
		t.Errorf("%d records are late, %d may be given up, %d sessions have several: the workload shows little", late, given, merged)
	}
	if err := w.Set("lateness", "0"); err != nil || w.Validate() == nil {
		t.Errorf("late records where none are allowed: %v, %v", err, w.Validate())
	}
}

// TestAnswers: a row answers the record that was needed last.
func TestAnswers(t *testing.T) {
	w := New().(*Workload)
	a, err := w.Answers(2)
	if err != nil {
		t.Fatal(err)
	}
	v := window{start: 0, end: 1000, count: 2}
	row := rowOf(7, v)
	if got := a.Record(row); got != 104 {
		t.Errorf("record %d lets the watermark pass 1000; want 104, behind which 1000 is promised", got)
	}
	if promised(105) < 1000 || promised(104) >= 1000 {
		t.Error("the promise has changed")
	}
	binary.LittleEndian.PutUint64(row[40:], 300)
	if got := a.Record(row); got != 300 {
		t.Errorf("a late record makes the row: %d", got)
	}
	v.end = 1 << 40
	if got := a.Record(rowOf(7, v)); got != -1 {
		t.Errorf("the end of the input makes the row: %d", got)
	}
	if got := a.Record((&execution{}).lateRow(7, record{5, 3})); got != 5 {
		t.Errorf("a record that was given up: %d", got)
	}
}
