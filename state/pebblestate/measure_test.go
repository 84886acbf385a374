package pebblestate_test

import (
	"testing"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/pebblestate"
	"weir/state/statetest"
	"weir/state/storage"
)

// TestChangedSinceTheBase: a capture knows what has changed, each key once,
// whether it uploads everything or not.
func TestChangedSinceTheBase(t *testing.T) {
	const entry = 3 + 8 // a key with its table and group
	for _, full := range []bool{false, true} {
		b := backend(t, pebblestate.Config{Deterministic: true, Full: full})
		w := openWide(t, b, disk.New(disk.Config{}).Mount(), "db")
		st := storage.NewMemory(0)
		changed := func(e, base id.Epoch) (int64, bool) {
			t.Helper()
			c, err := w.Snapshot(state.SnapshotRequest{Epoch: e, Base: base, Prefix: "t0/a1-"})
			if err != nil {
				t.Fatal(err)
			}
			if err := statetest.Drive(c, st); err != nil {
				t.Fatal(err)
			}
			return c.(state.ChangeMeter).Changed()
		}
		for k := range uint64(100) {
			w.renew(k)
		}
		if n, known := changed(1, 0); known {
			t.Errorf("full %v: %d bytes changed since no base", full, n)
		}
		for range 3 {
			for k := range uint64(7) {
				w.renew(k)
			}
		}
		per := int64(entry + wide.FixedSize)
		if n, known := changed(2, 1); !known || n != 7*per {
			t.Errorf("full %v: %d bytes changed (known %v), want those of 7 keys, %d", full, n, known, 7*per)
		}
		w.renew(50)
		if n, known := changed(3, 1); !known || n != 8*per {
			t.Errorf("full %v: %d bytes changed since the older base (known %v), want %d", full, n, known, 8*per)
		}
		if n, known := changed(4, 3); !known || n != 0 {
			t.Errorf("full %v: nothing changed, and it says %d (known %v)", full, n, known)
		}
		if put := b.BytesPut(); put != 108*per {
			t.Errorf("full %v: %d bytes put, want those of 100, 7 and 1 entries, %d", full, put, 108*per)
		}
		_ = w.Close()
	}
}
