package sim

import (
	"weir/faults"
	"weir/sim/seed"
	"weir/trace"
)

// flipped draws, in one of twelve runs, bits that flip in what is stored, and a crash
// after it, so that somebody reads them. The job may give up for it, or never
// learn of it because something newer has taken the object's place.
func (r RandomFaults) flipped(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 12) || !r.Damage {
		return nil
	}
	prefix := [...]string{"snap/", "plan/", "log/", "files/"}[d.Draw(4)]
	when := faults.Nth(1+d.Draw(8), trace.Mask(0).With(trace.Completed, trace.LineAdvanced, trace.PlanDurable))
	flip := faults.Fault{Kind: faults.Corrupt, Target: faults.Storage, Key: prefix, When: faults.At(when)}
	crash := faults.Fault{Kind: faults.Crash, Target: faults.Worker, Worker: d.Draw(r.Workers)}
	if d.Chance(1, 2) {
		crash = faults.Fault{Kind: faults.Crash, Target: faults.Coordinator}
	}
	crash.When = faults.At(when, faults.Nth(1+d.Draw(6), faults.SweepEvents()))
	return []faults.Fault{flip, crash}
}
