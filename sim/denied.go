package sim

import (
	"weir/faults"
	"weir/sim/seed"
	"weir/trace"
)

// What storage and the external store deny, and what they say is there and is not. All of it
// is seldom: a job that ends for it shows little else.

// denied has storage refuse, for good, something else than a snapshot: the record of a
// checkpoint, which costs its round, or a plan, an append to a message log or a listing,
// which a job may not outlive. Somebody crashes about then: plans and listings come of that.
func (r RandomFaults) denied(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 24) || !r.Denies {
		return nil
	}
	f := faults.Fault{Kind: faults.Fail, Target: faults.Storage, Outcome: faults.Refused, Times: 1 + d.Draw(3)}
	what := pick(d, []struct{ op, key string }{
		{"create", "chk/"}, {"create", "chk/"}, {"create", "chk/"}, {"create", "plan/"}, {"append", "log/"}, {"list", "chk/"}, {"list", "snap/"},
	})
	f.Op, f.Key = what.op, what.key
	f.When = faults.At(faults.Nth(1+d.Draw(12), one(pick(d, []trace.Kind{trace.Triggered, trace.Acked, trace.TaskReady, trace.SnapshotStored}))))
	return append([]faults.Fault{f}, r.perhapsCrash(d, f.When)...)
}

// drought has storage refuse snapshots until a job that tolerates no more than a few
// failed rounds in a row has started again so often that it gives up.
func (r RandomFaults) drought(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 40) || !r.Denies || !r.Tolerates {
		return nil
	}
	return []faults.Fault{{
		Kind: faults.Fail, Target: faults.Storage, Op: "put", Key: "snap/", Outcome: faults.Refused, Times: 2000, When: faults.At(faults.Nth(1+d.Draw(6), one(trace.Triggered))),
	}}
}

// aborted has the external store abort what is open there: a job may not outlive that
// where it must still be committed.
func (r RandomFaults) aborted(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 32) || !r.Denies || r.Commit != faults.OpName(trace.Commit) {
		return nil
	}
	kinds := []trace.Kind{trace.SnapshotBegun, trace.SnapshotStored, trace.AllAcked, trace.Acked, trace.Completed, trace.LineAdvanced, trace.CommitAsked}
	return []faults.Fault{{Kind: faults.Abort, Target: faults.Sink, When: faults.At(faults.Nth(1+d.Draw(10), one(pick(d, kinds))))}}
}

// unwritten has a write stand elsewhere than its writer was told: in part, nowhere, or in
// the place of something else. Somebody crashes behind it, so that it is asked for.
func (r RandomFaults) unwritten(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 32) || !r.Denies {
		return nil
	}
	f := faults.Fault{Kind: faults.Fail, Target: faults.Storage, Op: "put", Times: 1 + d.Draw(2), Outcome: pick(d, []faults.Outcome{faults.Torn, faults.Forgotten, faults.Misdirected})}
	if d.Chance(1, 2) {
		f.Key = "snap/"
	}
	f.When = faults.At(faults.Nth(1+d.Draw(12), one(trace.SnapshotBegun)))
	c := r.victim(d, 1, 2)
	c.When = faults.At(append([]faults.Step{f.When.Steps[0], faults.Nth(1+d.Draw(2), trace.Mask(0).With(trace.Completed, trace.LineAdvanced))}, shortly(d)...)...)
	return []faults.Fault{f, c}
}

// recordFlips has bits flip in the record of a checkpoint, and the coordinator crash, so
// that it is read.
func (r RandomFaults) recordFlips(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 32) || !r.Denies {
		return nil
	}
	at := faults.Nth(1+d.Draw(6), one(trace.Completed))
	c := faults.Fault{Kind: faults.Crash, Target: faults.Coordinator}
	c.When = faults.At(append([]faults.Step{at}, shortly(d)...)...)
	return []faults.Fault{{Kind: faults.Corrupt, Target: faults.Storage, Key: "chk/", When: faults.At(at)}, c}
}
