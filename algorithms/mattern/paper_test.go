package mattern_test

import (
	"testing"

	"weir/algorithms/mattern"
	"weir/id"
	"weir/internal/algorithms/algorithmstest"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
)

// run returns the events of one run under faults, over channels that reorder.
func run(t *testing.T, seed uint64, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	c := scenario.Config{Algorithm: mattern.Spec(), State: "heap", Workload: keyedcount.New(), Reorder: true}
	return simtest.Trace(t, c, seed, kinds...)
}

// TestRedAfterSnapshot: a white task takes its snapshot before it handles a red message.
// No snapshot of a complete round has in it what was sent behind another one of the round,
// although such messages overtake white ones.
func TestRedAfterSnapshot(t *testing.T) {
	cuts, overtaken := 0, 0
	for _, seed := range simtest.Seeds(8) {
		for _, cut := range algorithmstest.Cuts(run(t, seed, algorithmstest.CutKinds()...)) {
			for c, x := range cut.Channels {
				cuts++
				for n := range x.Received {
					if n > x.Sent {
						t.Fatalf("seed %d, round %s, channel %s: position %d was received before the cut; %d were sent before it", seed, cut.Epoch, c, n, x.Sent)
					}
				}
				for n := range x.Captured {
					for later := n + 1; later <= x.Sent; later++ {
						if x.Received[later] {
							overtaken++
						}
					}
				}
			}
		}
	}
	if cuts == 0 || overtaken == 0 {
		t.Errorf("%d channels, %d messages overtaken at the cut: the test shows nothing", cuts, overtaken)
	}
}

// TestLateMessagesAreTheState: the state of a channel is the white messages that a red task handles:
// each once, and all of them, so that with what was received before they are what was sent.
func TestLateMessagesAreTheState(t *testing.T) {
	inFlight := 0
	for _, seed := range simtest.Seeds(8) {
		for _, cut := range algorithmstest.Cuts(run(t, seed, algorithmstest.CutKinds()...)) {
			for c, x := range cut.Channels {
				inFlight += len(x.Captured)
				for n := uint64(1); n <= x.Sent; n++ {
					if got := x.Captured[n]; x.Received[n] != (got == 0) || got > 1 {
						t.Fatalf("seed %d, round %s, channel %s: position %d of %d: received %v, captured %d times", seed, cut.Epoch, c, n, x.Sent, x.Received[n], got)
					}
				}
			}
		}
	}
	if inFlight == 0 {
		t.Error("nothing was in flight at any cut: the test shows nothing")
	}
}

// TestEndsWithTheLastLateMessage: a round ends no sooner than what the counters of all, added
// up, say was under way to a task has been handled there.
func TestEndsWithTheLastLateMessage(t *testing.T) {
	late := 0
	for _, seed := range simtest.Seeds(8) {
		for _, cut := range algorithmstest.Cuts(run(t, seed, algorithmstest.CutKinds()...)) {
			for c, x := range cut.Channels {
				counter := x.Sent - uint64(len(x.Received))
				if late += int(counter); counter != uint64(len(x.Captured)) {
					t.Fatalf("seed %d, round %s, channel %s: the counters say %d, the round ended with %d", seed, cut.Epoch, c, counter, len(x.Captured))
				}
				for n, handled := range x.Handled {
					if !handled {
						t.Fatalf("seed %d, round %s, channel %s: the round ended before position %d was handled", seed, cut.Epoch, c, n)
					}
				}
			}
		}
	}
	if late == 0 {
		t.Error("no message was late: the test shows nothing")
	}
}

// TestKeepsNoMessages: a message that was handled before the cut is counted, and kept by nobody: what is
// captured is of inputs, as it comes.
func TestKeepsNoMessages(t *testing.T) {
	for _, seed := range simtest.Seeds(8) {
		for _, e := range run(t, seed, trace.CapturedOut) {
			t.Fatalf("seed %d: %s has kept something of %s", seed, e.Task, e.Channel)
		}
	}
}

// TestNoMarkers: colours go with the messages of the computation, and nothing is held up.
func TestNoMarkers(t *testing.T) {
	for _, seed := range simtest.Seeds(8) {
		for _, e := range run(t, seed, trace.BarrierSent, trace.ChannelBlocked) {
			t.Fatalf("seed %d: %s of %s", seed, e.Kind, e.Task)
		}
	}
}

// TestNumbersForColours: with numbers in the place of colours snapshots can be repeated, also two at
// once: every task takes those of a complete round in order.
func TestNumbersForColours(t *testing.T) {
	rounds := 0
	for _, seed := range simtest.Seeds(8) {
		newest := map[id.TaskID]id.Epoch{}
		for _, e := range run(t, seed, trace.SnapshotBegun, trace.Completed) {
			switch {
			case e.Kind == trace.Completed:
				rounds++
			case e.Epoch <= newest[e.Task]:
				t.Fatalf("seed %d: %s takes %s after %s", seed, e.Task, e.Epoch, newest[e.Task])
			default:
				newest[e.Task] = e.Epoch
			}
		}
	}
	if rounds < 16 {
		t.Errorf("%d rounds in 8 runs: the test shows nothing", rounds)
	}
}
