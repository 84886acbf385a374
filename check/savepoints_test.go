package check

import (
	"encoding/hex"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/state/storage"
)

// version1 returns the objects of the savepoint that pins the format.
func version1(t *testing.T) map[string][]byte {
	t.Helper()
	dump, err := os.ReadFile("../state/savepoint/testdata/version1.txt")
	if err != nil {
		t.Fatal(err)
	}
	objects, key := map[string][]byte{}, ""
	for line := range strings.Lines(string(dump)) {
		digits, _, dumped := strings.Cut(line, "|")
		if !dumped {
			key = strings.TrimSpace(line)
			continue
		}
		data, err := hex.DecodeString(strings.Join(strings.Fields(digits)[1:], ""))
		if err != nil {
			t.Fatal(err)
		}
		objects[key] = append(objects[key], data...)
	}
	return objects
}

func stored(objects map[string][]byte) *storage.Memory {
	st := storage.NewMemory(0)
	for key, data := range objects {
		st.Do(state.Op{Kind: state.OpPut, Key: "saved/" + key, Data: data})
	}
	return st
}

// TestSavepointsAreReadAsDocumented: the savepoint that pins the format is read, and not with any
// of its bits flipped, nor without one of its objects.
func TestSavepointsAreReadAsDocumented(t *testing.T) {
	const epoch = id.Epoch(1<<20 | 7)
	objects := version1(t)
	e, tasks, err := readSaved(stored(objects), "saved")
	if err != nil || len(tasks) != 1 || e != epoch {
		t.Fatalf("epoch %s, %d tasks, %v", e, len(tasks), err)
	}
	x := tasks[3]
	if x == nil || x.operator != "count" || x.sum == 0 || !slices.Equal(x.splits, []OriginSplit{{0, 7, -1, true}}) || !slices.Equal(x.pending, []id.Epoch{2<<20 | 3}) {
		t.Errorf("%+v", x)
	}
	tried := 0
	for key, data := range objects {
		for i := range data {
			data[i] ^= 1 << (i % 8)
			if _, _, err := readSaved(stored(objects), "saved"); err == nil {
				t.Errorf("byte %d of %s is wrong, and nobody minds", i, key)
			}
			data[i] ^= 1 << (i % 8)
			tried++
		}
		without := maps.Clone(objects)
		delete(without, key)
		if _, _, err := readSaved(stored(without), "saved"); err == nil {
			t.Errorf("without %s nobody minds", key)
		}
	}
	if tried < 300 {
		t.Errorf("%d bytes", tried)
	}
}

// TestOriginAsDocumented: what a job begins from is what the savepoint that pins the format holds, as
// a reader says who knows only the description.
func TestOriginAsDocumented(t *testing.T) {
	const first = 5
	o, err := ReadOrigin(stored(version1(t)), "saved", "due")
	if err != nil {
		t.Fatal(err)
	}
	x := &o.Tasks[3]
	var times []int64
	for _, due := range x.Timers {
		times = append(times, due.At)
	}
	slices.Sort(times)
	if o.Epoch != 1<<20|7 || x.Operator != "count" || x.Watermark != -5 || !slices.Equal(x.Pending, []id.Epoch{2<<20 | 3}) || !slices.Equal(times, []int64{0, 1, 1, 2, 2, 3}) || len(x.Alarms) > 0 {
		t.Errorf("epoch %s: %+v", o.Epoch, x)
	}
	_, tasks, _ := readSaved(stored(version1(t)), "saved")
	adds := tasks[3].sum
	item := func(list, item string, at ...byte) uint64 {
		return state.SumEntry("operator state", []byte(list), at, []byte(item))
	}
	for list, items := range map[string][]string{"split": {"a0", "b0"}, "union": {"u0"}, "all": {"same"}} {
		for i, x := range items {
			adds -= item(list, x, 0, 0, 0, 0, 0, 0, 0, byte(i))
			if list == "split" {
				adds += item(list, x)
			}
		}
	}
	if x.Sum != adds {
		t.Errorf("what adds up over instances is %016x, want %016x", x.Sum, adds)
	}
	if o, err := ReadOrigin(stored(version1(t)), "saved", "another"); err != nil || len(o.Tasks[3].Alarms) != len(times) || len(o.Tasks[3].Timers) > 0 {
		t.Errorf("timers of another name: %v, %+v", err, o)
	}
	for operator, splits := range map[string][]OriginSplit{"tally": {{first, 7, -1, true}}, "": nil} {
		as := o.As(func(was string) (string, id.SplitID) {
			if was == "count" {
				return operator, first
			}
			return "of nobody", 0
		}).Tasks[3]
		if as.Operator != operator || !slices.Equal(as.Splits, splits) || as.Sum != x.Sum {
			t.Errorf("as %q: %+v", operator, as)
		}
	}
}
