package sim

import (
	"weir/faults"
	"weir/sim/seed"
	"weir/trace"
)

// Checkpoints that fail by themselves, and jobs that end before their input: what
// an operator sees without that anything has crashed.

// outage has storage refuse so many puts in a row that rounds fail one after the
// other, as many as are tolerated, and more.
func outage(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 12) {
		return nil
	}
	return []faults.Fault{{
		Kind: faults.Fail, Target: faults.Storage, Op: "put", Outcome: faults.Refused, Times: 4 + d.Draw(13), When: faults.At(faults.Nth(1+d.Draw(12), one(trace.Triggered))),
	}}
}

// endless has uploads take longer than their round may: the round is given up while
// they are on their way, and they land when others have completed.
func (r RandomFaults) endless(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 4) || r.Timeout == 0 {
		return nil
	}
	f := faults.Fault{Kind: faults.Delay, Target: faults.Storage, Op: "put", Key: "snap/", Times: 1 + d.Draw(3), Duration: d.Range(r.Timeout, 3*r.Timeout)}
	f.When = faults.At(faults.Nth(1+d.Draw(12), one(trace.SnapshotBegun)))
	return []faults.Fault{f}
}

// stopped has the job stopped: at any time, while it recovers, or with a round under way.
func (r RandomFaults) stopped(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 8) || !r.Stops {
		return nil
	}
	f := faults.Fault{Kind: faults.Stop, Target: faults.Coordinator}
	kinds := []trace.Kind{trace.Triggered, trace.Acked, trace.Completed, trace.PlanExecuted, trace.TaskReady, trace.TaskDrained}
	if f.When = faults.At(faults.Nth(1+d.Draw(8), one(pick(d, kinds)))); d.Chance(1, 2) {
		f.When = faults.At(faults.Time(d.Range(0, 4*max(r.Horizon, 1))))
	}
	return []faults.Fault{f}
}

// longSteps are steps that many others wait for, or pass: held back, they make the
// window long in which a crash finds the one done and the others not.
func longSteps() []held {
	return []held{
		{faults.Storage, "create", trace.Acked, trace.SnapshotBegun},         // the record of a checkpoint, while the next round begins
		{faults.Storage, "create", trace.WorkerCrashed, trace.StoreDone},     // a plan
		{faults.Storage, "get", trace.TaskStarting, trace.TaskReady},         // what one task restores, while others are ready
		{faults.Storage, "read-log", trace.TaskStarting, trace.TaskReady},    // what one task is sent again
		{faults.Storage, "delete", trace.Completed, trace.Completed},         // of a checkpoint, while others complete
		{faults.Storage, "trim", trace.LineAdvanced, trace.LineAdvanced},     // of a log
		{faults.Storage, "append", trace.SnapshotBegun, trace.SnapshotBegun}, // to a log that a snapshot waits for
		{faults.Sink, "precommit", trace.SnapshotBegun, trace.Triggered},
		{faults.Sink, "recover", trace.TaskStarting, trace.TaskReady},
	}
}

// longWindow crashes somebody where a window is long: after so many checkpoints,
// while what was put back is worked off, or while a step is held back.
func (r RandomFaults) longWindow(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 3) {
		return nil
	}
	switch d.Draw(4) {
	case 0:
		done := trace.Mask(0).With(trace.Completed, trace.LineAdvanced)
		return r.crashesAfter(d, faults.Nth(1+d.Draw(12), done), d.Chance(1, 2))
	case 1: // between injected and caught up
		c := r.victim(d, 1, 4)
		c.When = faults.At(faults.Nth(1+d.Draw(3), one(trace.TaskStarting)), faults.Nth(1+d.Draw(6), one(trace.Injected)), faults.Nth(1+d.Draw(24), one(trace.Delivered)))
		return []faults.Fault{c}
	default:
		return r.heldAt(d, pick(d, longSteps()))
	}
}

// damaged has a snapshot damaged and somebody crash soon after, so that it is asked for.
func (r RandomFaults) damaged(d *seed.Stream) []faults.Fault {
	if !d.Chance(2, 3) || !r.Fallback {
		return nil
	}
	at := faults.Nth(2+d.Draw(6), trace.Mask(0).With(trace.Completed, trace.LineAdvanced))
	c := r.victim(d, 1, 3)
	c.When = faults.At(append([]faults.Step{at}, shortly(d)...)...)
	return []faults.Fault{{Kind: faults.Corrupt, Target: faults.Storage, Key: "snap/", When: faults.At(at)}, c}
}
