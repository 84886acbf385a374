package changelog_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"weir/state"
	"weir/state/changelog"
)

// TestAnyOrder: whatever is written, streamed, given up and complete in whatever order, each complete
// snapshot restores to what the state was at its instant.
func TestAnyOrder(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Name(), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { anyOrder(r, newWorld(t, b, changelog.Config{SegmentBytes: 200})) })
		})
	}
}

func anyOrder(r *rapid.T, w *world) {
	defer func() { _ = w.store.Close() }()
	var flights []*flight
	for range rapid.IntRange(10, 60).Draw(r, "steps") {
		switch rapid.IntRange(0, 11).Draw(r, "step") {
		case 0:
			flights = append(flights, w.snapshot(rapid.IntRange(0, 9).Draw(r, "based") > 0))
		case 1, 2:
			if len(flights) > 0 {
				w.complete(flights[0])
				flights = flights[1:]
			}
		case 3:
			if len(flights) > 0 { // it is given up
				i := rapid.IntRange(0, len(flights)-1).Draw(r, "which")
				w.giveUp(flights[i])
				flights = slices.Delete(flights, i, i+1)
			}
		case 4, 5:
			if len(w.under) > 0 {
				w.carry(w.under[0])
				w.under = w.under[1:]
			}
		case 6:
			if rapid.IntRange(0, 3).Draw(r, "crash") == 0 {
				flights = nil
				w.begin()
			}
		default:
			for range rapid.IntRange(1, 20).Draw(r, "changes") {
				w.change(rapid.IntRange(0, 8).Draw(r, "what"), rapid.IntRange(0, 9).Draw(r, "key"), rapid.IntRange(0, 50).Draw(r, "more"))
			}
			w.stream()
		}
	}
	f := w.snapshot(true)
	w.complete(f)
	if got, want := w.store.Sum(), w.twin.Sum(); got != want {
		r.Fatalf("sum %#x, without a log %#x", got, want)
	}
}

var _ state.Store = (*changelog.Store)(nil)
