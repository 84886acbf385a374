package heap_test

import (
	"testing"

	"weir/state"
	"weir/state/statetest"
)

// TestSlices changes everything between any two slices of a capture: it is
// encoded a little at a time, and holds the instant.
func TestSlices(t *testing.T) {
	const keys, least = 20_000, 10
	st := statetest.NewMemory()
	groups := state.GroupRange{Lo: 0, Hi: 4}
	s := open(t, groups)
	table := counts(t, s, 100)
	change := func() {
		for k := range uint64(keys) {
			var b [8]byte
			v, _ := table.Update(state.KeyOfUint64(&b, k, 4))
			v[k%100]++
		}
	}
	change()
	sum := s.Sum()
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "p-"})
	if err != nil {
		t.Fatal(err)
	}
	slices := 0
	var results []state.Result
	for done := false; !done; {
		var ops []state.Op
		if ops, done, err = c.Next(results); err != nil {
			t.Fatal(err)
		}
		results = nil
		for _, op := range ops {
			results = append(results, st.Do(op))
		}
		if len(ops) == 0 {
			slices++
			change()
		}
	}
	if slices < least {
		t.Errorf("%d entries of 108 bytes were encoded in %d slices, want at least %d", keys, slices, least)
	}
	c.Discard()
	if r, _ := restored(t, st, groups, 100, c.Handle()); r.Sum() != sum {
		t.Errorf("the snapshot has sum %#x, want %#x", r.Sum(), sum)
	}
}
