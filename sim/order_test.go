package sim_test

import (
	"testing"

	"weir/sim"
	"weir/sim/seed"
)

// freeModel frees the order: what a seed draws decides, and a timer comes in between.
func freeModel(crashes int) sim.Model {
	return sim.Model{StepBase: 1, Order: sim.Order{Free: 1, Crashes: crashes, Horizon: 6e6}}
}

// TestFreeOrder: whatever order a seed draws, no channel gets out of order, the answer is
// right, and the tape makes the run again.
func TestFreeOrder(t *testing.T) {
	const records, keys = 12, 5
	for _, name := range exactlyOnce() {
		x := newExperiment(t, sim.New(), name, records, keys, 2)
		crashed, hashes := 0, map[uint64]bool{}
		for n := range uint64(60) {
			var tape seed.Tape
			c := sim.Config{Seed: n, Record: &tape, Model: freeModel(int(n % 3))}
			r := x.run(t, c)
			if r.Verdict != sim.Done || r.TaskFailures > 0 {
				t.Fatalf("%s, seed %d: %s: %v, %v\n%s", name, n, r.Verdict, r.Err, r.LastFailure, r.Stack)
			}
			if err := x.check(records, keys); err != nil {
				t.Errorf("%s, seed %d: %v", name, n, err)
			}
			if r.Crashes+r.CoordinatorCrashes > int(n%3) {
				t.Errorf("%s, seed %d: %d and %d crashes, at most %d may be", name, n, r.Crashes, r.CoordinatorCrashes, n%3)
			}
			crashed += r.Crashes + r.CoordinatorCrashes
			hashes[r.Hash] = true
			c.Record, c.Replay, c.Seed = nil, &tape, 0
			if again := x.run(t, c); again.Hash != r.Hash {
				t.Errorf("%s, seed %d: hash %016x, replayed %016x", name, n, r.Hash, again.Hash)
			}
		}
		if crashed == 0 || len(hashes) < 50 {
			t.Errorf("%s: %d crashes, %d different runs: nothing is free", name, crashed, len(hashes))
		}
	}
}

// wanderer chooses by a number of its own and looks at the image of every n-th point.
type wanderer struct {
	x, every uint64
	at       uint64
	images   map[uint64]uint64 // by number of the point
}

func (w *wanderer) Choose(p *sim.Point) int {
	if w.at++; w.at%w.every == 0 {
		w.images[w.at] = p.Image()
	}
	w.x = w.x*6364136223846793005 + 1442695040888963407
	return int((w.x >> 33) % uint64(len(p.Options)))
}

// TestImageIsOfNow: an image that is kept while nothing touches its party is the one
// that would be made now: it does not matter who has looked before.
func TestImageIsOfNow(t *testing.T) {
	for _, name := range exactlyOnce() {
		x := newExperiment(t, sim.New(), name, 12, 5, 2)
		for n := range uint64(20) {
			often := &wanderer{x: n, every: 1, images: map[uint64]uint64{}}
			x.run(t, sim.Config{Model: freeModel(1), Chooser: often})
			seldom := &wanderer{x: n, every: 5 + n, images: map[uint64]uint64{}}
			x.run(t, sim.Config{Model: freeModel(1), Chooser: seldom})
			if often.at != seldom.at || len(seldom.images) == 0 {
				t.Fatalf("%s, %d: %d points, and %d where fewer are looked at", name, n, often.at, seldom.at)
			}
			for at, want := range seldom.images { //det:unordered each is compared
				if often.images[at] != want {
					t.Fatalf("%s, %d: the image of point %d is %016x, kept from before %016x", name, n, at, want, often.images[at])
				}
			}
		}
	}
}

// refuser ends a run at a point.
type refuser struct{ left int }

func (r *refuser) Choose(*sim.Point) int {
	if r.left--; r.left < 0 {
		return -1
	}
	return 0
}

// TestChooserEndsARun: it is interrupted then, and the simulator is good for another.
func TestChooserEndsARun(t *testing.T) {
	x := newExperiment(t, sim.New(), "aligned", 12, 5, 2)
	if r := x.run(t, sim.Config{Model: freeModel(0), Chooser: &refuser{9}}); r.Verdict != sim.Interrupted {
		t.Errorf("%s: %v", r.Verdict, r.Err)
	}
	if r := x.run(t, sim.Config{Model: freeModel(0)}); r.Verdict != sim.Done {
		t.Errorf("%s: %v", r.Verdict, r.Err)
	}
}
