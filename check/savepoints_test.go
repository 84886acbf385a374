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
	tasks, err := readSaved(stored(objects), "saved", epoch)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	x := tasks[3]
	if x == nil || x.operator != "count" || x.sum == 0 || !maps.Equal(x.splits, map[int]uint64{0: 7}) || !slices.Equal(x.pending, []id.Epoch{2<<20 | 3}) {
		t.Errorf("%+v", x)
	}
	if _, err := readSaved(stored(objects), "saved", epoch+1); err == nil {
		t.Error("it is of another epoch")
	}
	tried := 0
	for key, data := range objects {
		for i := range data {
			data[i] ^= 1 << (i % 8)
			if _, err := readSaved(stored(objects), "saved", epoch); err == nil {
				t.Errorf("byte %d of %s is wrong, and nobody minds", i, key)
			}
			data[i] ^= 1 << (i % 8)
			tried++
		}
		without := maps.Clone(objects)
		delete(without, key)
		if _, err := readSaved(stored(without), "saved", epoch); err == nil {
			t.Errorf("without %s nobody minds", key)
		}
	}
	if tried < 300 {
		t.Errorf("%d bytes", tried)
	}
}
