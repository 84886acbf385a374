package check

import (
	"errors"
	"testing"

	"weir/trace"
)

var errStop = errors.New("storage is full")

func TestJobDoesNotEnd(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.crash("w0")
	r := w.c.Finish(End{Time: 5e6})
	mustFire(t, r, "the job did not end; 1 checkpoints completed", Progress)
	if !r.Safe() {
		t.Error("a run that does not end has violated no safety property")
	}
}

func TestJobFails(t *testing.T) {
	w := newWorld(t)
	mustFire(t, w.c.Finish(End{Time: w.now, Err: errStop}), "the job failed: storage is full", Progress)
	w = newWorld(t, func(x *Expect) { x.MayFail = true })
	mustPass(t, w.c.Finish(End{Time: w.now, Err: errStop}))
}

func TestJobEndsLate(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.Pace.Checkpoint = 0 })
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.now += 2e6
	mustFire(t, w.finish(epoch(2, 1)), "after the last fault; at most 1ms", Progress)
}

func TestCheckpointsStopCompleting(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.Pace.End = 0 })
	w.middle()
	w.now += 2e6
	mustFire(t, w.finish(epoch(1, 2)), "passed until a checkpoint completed; at most 1ms", Progress)
}

// TestARecoveryBeginsTheWaitForACheckpoint: what came before it is no excuse, and
// no accusation.
func TestARecoveryBeginsTheWaitForACheckpoint(t *testing.T) {
	for wait, fires := range map[int64]bool{600_000: false, 1_200_000: true} {
		w := newWorld(t, func(x *Expect) { x.Pace.End = 0 })
		w.middle()
		w.crash("w0")
		w.now += 800_000 // until the failure is noticed
		w.restore(epoch(1, 1))
		w.now += wait
		if r := w.finish(epoch(2, 1)); fires {
			mustFire(t, r, "passed until a checkpoint completed; at most 1ms", Progress)
		} else {
			mustPass(t, r)
		}
	}
}

// TestARoundThatTakesTooLongIsTheLastThing: over what a job got nowhere is counted
// from the trace, and since the last fault only; starting again because of that is none.
func TestARoundThatTakesTooLongIsTheLastThing(t *testing.T) {
	for _, c := range []struct {
		crash, failedOver bool
		want              int
	}{{false, false, 1}, {true, false, 0}, {false, true, 1}} {
		w := newWorld(t)
		w.middle()
		w.coordinator(trace.TimedOut, epoch(1, 2))
		if c.crash {
			w.crash("w0")
		}
		if c.failedOver {
			w.coordinator(trace.FailedOver, epoch(1, 2))
		}
		r := w.c.Finish(End{Time: w.now, Err: errStop})
		mustFire(t, r, "the job failed: storage is full", Progress)
		if r.EndTimeouts != c.want {
			t.Errorf("%+v: %d rounds", c, r.EndTimeouts)
		}
	}
}
