package keyedcount

import (
	"encoding/binary"
	"testing"
)

// TestRowsTellTheirRecord at rates that divide a second and at some that do not.
func TestRowsTellTheirRecord(t *testing.T) {
	for _, rate := range []int64{1, 3, 1000, 999_983, 1_000_000, 700_001, 1_000_000_000} {
		s := Defaults()
		s.Rate, s.StartNanos = rate, 5
		answers, err := With(s).Answers(4)
		if err != nil || !answers.Prompt {
			t.Fatal(answers.Prompt, err)
		}
		g := NewGenerator(s)
		for _, seq := range []uint64{0, 1, 2, 3, 7, 1000, 1001, 123_456_789, 1 << 33} {
			if uint64(rate) < seq>>30 {
				continue // times beyond what 63 bits hold
			}
			row := make([]byte, rowBytes)
			binary.LittleEndian.PutUint64(row[rowTimeOffset:], uint64(g.Record(seq).Nanos))
			if got := answers.Record(row); got != int64(seq) {
				t.Errorf("at %d per second the row of record %d answers %d", rate, seq, got)
			}
		}
		if got := answers.Record(make([]byte, rowBytes)); got >= 0 {
			t.Errorf("a row of the end of the input answers record %d", got)
		}
	}
}

func TestSize(t *testing.T) {
	w := New()
	for name, value := range map[string]string{"keys": "1000", "valueSize": "100", "emitEvery": "10"} {
		if err := w.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	size := w.(*Workload).Size(100_000)
	if size.Fill != 7000 || size.State != 124_000 || size.Output != 40*11_000 {
		t.Errorf("%+v", size)
	}
}

func TestTotal(t *testing.T) {
	key, n, err := With(Defaults()).Total([]byte(`{"key":10,"count":3,"sum":1}`))
	if key != "10" || n != 3 || err != nil {
		t.Error(key, n, err)
	}
	if _, _, err := With(Defaults()).Total([]byte(`{"key":`)); err == nil {
		t.Error("half a row has a total")
	}
}
