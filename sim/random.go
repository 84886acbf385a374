package sim

import (
	"weir/faults"
	"weir/id"
	"weir/sim/seed"
	"weir/trace"
)

// RandomFaults draws plans. First crashes: from one to Most of them, one in
// three of the coordinator, the others of workers. A crash is at a time, at the
// k-th event of the protocol or of storage, at the k-th event of one drawn kind,
// or a little after the crash before it, so that it falls into the recovery.
// In one of four plans a connection is cut.
// Then, in two of three plans, a group of faults aimed at one step of the
// protocol: writes that land late, crashes in the window between two durable
// steps, bursts of errors, standstills and slowness.
type RandomFaults struct {
	Workers  int
	Channels int    // of the job, 0: links are left alone
	Most     int    // crashes that are not aimed, 0 for 3
	Commit   string // the sink's operation that makes visible what a snapshot holds; "": commit
	Write    string // the sink's operation that hands rows over as they come; "": there is none
	Horizon  Nanos  // latest time of a crash that is at a time: about the length of a calm run
	Timeout  Nanos  // after which rounds are given up, if uploads may take longer; 0: they may not
	Stops    bool   // the job can be stopped
	Damage   bool   // stored bits may flip: the job may fail for it
	Denies   bool   // storage and the external store may deny, or lose, what they are asked to keep: likewise
	// Tolerates: the job starts again when too many rounds have failed in a row.
	Tolerates bool
	Fallback  bool // it goes back to an older checkpoint where the newest is damaged
}

// Plan draws a plan from the streams "faults", "faults.cut", "faults.aimed",
// "faults.held": in one of four a durable step is held back across checkpoints,
// "faults.refused": in one of six storage takes no snapshots for a while,
// "faults.outage": in one of twelve it takes none for longer, "faults.upload": uploads that
// outlive their rounds, "faults.window": crashes where windows are long,
// "faults.stop": in one of eight the job is stopped, "faults.zombie": in one of five a worker
// is taken for dead and goes on, and "faults.world": in one of five something around the
// workers fails, "faults.damage": a checkpoint that is there no longer whole when it is needed,
// "faults.flip": in one of twelve stored bits flip, "faults.outrun": in one of six the
// coordinator is taken for dead and goes on, and "faults.rows": in one of ten rows come late
// to the external store. With Denies, and seldom, as a job may end for them: "faults.denied",
// storage refuses something else than a snapshot; "faults.drought", it takes no snapshots any
// more; "faults.abort", the external store aborts what is open; "faults.unwritten", a write
// stands elsewhere than its writer was told; "faults.record", bits flip in the record of a
// checkpoint. On a quiet tape it is empty.
func (r RandomFaults) Plan(src *seed.Source) faults.Plan {
	d := src.Stream("faults")
	most := r.Most
	if most == 0 {
		most = 3
	}
	var p faults.Plan
	var last faults.Condition
	for i := range most {
		if !d.Chance(1, 1+i) { // the first is certain, unless the tape is quiet
			break
		}
		f := faults.Fault{Kind: faults.Crash, Target: faults.Worker}
		if d.Chance(1, 3) {
			f.Target = faults.Coordinator
		} else {
			f.Worker = d.Draw(r.Workers)
		}
		f.When = r.when(d, last)
		last = f.When
		p.Faults = append(p.Faults, f)
	}
	if cut := src.Stream("faults.cut"); r.Channels > 0 && cut.Chance(1, 4) {
		p.Faults = append(p.Faults, faults.Fault{Kind: faults.Cut, Target: faults.Link, Link: id.ChannelID(cut.Draw(r.Channels)), When: r.when(cut, last)})
	}
	p.Faults = append(p.Faults, r.aimed(src.Stream("faults.aimed"))...)
	p.Faults = append(p.Faults, r.heldBack(src.Stream("faults.held"))...)
	p.Faults = append(p.Faults, refused(src.Stream("faults.refused"))...)
	p.Faults = append(p.Faults, outage(src.Stream("faults.outage"))...)
	p.Faults = append(p.Faults, r.endless(src.Stream("faults.upload"))...)
	p.Faults = append(p.Faults, r.longWindow(src.Stream("faults.window"))...)
	p.Faults = append(p.Faults, r.stopped(src.Stream("faults.stop"))...)
	p.Faults = append(p.Faults, r.zombie(src.Stream("faults.zombie"))...)
	p.Faults = append(p.Faults, r.world(src.Stream("faults.world"))...)
	p.Faults = append(p.Faults, r.damaged(src.Stream("faults.damage"))...)
	p.Faults = append(p.Faults, r.flipped(src.Stream("faults.flip"))...)
	p.Faults = append(p.Faults, r.outrun(src.Stream("faults.outrun"))...)
	p.Faults = append(p.Faults, r.lateRows(src.Stream("faults.rows"))...)
	p.Faults = append(p.Faults, r.denied(src.Stream("faults.denied"))...)
	p.Faults = append(p.Faults, r.drought(src.Stream("faults.drought"))...)
	p.Faults = append(p.Faults, r.aborted(src.Stream("faults.abort"))...)
	p.Faults = append(p.Faults, r.unwritten(src.Stream("faults.unwritten"))...)
	p.Faults = append(p.Faults, r.recordFlips(src.Stream("faults.record"))...)
	return p
}

// when draws a condition; last is that of the crash before.
func (r RandomFaults) when(d *seed.Stream, last faults.Condition) faults.Condition {
	switch d.Draw(6) {
	case 0, 1:
		return faults.At(faults.Time(d.Range(0, max(r.Horizon, 1))))
	case 2:
		return faults.At(faults.Nth(scaled(d), faults.ProtocolEvents()))
	case 3:
		return faults.At(faults.Nth(scaled(d), faults.StorageEvents()))
	case 4:
		if len(last.Steps) > 0 {
			steps := append([]faults.Step{}, last.Steps...)
			return faults.At(append(steps, faults.Nth(1+d.Draw(40), faults.SweepEvents()))...)
		}
	}
	kinds := aims()
	return faults.At(faults.Nth(1+d.Draw(12), trace.Mask(0).With(kinds[d.Draw(len(kinds))])))
}

// scaled draws a number whose size is as likely to be of one order as of another.
func scaled(d *seed.Stream) int {
	most := 4 << d.Draw(8)
	return 1 + d.Draw(most)
}

// aims are the events next to which something is durable that was not before,
// or is believed to be.
func aims() []trace.Kind {
	return []trace.Kind{
		trace.BarrierReceived, trace.SnapshotBegun, trace.SnapshotWriting, trace.SnapshotStored, trace.TaskStarting,
		trace.TaskRestored, trace.TaskReady, trace.TaskDrained, trace.TaskLeft, trace.CommitAsked, trace.Triggered,
		trace.Acked, trace.AllAcked, trace.Completed, trace.Subsumed, trace.LineAdvanced, trace.PlanDurable, trace.PlanExecuted,
		trace.StoreApplied, trace.StoreDone, trace.ExtIssued, trace.ExtApplied, trace.ExtDone, trace.OutputCommitted,
	}
}
