package stoptheworld_test

import (
	"testing"

	"weir/algorithms/stoptheworld"
	"weir/check"
	"weir/dataflow"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
	"weir/workloads/sampling"
)

// run returns the events of one run under faults.
func run(t *testing.T, seed uint64, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	c := scenario.Config{Algorithm: stoptheworld.Spec(), State: "heap", Workload: keyedcount.New()}
	return simtest.Trace(t, c, seed, kinds...)
}

// The claims are those of Naiad, section 3.4, where the synchronous checkpoint
// of a whole computation is described.

// TestPausedWhileCheckpointing: the system pauses, and goes on after the
// checkpoint. From the instant of its share until the round ends, a task hands
// out and handles nothing.
func TestPausedWhileCheckpointing(t *testing.T) {
	rounds, after := 0, 0
	for _, seed := range simtest.Seeds(8) {
		var pausing id.Epoch // a round with a share begun
		ended := map[id.Epoch]bool{}
		for _, e := range run(t, seed, trace.SnapshotBegun, trace.Emitted, trace.Delivered, trace.Completed, trace.Aborted, trace.PlanExecuted, trace.TaskStarting, trace.CoordinatorCrashed, trace.WorkerCrashed) {
			switch e.Kind {
			case trace.SnapshotBegun:
				if !ended[e.Epoch] { // a command to snapshot can be late for an aborted round
					pausing = e.Epoch
				}
			case trace.Completed:
				rounds++
				pausing, ended[e.Epoch] = 0, true
			case trace.Aborted:
				pausing, ended[e.Epoch] = 0, true
			case trace.PlanExecuted, trace.CoordinatorCrashed, trace.WorkerCrashed, trace.TaskStarting:
				pausing = 0
			case trace.Emitted, trace.Delivered:
				if pausing != 0 {
					t.Fatalf("seed %d: %s of %s at %d, within round %s", seed, e.Kind, e.Task, e.Time, pausing)
				}
				if rounds > 0 {
					after++
				}
			default: // others are not asked for
			}
		}
	}
	if rounds == 0 || after == 0 {
		t.Errorf("%d rounds, %d events after one: the test shows nothing", rounds, after)
	}
}

// TestQueuesAreFlushed: message queues are flushed before state is saved. In the
// shares of one round both ends of a channel stand at the same position, and no
// queue is captured.
func TestQueuesAreFlushed(t *testing.T) {
	type cut struct {
		epoch   id.Epoch
		channel id.ChannelID
	}
	compared := 0
	for _, seed := range simtest.Seeds(8) {
		sent, received := map[cut]uint64{}, map[cut]uint64{}
		for _, e := range run(t, seed, trace.PositionIn, trace.PositionOut, trace.CapturedIn, trace.CapturedOut) {
			switch e.Kind {
			case trace.PositionIn:
				received[cut{e.Epoch, e.Channel}] = e.To
			case trace.PositionOut:
				sent[cut{e.Epoch, e.Channel}] = e.To
			default:
				t.Fatalf("seed %d: %s of %s", seed, e.Kind, e.Channel)
			}
		}
		for c, at := range received {
			if s, ok := sent[c]; ok {
				if compared++; s != at {
					t.Fatalf("seed %d, round %s: %s has brought %d of %d", seed, c.epoch, c.channel, at, s)
				}
			}
		}
	}
	if compared == 0 {
		t.Error("no channel was compared: the test shows nothing")
	}
}

// TestEveryTaskIsCheckpointed: each stateful vertex writes its state, sources
// and sinks included, unless its last share stands for it because it has left.
func TestEveryTaskIsCheckpointed(t *testing.T) {
	rounds := 0
	for _, seed := range simtest.Seeds(8) {
		stored, left, tasks := map[id.Epoch]map[id.TaskID]bool{}, map[id.TaskID]bool{}, map[id.TaskID]bool{}
		for _, e := range run(t, seed, trace.SnapshotStored, trace.Completed, trace.TaskStarting, trace.TaskLeft) {
			switch e.Kind {
			case trace.TaskStarting:
				tasks[e.Task], left[e.Task] = true, false
			case trace.TaskLeft:
				left[e.Task] = true
			case trace.SnapshotStored:
				if stored[e.Epoch] == nil {
					stored[e.Epoch] = map[id.TaskID]bool{}
				}
				stored[e.Epoch][e.Task] = true
			case trace.Completed:
				rounds++
				for task := range tasks {
					if !stored[e.Epoch][task] && !left[task] {
						t.Fatalf("seed %d: round %s is complete without %s", seed, e.Epoch, task)
					}
				}
			default:
			}
		}
	}
	if rounds == 0 {
		t.Error("no round was completed: the test shows nothing")
	}
}

// TestTimersPause: work is paused, and what the clock begins is work. With timers
// that fire while the channels drain, records are lost: they are sent behind the
// positions that the round believes.
func TestTimersPause(t *testing.T) {
	for _, held := range []bool{true, false} {
		spec := *stoptheworld.Spec()
		if sound := spec.Protocol; !held {
			spec.Protocol = func(i *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol {
				p := sound(i, c)
				return restless{p, p.(dataflow.Afterer)}
			}
		}
		c := scenario.Config{Algorithm: &spec, State: "heap", Workload: sampling.New()}
		c.Workload.Small()
		r, err := scenario.New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		lost := 0
		for _, seed := range simtest.Seeds(12) {
			o := r.Run(seed)
			if o.GaveUp() {
				continue // of damage, not of a timer
			}
			for _, v := range o.Report.Violations {
				if held {
					t.Errorf("seed %d: %s", seed, v)
				} else if v.Oracle == check.Cut {
					lost++
				}
			}
		}
		if lost == 0 && !held && !simtest.SeedsGiven() {
			t.Error("timers go on, and no snapshot lacks what they send")
		}
	}
}

// restless is a protocol whose timers go on.
type restless struct {
	dataflow.Protocol
	dataflow.Afterer
}

func (r restless) Start(k dataflow.Kernel, s dataflow.Start) { r.Protocol.Start(unheld{k}, s) }

type unheld struct{ dataflow.Kernel }

func (unheld) HoldClock(bool) {}
