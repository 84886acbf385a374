package sim

import (
	"weir/faults"
	"weir/sim/seed"
	"weir/trace"
)

// held is a durable step that is held back while others go on: the operation, an
// event after which the next such operation is the one meant, and an event that
// then passes several times before somebody crashes.
type held struct {
	target faults.Target
	op     string
	before trace.Kind
	passes trace.Kind
}

// heldSteps are the steps whose effects pile up while one of them is on its way.
func heldSteps() []held {
	return []held{
		{faults.Sink, "commit", trace.Completed, trace.Completed},
		{faults.Sink, "commit", trace.LineAdvanced, trace.SnapshotStored},
		{faults.Storage, "put", trace.TaskDrained, trace.TaskDrained}, // a task's last snapshot, while others drain
		{faults.Storage, "put", trace.TaskDrained, trace.SnapshotStored},
	}
}

// heldBack delays one operation by the length of several checkpoints. Somebody
// crashes while it is on its way: when some checkpoints have passed, or at any time,
// all alike, so that what stands still until the step is done is found waiting.
func (r RandomFaults) heldBack(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 4) {
		return nil
	}
	return r.heldAt(d, pick(d, heldSteps()))
}

// heldAt is heldBack of the step s.
func (r RandomFaults) heldAt(d *seed.Stream, s held) []faults.Fault {
	s.op = r.operation(s.target, s.op)
	anchor := faults.Nth(1+d.Draw(4), one(s.before))
	f := faults.Fault{Kind: faults.Delay, Target: s.target, Op: s.op, Times: 1, Duration: d.Range(30_000_000, 130_000_000), When: faults.At(anchor)}
	c := r.victim(d, 1, 5)
	after := append([]faults.Step{faults.Nth(1+d.Draw(4), one(s.passes))}, shortly(d)...)
	if within := d.Range(0, f.Duration); d.Chance(1, 2) {
		after = []faults.Step{faults.Time(within)}
	}
	c.When = faults.At(append([]faults.Step{anchor}, after...)...)
	return []faults.Fault{f, c}
}
