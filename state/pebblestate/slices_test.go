package pebblestate_test

import (
	"testing"

	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/pebblestate"
	"weir/state/statetest"
	"weir/state/storage"
)

// TestSlices stops a capture in the middle of its way into the local database,
// at every slice in turn, while the task goes on, so much that it has to finish
// that way itself, or gives up: the snapshot holds the instant, and so do
// later ones.
func TestSlices(t *testing.T) {
	const keys = 5000
	for stop := 1; ; stop++ {
		st := storage.NewMemory(0)
		b := backend(t, pebblestate.Config{Deterministic: true, WriteCacheBytes: keys * 150})
		w := openWide(t, b, disk.New(disk.Config{}).Mount(), "db")
		for k := range uint64(keys) {
			w.renew(k)
		}
		sum := w.Sum()
		c, err := w.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "p-"})
		if err != nil {
			t.Fatal(err)
		}
		slices := 0
		var ops []state.Op
		for slices < stop && len(ops) == 0 {
			if ops, _, err = c.Next(nil); err != nil {
				t.Fatal(err)
			}
			slices++
		}
		if len(ops) > 0 {
			if slices < 4 {
				t.Errorf("%d keys in %d slices: a task that waits for one waits long", keys, slices)
			}
			_ = w.Close()
			return
		}
		for range 3 { // beyond what the cache holds
			for k := range uint64(keys) {
				w.renew(k + keys/2)
			}
		}
		if stop%2 == 0 {
			c.Discard()
		} else if err := statetest.Drive(c, st); err != nil {
			t.Fatal(err)
		} else if got := restoreWide(t, b, st, c.Handle()).Sum(); got != sum {
			t.Errorf("stopped after %d slices: the snapshot has sum %#x, want %#x", stop, got, sum)
		}
		if got := restoreWide(t, b, st, w.snapshot(t, 2, 1, st)).Sum(); got != w.Sum() {
			t.Errorf("stopped after %d slices: the next snapshot has sum %#x, want %#x", stop, got, w.Sum())
		}
		if err := w.Err(); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
	}
}

// TestCloseInTheMiddle closes a store whose capture is half-way into the database.
func TestCloseInTheMiddle(t *testing.T) {
	vol := disk.New(disk.Config{})
	w := openWide(t, backend(t, pebblestate.Config{Deterministic: true}), vol.Mount(), "db")
	for k := range uint64(5000) {
		w.renew(k)
	}
	c, err := w.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "p-"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if ops, _, err := c.Next(nil); err != nil || len(ops) > 0 {
			t.Fatal("not in the middle", ops, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if used := vol.Used(); used != 0 {
		t.Errorf("%d bytes stay on the local disk", used)
	}
}
