package pipelines

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"weir/dataflow"
)

func small() *Workload {
	w := New().(*Workload)
	w.Small()
	return w
}

// TestNothingConnectsThem: no edge leads from a vertex of one to one of the other.
func TestNothingConnectsThem(t *testing.T) {
	g, err := small().Graph(2, func() dataflow.Operator { return nil })
	if err != nil {
		t.Fatal(err)
	}
	region := map[int]int{}
	for i := range g.Vertices {
		region[i] = i
	}
	for range g.Vertices {
		for _, e := range g.Edges {
			low := min(region[e.From], region[e.To])
			region[e.From], region[e.To] = low, low
		}
	}
	regions := map[int]bool{}
	for _, r := range region {
		regions[r] = true
	}
	if len(regions) != 2 {
		t.Errorf("%d regions, want 2", len(regions))
	}
}

// TestPartitionsHoldEveryRecordOnce also for odd numbers of records.
func TestPartitionsHoldEveryRecordOnce(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 240} {
		for of := range 4 {
			seen := map[uint64]int{}
			for p := range count {
				for index := range of + 1 {
					x := (&settings{numEvents: n, keys: 3}).open(p, index, of+1)
					x.Emit = func(seq uint64, _ *dataflow.Output) {
						if seq%count != uint64(p) {
							t.Fatalf("record %d in pipeline %d", seq, p)
						}
						seen[seq]++
					}
					x.Read(0, int(x.Len()), nil)
				}
			}
			for seq := range uint64(n) {
				if seen[seq] != 1 {
					t.Errorf("%d records over %d partitions: record %d is there %d times", n, of+1, seq, seen[seq])
				}
			}
			if len(seen) != int(n) {
				t.Errorf("%d records, want %d", len(seen), n)
			}
		}
	}
}

// TestAnswer: the rows of a run in any order are the reference; a row that is
// there twice is named, a bad one refused.
func TestAnswer(t *testing.T) {
	w := small()
	want, err := w.Reference()
	if err != nil || len(want) != w.Events() {
		t.Fatalf("%d rows, %v", len(want), err)
	}
	var rows [][]byte
	counts := map[[2]uint64]uint64{}
	for seq := uint64(w.Events()); seq > 0; seq-- { // backwards
		at := [2]uint64{(seq - 1) % count, w.settings.key(seq - 1)}
		counts[at]++
		row := binary.LittleEndian.AppendUint64(nil, at[0])
		row = binary.LittleEndian.AppendUint64(row, at[1])
		rows = append(rows, binary.LittleEndian.AppendUint64(row, counts[at]))
	}
	got, err := w.Canonical(rows)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.Join(got, []byte{'\n'}), bytes.Join(want, []byte{'\n'})) {
		t.Error("the rows of a run differ from the reference")
	}
	if _, err := w.Canonical(append(rows, rows[3])); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a duplicate: %v", err)
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
}
