package rounds

import (
	"strings"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

func ep(a id.Attempt, k uint32) id.Epoch { return id.MakeEpoch(a, k) }

func TestStartFromNothing(t *testing.T) {
	d := newDesk(t, 2).start()
	if len(d.plans) != 0 {
		t.Fatal("a plan is executed before it is durable")
	}
	d.settle()
	p := d.newest()
	if p.Number != 1 || len(p.Tasks) != 2 || p.Tasks[0].Mode != dataflow.Restart || p.Tasks[0].Ref != "" {
		t.Errorf("the first plan is %+v", p)
	}
	d.tick(100 * second)
	d.want("said before everybody is ready", d.heard(), "")
}

// TestCheckpointIsTrueOnceItsRecordIsDurable: neither before the last
// acknowledgement nor before the record is anything announced.
func TestCheckpointIsTrueOnceItsRecordIsDurable(t *testing.T) {
	d := newDesk(t, 2).start().ready()
	d.held = "create chk/"
	d.tick(10 * second)
	d.want("said", d.heard(), "t0 trigger 1.1, t1 trigger 1.1")
	d.ack(0, ep(1, 1), false)
	d.ack(0, ep(1, 1), false) // twice is once
	d.ack(1, ep(1, 2), false) // of no round
	d.ack(1, ep(9, 1), false)
	if len(d.ops) > 0 {
		t.Fatal("a record is made with one acknowledgement of two")
	}
	d.ack(1, ep(1, 1), false)
	d.settle()
	d.want("said with the record under way", d.heard(), "")
	if d.saw("completed") > 0 || len(d.ops) != 1 {
		t.Fatal("a checkpoint without a record")
	}
	d.end(0, state.Result{Status: state.Failed}) // outcome unknown: again
	d.want("said with the record in doubt", d.heard(), "")
	d.held = ""
	d.settle()
	d.want("said", d.heard(), "t0 complete 1.1, t1 complete 1.1")
	if d.saw("completed 1.1") != 1 {
		t.Error("nobody hears of the checkpoint")
	}
}

// TestRecordUnderWayIsNotTimedOut: it would count once it lands, whatever is said.
func TestRecordUnderWayIsNotTimedOut(t *testing.T) {
	d := newDesk(t, 1).start().ready()
	d.held = "create chk/"
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.tick(200 * second)
	if d.saw("aborted") > 0 || len(d.failed) > 0 {
		t.Errorf("the round is given up with its record under way: %v", d.failed)
	}
	d.held = ""
	d.settle()
	if d.saw("completed 1.1") != 1 {
		t.Error("the round does not complete")
	}
}

// TestRecordOfALostAttempt: a record that lands when a newer attempt has a round
// under way ends neither that round nor its own, which was given up.
func TestRecordOfALostAttempt(t *testing.T) {
	d := newDesk(t, 1).start().ready()
	d.held = "create chk/1.1"
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.c.Failed([]id.TaskID{0}, nil)
	d.ready()
	d.tick(10 * second)
	d.held, d.told = "", nil
	d.settle()
	d.want("said with the old record landed", d.heard(), "")
	if d.saw("completed") > 0 {
		t.Errorf("the log says %q", d.log)
	}
	d.ackAll(ep(2, 1))
	d.want("said", d.heard(), "t0 complete 2.1")
}

func TestTimeoutAndTolerance(t *testing.T) {
	d := newDesk(t, 2, func(c *dataflow.CheckpointConfig) { c.Tolerated = 1 }).start().ready()
	d.tick(10 * second)
	d.ack(0, ep(1, 1), false)
	d.heard()
	d.tick(60 * second)
	if !strings.HasPrefix(d.heard(), "t0 abort 1.1, t1 abort 1.1") || d.saw("aborted 1.1 timed out") != 1 {
		t.Errorf("the log says %q", d.log)
	}
	d.want("storage after the round was given up", d.keys(), "")
	d.ack(1, ep(1, 1), false) // too late
	if d.saw("completed") > 0 {
		t.Error("a round that was given up completes")
	}
	d.tick(10 * second) // a success in between: failures are counted in a row
	e := d.lastTriggered()
	d.ackAll(e)
	for range 2 {
		if len(d.plans) != 1 {
			t.Fatalf("the job restarts too early: %q", d.log)
		}
		d.tick(75 * second)
	}
	d.settle()
	if p := d.newest(); p.Number != 2 || p.Tasks[0].Stable != e || d.saw("failed-over") != 1 {
		t.Fatalf("the plan is %+v, want a second one from %s; %q", p, e, d.log)
	}
	for a := id.Attempt(2); a <= 21; a++ { // restarting is no help
		if len(d.failed) > 0 {
			t.Fatalf("the job fails before attempt %s: %v", a, d.failed)
		}
		d.ready()
		d.tick(75 * second)
		d.tick(75 * second)
		d.settle()
	}
	d.fails("21 recoveries in a row", "timed out", "2 failures in a row are more than the tolerated 1")
}

// lastTriggered returns the newest round.
func (d *desk) lastTriggered() id.Epoch {
	d.t.Helper()
	if len(d.c.rounds) == 0 {
		d.t.Fatalf("no round is under way; %q", d.log)
	}
	return d.c.rounds[len(d.c.rounds)-1].epoch
}

func TestDeclineSaysWhy(t *testing.T) {
	d := newDesk(t, 2, func(c *dataflow.CheckpointConfig) { c.MaxConcurrent = 2 }).start().ready()
	d.tick(20 * second)
	if len(d.c.rounds) != 2 {
		t.Fatalf("%d rounds under way, want 2", len(d.c.rounds))
	}
	d.disk.Reset(8)
	r := d.disk.Do(state.Op{Kind: state.OpPut, Key: "snap/t1/1.1", Data: make([]byte, 9)})
	d.disk.Reset(0) // for the plan that follows
	err := &state.OpError{Kind: state.OpPut, Key: "snap/t1/1.1", Status: r.Status, Err: r.Err}
	d.say(1, coordinator.Message{Kind: coordinator.Decline, Epoch: ep(1, 1), Text: err.Error()})
	for _, part := range []string{"checkpoint 1.1 failed", "op1", "snap/t1/1.1", "9 bytes are more than the 8 bytes that an object in coordinator memory may have; use a directory"} {
		if d.saw(part) == 0 {
			t.Errorf("no word of %q in %q", part, d.log)
		}
	}
	d.tick(100 * second) // what was under way does not restart the job again
	if d.saw("failed-over") != 1 || len(d.failed)+d.done > 0 {
		t.Errorf("the log says %q, the job ends %d times: %v", d.log, len(d.failed)+d.done, d.failed)
	}
}

func TestMinPause(t *testing.T) {
	d := newDesk(t, 1, func(c *dataflow.CheckpointConfig) { c.MinPause = 15 * second; c.Tolerated = 5 }).start().ready()
	d.tick(10 * second)
	d.tick(4 * second)
	d.ackAll(ep(1, 1)) // ends at 14, so the next may begin at 29
	d.heard()
	d.tick(14900 * second / 1000)
	d.want("said within the pause", d.heard(), "")
	d.tick(second)
	d.want("said behind the pause", d.heard(), "t0 trigger 1.2")
	d.say(0, coordinator.Message{Kind: coordinator.Decline, Epoch: ep(1, 2), Text: "no"}) // a round that fails ends too, at 29.9
	d.settle()
	d.heard()
	d.tick(14900 * second / 1000)
	d.want("said within the pause", d.heard(), "")
	d.tick(second)
	d.want("said behind the pause", d.heard(), "t0 trigger 1.3")
}

// TestMinPauseCountsFromTheLastEnd: of two rounds at once.
func TestMinPauseCountsFromTheLastEnd(t *testing.T) {
	d := newDesk(t, 1, func(c *dataflow.CheckpointConfig) { c.MinPause, c.MaxConcurrent = 15*second, 2 }).start().ready()
	d.tick(20 * second)
	d.ackAll(ep(1, 1)) // pause to 35
	d.tick(8 * second)
	d.ackAll(ep(1, 2)) // pause to 43
	d.heard()
	d.tick(14900 * second / 1000)
	d.want("said within the pause", d.heard(), "")
	d.tick(second)
	d.want("said behind the pause", d.heard(), "t0 trigger 1.3")
}

func TestMaxConcurrent(t *testing.T) {
	d := newDesk(t, 2, func(c *dataflow.CheckpointConfig) { c.MaxConcurrent, c.Timeout = 2, 900*second }).start().ready()
	d.tick(100 * second)
	if len(d.c.rounds) != 2 {
		t.Fatalf("%d rounds under way, want 2", len(d.c.rounds))
	}
	d.heard()
	d.ackAll(ep(1, 2)) // the newer first: the older is of no use any more
	if d.saw("aborted 1.1 a newer round is complete") != 1 || d.saw("completed 1.2") != 1 {
		t.Errorf("the log says %q", d.log)
	}
	d.want("said", d.heard(), "t0 abort 1.1, t1 abort 1.1, t0 complete 1.2, t1 complete 1.2")
	d.ackAll(ep(1, 1))
	if d.saw("completed") != 1 {
		t.Error("rounds complete out of order")
	}
	if len(d.failed) > 0 {
		t.Error(d.failed)
	}
}

// TestTheEnd: the final round comes at once, tasks leave, garbage goes, the job is done.
func TestTheEnd(t *testing.T) {
	d := newDesk(t, 2).start().ready()
	d.tick(10 * second)
	d.say(0, coordinator.Message{Kind: Drained})
	d.ack(0, ep(1, 1), true)
	d.ack(1, ep(1, 1), false)
	d.settle()
	d.say(0, coordinator.Message{Kind: Leaving, Epoch: ep(1, 1)})
	d.c.Left(0)
	d.heard()
	d.say(1, coordinator.Message{Kind: Drained})
	d.tick(second)
	d.want("said", d.heard(), "t1 trigger 1.2")
	d.ack(1, ep(1, 2), true)
	d.settle()
	d.want("storage", d.keys(), "chk/1.2 snap/t0/1.1 snap/t1/1.2")
	d.say(1, coordinator.Message{Kind: Leaving, Epoch: ep(1, 2)})
	d.c.Left(1)
	d.c.Left(1)
	d.settle()
	if d.done != 1 {
		t.Errorf("the job is done %d times", d.done)
	}
	// Restored, t0 has left: it is told so, and its snapshot stands.
	d.start().settle()
	p := d.newest().Tasks
	if p[0].Ref != "snap/t0/1.1" || !p[0].Left || p[1].Left || p[1].Ref != "snap/t1/1.2" || p[1].Stable != ep(1, 2) {
		t.Errorf("the plan is %+v", p)
	}
}

// TestCarriedOverWhileAnotherCompletes: a task leaves while its last round is under
// way. The round behind that one has the share that stays, not the one that goes.
func TestCarriedOverWhileAnotherCompletes(t *testing.T) {
	d := newDesk(t, 2, func(c *dataflow.CheckpointConfig) { c.MaxConcurrent = 2 }).start().ready()
	d.tick(20 * second)
	d.ack(0, ep(1, 1), true)
	d.ack(0, ep(1, 2), true)
	d.ack(1, ep(1, 1), false)
	d.settle()
	d.say(0, coordinator.Message{Kind: Leaving, Epoch: ep(1, 2)})
	d.c.Left(0)
	d.tick(10 * second)
	for k := uint32(2); k <= 3; k++ {
		d.ack(1, ep(1, k), false)
		d.settle()
	}
	d.want("storage", d.keys(), "chk/1.3 snap/t0/1.2 snap/t1/1.3")
	d.start().settle()
	if p := d.newest().Tasks; p[0].Ref != "snap/t0/1.2" || !p[0].Left || p[1].Ref != "snap/t1/1.3" {
		t.Errorf("the plan is %+v", p)
	}
}

// TestGivenUpBehindAnOlderRound: what the newer of two rounds has stored goes when
// it is given up, although the older one is still under way and keeps its own.
func TestGivenUpBehindAnOlderRound(t *testing.T) {
	d := newDesk(t, 2, func(c *dataflow.CheckpointConfig) { c.MaxConcurrent, c.Tolerated = 2, 5 }).start().ready()
	d.tick(20 * second)
	d.ack(0, ep(1, 1), false)
	d.ack(0, ep(1, 2), false)
	for _, key := range []string{"snap/t0/1.1", "snap/t0/1.2"} {
		d.disk.Do(state.Op{Kind: state.OpPut, Key: key, Data: []byte("share")})
	}
	d.say(1, coordinator.Message{Kind: coordinator.Decline, Epoch: ep(1, 2), Text: "no"})
	d.settle()
	if all := d.keys(); strings.Contains(all, "snap/t0/1.2") || !strings.Contains(all, "snap/t0/1.1") {
		t.Errorf("stored: %s", all)
	}
	d.ack(1, ep(1, 1), false)
	d.settle()
	if d.saw("completed 1.1") != 1 {
		t.Errorf("the log says %q", d.log)
	}
}
