package check

import (
	"encoding/binary"
	"testing"
)

// TestRowSet holds the set against a map, across a reset.
func TestRowSet(t *testing.T) {
	var s rowSet
	for run := range 2 {
		naive := map[string]bool{}
		for i := range 3000 {
			row := binary.AppendUvarint(nil, uint64(i*i%1009)*uint64(run+1))[:1+i%2]
			if got, want := s.add(row), !naive[string(row)]; got != want {
				t.Fatalf("run %d: %x is new: %v, want %v", run, row, got, want)
			}
			naive[string(row)] = true
		}
		if len(s.rows) != len(naive) {
			t.Errorf("run %d: %d rows, want %d", run, len(s.rows), len(naive))
		}
		s.reset()
	}
}
