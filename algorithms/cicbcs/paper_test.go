package cicbcs_test

import (
	"testing"

	"weir/algorithms/cicbcs"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
)

// The claims are those of the paper's rules and of its proof that the domino
// effect cannot occur, as retold by Baldoni, Quaglia and Fornara.

func run(t *testing.T, faults scenario.FaultMode, seed uint64, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	c := scenario.Config{Algorithm: cicbcs.Spec(), State: "heap", Workload: keyedcount.New(), Faults: faults}
	return simtest.Trace(t, c, seed, kinds...)
}

// TestForcedBeforeDelivery: the forced snapshot does not contain the message that
// forces it.
func TestForcedBeforeDelivery(t *testing.T) {
	forced := 0
	for _, seed := range simtest.Seeds(8) {
		must, at := map[id.TaskID]id.Epoch{}, map[id.ChannelID]uint64{}
		began := map[id.TaskID]bool{} // a forced snapshot, before the delivery
		for _, e := range run(t, scenario.RandomFaults, seed, trace.Forced, trace.SnapshotBegun, trace.PositionIn, trace.Delivered) {
			switch e.Kind {
			case trace.Forced:
				must[e.Task] = e.Epoch
			case trace.SnapshotBegun:
				if want, ok := must[e.Task]; ok && want != e.Epoch {
					t.Fatalf("seed %d: %s must take %s and takes %s", seed, e.Task, want, e.Epoch)
				}
				_, began[e.Task] = must[e.Task]
				delete(must, e.Task)
			case trace.PositionIn:
				at[e.Channel] = e.To
			default:
				if want, ok := must[e.Task]; ok {
					t.Fatalf("seed %d: %s delivers %s#%d before it takes %s", seed, e.Task, e.Channel, e.To, want)
				}
				if began[e.Task] {
					forced++
					began[e.Task] = false
					if e.From != at[e.Channel] {
						t.Fatalf("seed %d: %s#%d is delivered, and the forced snapshot is at %d", seed, e.Channel, e.To, at[e.Channel])
					}
				}
			}
		}
	}
	if forced == 0 {
		t.Error("nothing was forced: the test shows nothing")
	}
}

// point is a snapshot with its index and what it has received and sent.
type point struct {
	index uint64
	at    map[id.ChannelID]uint64
}

// indices follows the rules over the events of a calm run and returns every
// task's snapshots with their indices, found without asking the algorithm.
func indices(t *testing.T, seed uint64) (points map[id.TaskID][]point, receiver map[id.ChannelID]id.TaskID) {
	points, receiver = map[id.TaskID][]point{}, map[id.ChannelID]id.TaskID{}
	type item struct {
		channel id.ChannelID
		from    uint64
	}
	carried, index, forced := map[item]uint64{}, map[id.TaskID]uint64{}, map[id.TaskID]bool{}
	for _, e := range run(t, scenario.NoFaults, seed, trace.Sealed, trace.Forced, trace.SnapshotBegun, trace.PositionIn, trace.PositionOut, trace.Delivered) {
		switch e.Kind {
		case trace.Sealed:
			carried[item{e.Channel, e.From}] = index[e.Task]
		case trace.Forced:
			forced[e.Task] = true
		case trace.SnapshotBegun:
			index[e.Task]++ // a forced one is given the message's below
			points[e.Task] = append(points[e.Task], point{index[e.Task], map[id.ChannelID]uint64{}})
		case trace.PositionIn, trace.PositionOut:
			ps := points[e.Task]
			ps[len(ps)-1].at[e.Channel] = e.To
		default:
			receiver[e.Channel] = e.Task
			m := carried[item{e.Channel, e.From}]
			if forced[e.Task] {
				if m < index[e.Task] {
					t.Fatalf("seed %d: %s was forced by index %d, having %d already", seed, e.Task, m, index[e.Task]-1)
				}
				ps := points[e.Task]
				index[e.Task], ps[len(ps)-1].index = m, m
				forced[e.Task] = false
			}
			if m > index[e.Task] {
				t.Fatalf("seed %d: %s delivers a message of index %d at %d", seed, e.Task, m, index[e.Task])
			}
		}
	}
	return points, receiver
}

// TestLinesAreConsistent: line n, each task's first snapshot with an index of at
// least n, has no orphan: nothing is received before it that was sent behind it.
// On the way it is checked that a task delivers no message of a higher index, and
// that no snapshot is forced without one.
func TestLinesAreConsistent(t *testing.T) {
	lines := 0
	for _, seed := range simtest.Seeds(8) {
		points, receiver := indices(t, seed)
		var highest uint64
		for _, ps := range points {
			for _, p := range ps {
				highest = max(highest, p.index)
			}
		}
		for n := uint64(1); n <= highest; n++ {
			sent, received := map[id.ChannelID]uint64{}, map[id.ChannelID]uint64{}
			whole := true
			for task, ps := range points {
				k := 0
				for k < len(ps) && ps[k].index < n {
					k++
				}
				if k == len(ps) {
					whole = false // its live end is on the line
					continue
				}
				for c, at := range ps[k].at {
					if receiver[c] == task {
						received[c] = at
					} else {
						sent[c] = at
					}
				}
			}
			for c, at := range received {
				if s, ok := sent[c]; ok && at > s {
					t.Fatalf("seed %d, line %d: %s has received %d of %d sent", seed, n, c, at, s)
				}
			}
			if whole {
				lines++
			}
		}
	}
	if lines == 0 {
		t.Error("no line is whole: the test shows nothing")
	}
}
