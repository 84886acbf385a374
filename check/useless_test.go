package check

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"weir/id"
	"weir/trace"
)

func noneUseless(x *Expect) { uncoordinated(x); x.NoneUseless, x.Pace.End = true, 0 }

// TestASnapshotOnAZigzagCycleIsUseless: the sink answers task 2 on a channel of its
// own. Task 2 takes a snapshot that has the answer, and sends on. If the sink gets
// that in the interval in which it answered, the path is a cycle, although the
// answer was sent first; with a snapshot of the sink in between it is none.
func TestASnapshotOnAZigzagCycleIsUseless(t *testing.T) {
	cyclic := func(x *Expect) {
		noneUseless(x)
		x.Channels = append(x.Channels, Channel{From: 4, To: 2})
	}
	for _, fires := range []bool{true, false} {
		w := newWorld(t, cyclic)
		w.c.done = true
		send := func(ch id.ChannelID, n uint64) { w.c.channels[ch].sealed += n }
		take := func(ch id.ChannelID, n uint64) { w.c.channels[ch].delivered += n }
		send(6, 1)
		if !fires {
			w.local(4, epoch(1, 1))
		}
		take(6, 1)
		w.local(2, epoch(1, 1))
		send(4, 1)
		take(4, 1)
		w.local(4, epoch(1, 2))
		o := watcherOf[*useless](w.c)
		o.Finish(End{})
		if fires {
			mustFire(t, &w.c.verdict, "task t2, epoch 1.1: the snapshot is useless", Useless)
		} else {
			mustPass(t, &w.c.verdict)
		}
	}
}

// TestWhatIsStillBeingStoredIsNotJudged: the cycle of the test above, but the snapshot
// on it is not stored yet. It divides intervals, and is no violation.
func TestWhatIsStillBeingStoredIsNotJudged(t *testing.T) {
	for _, stored := range []bool{true, false} {
		w := newWorld(t, func(x *Expect) {
			noneUseless(x)
			x.Channels = append(x.Channels, Channel{From: 4, To: 2})
		})
		w.c.done = true
		w.c.channels[6].sealed, w.c.channels[6].delivered = 1, 1
		w.begun(2, epoch(1, 1))
		if stored {
			w.task(trace.SnapshotStored, 2, epoch(1, 1))
		}
		w.c.channels[4].sealed, w.c.channels[4].delivered = 1, 1
		w.local(4, epoch(1, 2))
		watcherOf[*useless](w.c).Finish(End{})
		if got := w.c.verdict.Counts[Useless] > 0; got != stored {
			t.Errorf("stored %v: useless %v", stored, got)
		}
	}
}

// TestRoundsHaveNoUselessSnapshots: the cuts of a coordinated run, with items in
// flight, a recovery, and a round that never completes.
func TestRoundsHaveNoUselessSnapshots(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.NoneUseless = true })
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.emit(1, 2)
	w.snapshot(epoch(2, 1))
	w.flow()
	mustPass(t, w.finish(epoch(2, 2)))
}

// TestWhatStorageRefusedWasTaken: the snapshot in between makes the path no cycle,
// also if it could not be stored; and shares of a round given up are not judged.
func TestWhatStorageRefusedWasTaken(t *testing.T) {
	for _, c := range []struct {
		name  string
		cause trace.Cause
		abort bool
		fires bool
	}{{"refused", trace.Unstored, false, false}, {"abandoned", trace.Abandoned, false, true}, {"of a round given up", trace.Abandoned, true, false}} {
		w := newWorld(t, func(x *Expect) {
			noneUseless(x)
			x.Channels = append(x.Channels, Channel{From: 4, To: 2})
		})
		w.c.done = true
		w.c.channels[6].sealed++
		w.begun(4, epoch(1, 1))
		w.tell(trace.Event{Kind: trace.SnapshotFailed, Task: 4, Channel: trace.NoChannel, Epoch: epoch(1, 1), Cause: c.cause})
		w.c.channels[6].delivered++
		w.local(2, epoch(1, 1))
		w.c.channels[4].sealed++
		w.c.channels[4].delivered++
		w.local(4, epoch(1, 2))
		if c.abort {
			w.tell(trace.Event{Kind: trace.Aborted, Task: trace.Coordinator, Channel: trace.NoChannel, Epoch: epoch(1, 1)})
		}
		watcherOf[*useless](w.c).Finish(End{})
		if got := w.c.verdict.Counts[Useless] > 0; got != c.fires {
			t.Errorf("%s: useless %v, want %v", c.name, got, c.fires)
		}
	}
}

// naiveUseless judges one snapshot after the other, each by a fixed point over all
// channels from nothing: the definition, at a cost that grows with its square.
func naiveUseless(o *useless) (found []string) {
	first := func(n id.ChannelID, from []int) int {
		ch, start := &o.channels[n], uint64(0)
		switch f := from[ch.From]; {
		case f == 0:
			return 0
		case f > 1:
			start = o.sealedAt(&o.snapshots[o.alive[ch.From][f-2]], n)
		}
		for y, p := range o.alive[ch.To] {
			if o.deliveredAt(&o.snapshots[p], n) > start {
				return y + 1
			}
		}
		if ch.delivered > start {
			return len(o.alive[ch.To]) + 1
		}
		return 0
	}
	for i := range o.tasks {
		for k := range o.alive[i] {
			from, back := make([]int, len(o.tasks)), 0
			from[i] = k + 2
			for again := true; again; {
				again = false
				for n := range o.channels {
					y := first(id.ChannelID(n), from)
					if y == 0 {
						continue
					}
					to := o.channels[n].To
					if int(to) == i && (back == 0 || y < back) {
						back = y
					}
					if from[to] == 0 || y < from[to] {
						from[to], again = y, true
					}
				}
			}
			if back > 0 && back <= k+1 {
				found = append(found, fmt.Sprint(i, k))
			}
		}
	}
	return found
}

// history lets tasks of a loop send, receive and take snapshots in random order.
func history(t *testing.T, seed uint64, steps int) *useless {
	w := newWorld(t, func(x *Expect) {
		noneUseless(x)
		x.Channels = append(x.Channels, Channel{From: 4, To: 2}, Channel{From: 3, To: 2})
	})
	w.c.done = true
	rng := rand.New(rand.NewPCG(seed, 1))
	taken := make([]int, 5)
	for range steps {
		switch n := rng.IntN(3); n {
		case 0:
			w.c.channels[rng.IntN(len(w.c.channels))].sealed++
		case 1:
			if ch := &w.c.channels[rng.IntN(len(w.c.channels))]; ch.delivered < ch.sealed {
				ch.delivered += 1 + uint64(rng.Int64N(int64(ch.sealed-ch.delivered)))
			}
		case 2:
			task := rng.IntN(5)
			taken[task]++
			w.local(id.TaskID(task), epoch(1, taken[task]))
		}
	}
	return watcherOf[*useless](w.c)
}

// TestUselessAgreesWithTheDefinition compares with the naive twin.
func TestUselessAgreesWithTheDefinition(t *testing.T) {
	some := 0
	for seed := range uint64(200) {
		o := history(t, seed, 150)
		o.Finish(End{})
		want := naiveUseless(o)
		some += len(want)
		if got := o.report.Counts[Useless]; got != len(want) {
			t.Fatalf("seed %d: %d useless snapshots, want %d: %v", seed, got, len(want), want)
		}
	}
	if some < 40 {
		t.Errorf("%d useless snapshots in all histories", some)
	}
}

// TestUselessIsBounded: with twice the snapshots it follows twice the channels.
func TestUselessIsBounded(t *testing.T) {
	for _, steps := range []int{2000, 20_000} {
		o := history(t, 1, steps)
		o.Finish(End{})
		intervals, out := 0, 0
		for i := range o.tasks {
			intervals += len(o.alive[i]) + 1
			out = max(out, len(o.tasks[i].outputs))
		}
		if most := len(o.tasks) * intervals * out; o.steps > most || o.steps < len(o.tasks) {
			t.Errorf("%d intervals: %d channels were followed, %d are allowed", intervals, o.steps, most)
		}
	}
}
