package keyedcount

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"weir/workloads"
)

func TestSettings(t *testing.T) {
	w := New()
	for _, s := range [][2]string{
		{"numEvents", "2000"}, {"keys", "50"}, {"distribution", "zipf"}, {"exponent", "0.9"}, {"recordBytes", "64"}, {"valueSize", "100"},
		{"seed", "7"}, {"emitEvery", "0"}, {"startNanos", "5"}, {"rate", "1000"},
	} {
		if err := w.Set(s[0], s[1]); err != nil {
			t.Error(err)
		}
	}
	if got, want := w.Settings(), w.SettingNames(); len(got) != len(want) {
		t.Errorf("changed are %q of %q", got, want)
	}
	again := New()
	for _, change := range w.Settings() {
		name, value, _ := strings.Cut(change, "=")
		if err := again.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if again.(*Workload).settings != w.(*Workload).settings {
		t.Errorf("%+v, want %+v", again, w)
	}
	if len(New().Settings()) != 0 {
		t.Errorf("defaults are shown as changes: %q", New().Settings())
	}
	for _, s := range [][3]string{
		{"events", "1", "known are numEvents, keys,"}, {"keys", "0", "in 1.."}, {"keys", "x", "whole number"}, {"recordBytes", "33", "in 34.."},
		{"valueSize", "15", "in 16.."}, {"distribution", "normal", "neither uniform nor zipf"}, {"exponent", "-1", "in 0..10"}, {"exponent", "NaN", "in 0..10"},
	} {
		if err := w.Set(s[0], s[1]); err == nil || !strings.Contains(err.Error(), s[2]) {
			t.Errorf("Set(%q, %q): %v, want it to say %q", s[0], s[1], err, s[2])
		}
	}
	if err := With(Settings{}).Validate(); err == nil {
		t.Error("the zero Settings is valid")
	}
	w.Small()
	if w.Events() != 240 {
		t.Errorf("%d events", w.Events())
	}
	if err := w.SetEvents(17); err != nil || w.Events() != 17 {
		t.Errorf("%d events, %v", w.Events(), err)
	}
}

// TestStreamIsPinned: a changed stream makes committed results incomparable.
func TestStreamIsPinned(t *testing.T) {
	for distribution, want := range map[Distribution]string{
		Uniform: "2a950b0484e084534b2ea2f25054b0da0bd6ea994bb69df26f83657cbd49ea08",
		Zipf:    "ed0a0b36ea2f4b0ece8d4f05a35fa4f7f86bd22703c38dfd8f48fbb0a886a869",
	} {
		s := Defaults()
		s.NumEvents, s.Distribution, s.Keys = 1000, distribution, 100
		var b bytes.Buffer
		if err := With(s).InputLines(&b); err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\n"))
		if got := workloads.Digest(lines); got != want || len(lines) != 1000 {
			t.Errorf("%s: %d lines with digest %s, want %s; the first is %s", distribution, len(lines), got, want, lines[0])
		}
	}
}

func TestInputLines(t *testing.T) {
	s := Defaults()
	s.NumEvents, s.Rate, s.StartNanos = 3, 3, 100
	var b bytes.Buffer
	if err := With(s).InputLines(&b); err != nil {
		t.Fatal(err)
	}
	g := NewGenerator(s)
	for seq, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		var got struct {
			Seq, Key, Value uint64
			TS              int64
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		r := g.Record(uint64(seq))
		if want := int64(100 + seq*1_000_000_000/3); got.TS < want-1 || got.TS > want || got.TS != r.Nanos {
			t.Errorf("time %d of record %d, want %d", got.TS, seq, want)
		}
		if got.Key != r.Key || got.Value != r.Value || got.Seq != uint64(seq) {
			t.Errorf("%s, want %+v", line, r)
		}
	}
}

// TestPartitions: all records are in exactly one partition.
func TestPartitions(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 240} {
		s := Defaults()
		s.NumEvents = n
		for of := 1; of <= 4; of++ {
			total := uint64(0)
			for index := range of {
				total += uint64(NewGenerator(s).partition(index, of).Len())
			}
			if total != uint64(n) {
				t.Errorf("%d records in %d partitions: %d", n, of, total)
			}
		}
	}
}

func TestUniformKeys(t *testing.T) {
	s := Defaults()
	s.Keys = 10
	g := NewGenerator(s)
	var counts [10]int
	for seq := range uint64(100_000) {
		counts[g.Record(seq).Key]++
	}
	for k, n := range counts {
		if n < 9_600 || n > 10_400 {
			t.Errorf("key %d comes %d times in 100,000", k, n)
		}
	}
}

func TestZipfKeys(t *testing.T) {
	for _, exponent := range []string{"0", "0.5", "0.99", "1", "2"} {
		s := Defaults()
		s.Keys, s.Distribution, s.Exponent = 50, Zipf, exponent
		g := NewGenerator(s)
		var counts [50]int
		const n = 400_000
		for seq := range uint64(n) {
			counts[g.Record(seq).Key]++
		}
		x := map[string]float64{"0": 0, "0.5": 0.5, "0.99": 0.99, "1": 1, "2": 2}[exponent]
		total := 0.0
		for k := range counts {
			total += math.Pow(float64(k+1), -x)
		}
		for k, got := range counts {
			want := n * math.Pow(float64(k+1), -x) / total
			if math.Abs(float64(got)-want) > 5*math.Sqrt(want)+1 {
				t.Errorf("exponent %s: key %d comes %d times, want about %.0f", exponent, k, got, want)
			}
		}
	}
}

// TestAliasTableIsExact adds up what the entries give to each key.
func TestAliasTableIsExact(t *testing.T) {
	const n = 1000
	z := newZipf(n, 1)
	share := make([]float64, n)
	for k, e := range z.entries {
		own := (float64(e.own) + 1) / (1 << 32)
		share[k] += own
		share[e.other] += 1 - own
	}
	harmonic := 0.0
	for k := range n {
		harmonic += 1 / float64(k+1)
	}
	for k := range share {
		if want := n / float64(k+1) / harmonic; math.Abs(share[k]-want) > 1e-6 {
			t.Errorf("key %d has a share of %g, want %g", k, share[k], want)
		}
	}
}

func TestInversePower(t *testing.T) {
	for _, x := range []float64{1, 2, 3, 7, 100, 12345, 1e6, 1 << 28} {
		for _, s := range []float64{0, 0.1, 0.5, 0.99, 1, 1.7, 3, 10} {
			got, want := inversePower(x, s), math.Pow(x, -s)
			if math.Abs(got-want) > 1e-12*want {
				t.Errorf("%g^-%g is %g, want %g", x, s, got, want)
			}
		}
	}
}

func row(key, count, sum uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, key)
	b = binary.LittleEndian.AppendUint64(b, count)
	b = binary.LittleEndian.AppendUint64(b, sum)
	return binary.LittleEndian.AppendUint64(b, 99)
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		name  string
		every string
		rows  [][]byte
		want  string
		err   string // "" for none
	}{
		{"in any order", "1", [][]byte{row(3, 2, 5), row(10, 1, 1), row(3, 1, 4)}, `{"key":10,"count":1,"sum":1} {"key":3,"count":2,"sum":5}`, ""},
		{"a sum that falls", "1", [][]byte{row(3, 1, 9), row(3, 2, 5)}, `{"key":3,"count":2,"sum":5}`, "a sum never falls"},
		{"a sum that fell, seen late", "1", [][]byte{row(3, 2, 5), row(3, 1, 9)}, `{"key":3,"count":2,"sum":5}`, "a sum never falls"},
		{"duplicate", "1", [][]byte{row(3, 1, 4), row(3, 2, 5), row(3, 2, 5)}, `{"key":3,"count":2,"sum":5}`, "key 3 has more than one row with count 2"},
		{"missing", "1", [][]byte{row(3, 1, 4), row(3, 3, 5)}, `{"key":3,"count":3,"sum":5}`, "key 3 has no row with count 2"},
		{"every second", "2", [][]byte{row(3, 2, 4), row(3, 4, 5), row(3, 5, 6)}, `{"key":3,"count":5,"sum":6}`, ""},
		{"every second, the second missing", "2", [][]byte{row(3, 2, 4), row(3, 5, 6)}, `{"key":3,"count":5,"sum":6}`, "no row with count 4"},
		{"two ends", "2", [][]byte{row(3, 2, 4), row(3, 3, 5), row(3, 4, 5), row(3, 5, 6)}, `{"key":3,"count":5,"sum":6}`, "2 final rows"},
		{"an end in between", "2", [][]byte{row(3, 2, 4), row(3, 3, 5), row(3, 4, 6)}, `{"key":3,"count":4,"sum":6}`, "1 final rows"},
		{"final rows only", "0", [][]byte{row(3, 5, 6), row(4, 9, 1)}, `{"key":3,"count":5,"sum":6} {"key":4,"count":9,"sum":1}`, ""},
		{"a final row twice", "0", [][]byte{row(3, 5, 6), row(3, 5, 6)}, `{"key":3,"count":5,"sum":6}`, "duplicate"},
		{"a final row too many", "0", [][]byte{row(3, 5, 6), row(3, 4, 6)}, `{"key":3,"count":5,"sum":6}`, "2 final rows"},
	} {
		w := New()
		if err := w.Set("emitEvery", c.every); err != nil {
			t.Fatal(err)
		}
		rows, err := w.Canonical(c.rows)
		if got := string(bytes.Join(rows, []byte(" "))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.err)
		}
	}
	if _, err := New().Canonical([][]byte{{1, 2}}); err == nil {
		t.Error("a row of two bytes is taken")
	}
}

func TestFillerDoesNotRepeat(t *testing.T) {
	a, b := make([]byte, 93), make([]byte, 93)
	fill(a, 1)
	fill(b, 2)
	if bytes.Equal(a[:8], b[:8]) || bytes.Equal(a[:8], a[8:16]) || bytes.Equal(a[88:], make([]byte, 5)) {
		t.Errorf("% x\n% x", a, b)
	}
}

func TestReferenceCountsEveryRecord(t *testing.T) {
	s := Defaults()
	s.NumEvents, s.Keys = 10_000, 100
	rows, err := With(s).Reference()
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(0)
	for _, r := range rows {
		var v struct{ Key, Count, Sum uint64 }
		if err := json.Unmarshal(r, &v); err != nil {
			t.Fatal(err)
		}
		total += v.Count
	}
	if total != 10_000 || len(rows) != 100 || !slices.IsSortedFunc(rows, bytes.Compare) {
		t.Errorf("%d records in %d rows", total, len(rows))
	}
}

// Keys must not make their first rows all at once, or a paced run has none for
// a long time and then all of them.
func TestFirstRowsAreSpread(t *testing.T) {
	const keys, every = 10_000, 20
	var of [every + 1]int
	for key := range uint64(keys) {
		of[first(key, every)]++
	}
	for count, n := range of[1:] {
		if n < keys/every*3/4 || n > keys/every*5/4 {
			t.Errorf("%d keys of %d make their first row at count %d", n, keys, count+1)
		}
	}
	if of[0] > 0 || first(7, 1) != 1 {
		t.Error("counts begin at 1")
	}
}
