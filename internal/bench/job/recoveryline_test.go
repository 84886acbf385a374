package job

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"weir/id"
	"weir/live"
	"weir/trace"
	"weir/trace/cost"
)

func TestMedianAge(t *testing.T) {
	for _, c := range []struct {
		name     string
		steps    []lineStep
		from, to int64
		want     int64
	}{
		{"never anything: the age is the time since the start", []lineStep{{0, 0}}, 100, 300, 200},
		{"one checkpoint every 100, complete after 40: ages run from 40 to 140", []lineStep{{0, 0}, {140, 100}, {240, 200}, {340, 300}, {440, 400}}, 140, 440, 90},
		{"the time before the measured time does not count", []lineStep{{0, 0}, {1000, 900}, {1200, 1190}}, 1200, 1220, 20},
		{"a checkpoint that is complete too late does not help", []lineStep{{0, 0}, {500, 100}}, 100, 300, 200},
		{"no time", []lineStep{{0, 0}}, 100, 100, 0},
	} {
		if got := medianAge(c.steps, c.from, c.to); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestMedianAgeIsThatOfSamples: looking at every moment gives the same.
func TestMedianAgeIsThatOfSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		steps := []lineStep{{0, 0}}
		for at := int64(0); at < 5000; {
			last := steps[len(steps)-1]
			at = last.at + 1 + rng.Int64N(600)
			steps = append(steps, lineStep{at, last.of + rng.Int64N(at-last.of)})
		}
		from := rng.Int64N(2000)
		to := from + 100 + rng.Int64N(2000)
		var ages []int64
		for now, i := from, 0; now < to; now++ {
			for i+1 < len(steps) && steps[i+1].at <= now {
				i++
			}
			ages = append(ages, now-steps[i].of)
		}
		slices.Sort(ages)
		if got, want := medianAge(steps, from, to), ages[len(ages)/2]; max(got-want, want-got) > 1 {
			t.Fatalf("%v from %d to %d: %d, by samples %d", steps, from, to, got, want)
		}
	}
}

// teller feeds a checkpoint log.
type teller struct{ live.CheckpointLog }

func (l *teller) tell(at int64, k trace.Kind, task id.TaskID, index uint32) {
	l.Observe(&trace.Event{Time: at, Kind: k, Task: task, Epoch: id.MakeEpoch(1, index), Attempt: 1})
}

func (l *teller) snapshot(task id.TaskID, index uint32, begun, stored, bytes int64) {
	l.tell(begun, trace.SnapshotBegun, task, index)
	l.ObserveCost(task, id.MakeEpoch(1, index), new(cost.Vector[int64]).Set(cost.State, bytes))
	l.tell(stored, trace.SnapshotStored, task, index)
}

func TestHistoryOfRounds(t *testing.T) {
	var l teller
	l.tell(100, trace.Triggered, trace.Coordinator, 1)
	l.snapshot(0, 1, 110, 120, 500)
	l.tell(150, trace.Completed, trace.Coordinator, 1)
	l.tell(200, trace.Triggered, trace.Coordinator, 2)
	l.snapshot(0, 2, 210, 220, 600)
	l.tell(250, trace.Aborted, trace.Coordinator, 2)
	l.tell(300, trace.Triggered, trace.Coordinator, 3)
	l.snapshot(0, 3, 310, 320, 700)
	l.tell(350, trace.Completed, trace.Coordinator, 3)
	h := history{&l.CheckpointLog, 10}
	if got, want := h.line(1), []lineStep{{10, 10}, {150, 100}, {350, 300}}; !slices.Equal(got, want) {
		t.Errorf("line %v, want %v", got, want)
	}
	if rounds, snapshots := h.wasted(0, math.MaxInt64); rounds != 1 || snapshots != 1 {
		t.Errorf("%d rounds and %d snapshots in vain, want one of each", rounds, snapshots)
	}
	if rounds, snapshots := h.wasted(201, math.MaxInt64); rounds != 0 || snapshots != 0 {
		t.Errorf("%d rounds and %d snapshots in vain after the one there was", rounds, snapshots)
	}
	if a, b, c := h.stateBytes(149), h.stateBytes(349), h.stateBytes(350); a != 0 || b != 500 || c != 700 {
		t.Errorf("state of %d, %d and %d bytes, want 0, 500 and 700", a, b, c)
	}
}

func TestHistoryWithoutRounds(t *testing.T) {
	var l teller
	l.snapshot(0, 1, 100, 120, 10)
	l.snapshot(1, 1, 130, 140, 200)
	l.tell(145, trace.LineAdvanced, 0, 1)
	l.tell(150, trace.LineAdvanced, 1, 1)
	l.snapshot(1, 2, 160, 170, 300)
	l.snapshot(1, 3, 190, 195, 400)
	l.snapshot(0, 2, 200, 210, 20)
	l.tell(215, trace.LineAdvanced, 0, 2)
	l.tell(216, trace.LineAdvanced, 1, 3)
	h := history{&l.CheckpointLog, 10}
	want := []lineStep{{10, 10}, {145, 10}, {150, 100}, {215, 130}, {216, 190}}
	if got := h.line(2); !slices.Equal(got, want) {
		t.Errorf("line %v, want %v", got, want)
	}
	if rounds, snapshots := h.wasted(0, 300); rounds != 0 || snapshots != 1 {
		t.Errorf("%d rounds and %d snapshots in vain, want the one that the line passed over", rounds, snapshots)
	}
	if _, snapshots := h.wasted(161, 300); snapshots != 0 {
		t.Errorf("%d snapshots in vain, though the one there was began before", snapshots)
	}
	if a, b := h.stateBytes(180), h.stateBytes(300); a != 310 || b != 420 {
		t.Errorf("state of %d and %d bytes, want 310 and 420", a, b)
	}
}
