package chandylamport_test

import (
	"testing"

	"weir/algorithms/chandylamport"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
)

// run returns the events of one run under faults.
func run(t *testing.T, seed uint64, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	c := scenario.Config{Algorithm: chandylamport.Spec(), State: "heap", Workload: keyedcount.New()}
	return simtest.Trace(t, c, seed, kinds...)
}

// share is one task's part of a round, link one channel's.
type (
	share struct {
		epoch id.Epoch
		task  id.TaskID
	}
	link struct {
		epoch   id.Epoch
		channel id.ChannelID
	}
)

// TestMarkerFollowsTheState: the marker-sending rule of section 3.2. Between a
// task's marker and its recorded state it sends nothing: what was sent before the
// state was recorded is before the marker, everything else behind it.
func TestMarkerFollowsTheState(t *testing.T) {
	markers := 0
	for _, seed := range simtest.Seeds(8) {
		open := map[id.TaskID]id.Epoch{}
		for _, e := range run(t, seed, trace.BarrierSent, trace.SnapshotBegun, trace.Sealed) {
			switch e.Kind {
			case trace.BarrierSent:
				markers++
				open[e.Task] = e.Epoch
			case trace.SnapshotBegun:
				if at, ok := open[e.Task]; ok && at != e.Epoch {
					t.Fatalf("seed %d: %s sent markers of %s and recorded %s", seed, e.Task, at, e.Epoch)
				}
				delete(open, e.Task)
			default:
				if at, ok := open[e.Task]; ok {
					t.Fatalf("seed %d: %s sends on %s between marker and state of %s", seed, e.Task, e.Channel, at)
				}
			}
		}
	}
	if markers == 0 {
		t.Error("no marker was sent: the test shows nothing")
	}
}

// TestChannelState: the marker-receiving rule of section 3.2, and what section 4
// concludes of it. The channel that brought the first marker is empty; of another
// one exactly that is recorded which came after the task's state and before its
// marker. In a completed round, what the receiver has handled and what was
// recorded are together what the sender had sent.
func TestChannelState(t *testing.T) {
	compared, recorded := 0, 0
	for _, seed := range simtest.Seeds(8) {
		begun, first := map[share]bool{}, map[link]bool{}
		at, sent := map[link]uint64{}, map[link]uint64{}
		for _, e := range run(t, seed, trace.BarrierReceived, trace.SnapshotBegun, trace.PositionIn, trace.PositionOut, trace.CapturedIn, trace.Completed) {
			c := link{e.Epoch, e.Channel}
			switch e.Kind {
			case trace.BarrierReceived:
				first[c] = !begun[share{e.Epoch, e.Task}]
			case trace.SnapshotBegun:
				begun[share{e.Epoch, e.Task}] = true
			case trace.PositionIn:
				at[c] = e.To
			case trace.PositionOut:
				sent[c] = e.To
			case trace.CapturedIn:
				if first[c] || e.From != at[c] {
					t.Fatalf("seed %d, round %s: %s records (%d, %d] behind %d; it brought the first marker: %v", seed, e.Epoch, e.Channel, e.From, e.To, at[c], first[c])
				}
				at[c] = e.To
				recorded++
			default:
				for l, s := range sent {
					if got, ok := at[l]; ok && l.epoch == e.Epoch {
						if compared++; got != s {
							t.Fatalf("seed %d, round %s: %s: %d sent, %d handled or recorded", seed, e.Epoch, l.channel, s, got)
						}
					}
				}
			}
		}
	}
	if compared == 0 || recorded == 0 {
		t.Errorf("%d channels compared, %d buffers recorded: the test shows nothing", compared, recorded)
	}
}

// TestAnyInitiator: section 3.3: any process may begin, also several. Some round
// is completed in which a task began before any marker had reached it, although
// it had inputs: it recorded some of them.
func TestAnyInitiator(t *testing.T) {
	inner := 0
	for _, seed := range simtest.Seeds(8) {
		marked, alone, inside := map[share]bool{}, map[share]bool{}, map[id.Epoch]bool{}
		for _, e := range run(t, seed, trace.BarrierReceived, trace.SnapshotBegun, trace.CapturedIn, trace.Completed) {
			s := share{e.Epoch, e.Task}
			switch e.Kind {
			case trace.BarrierReceived:
				marked[s] = true
			case trace.SnapshotBegun:
				alone[s] = !marked[s]
			case trace.CapturedIn:
				inside[e.Epoch] = inside[e.Epoch] || alone[s]
			default:
				if inside[e.Epoch] {
					inner++
				}
			}
		}
	}
	if inner == 0 {
		t.Error("no completed round was begun by a task with inputs")
	}
}

// TestNothingBlocks: the recording goes on beside the computation and does not
// alter it (section 1).
func TestNothingBlocks(t *testing.T) {
	for _, seed := range simtest.Seeds(8) {
		for _, e := range run(t, seed, trace.ChannelBlocked) {
			t.Fatalf("seed %d: %s blocks %s", seed, e.Task, e.Channel)
		}
	}
}
