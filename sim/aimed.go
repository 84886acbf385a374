package sim

import (
	"weir/faults"
	"weir/id"
	"weir/sim/seed"
	"weir/trace"
)

// The sorts of aimed groups.
const (
	lateWrite  = iota // a write that lands after the crash that it was to survive
	window            // crashes between two durable steps
	errorBurst        // several operations in a row that fail, or seem to
	standstill        // somebody answers nothing for a while
	crawl             // somebody is slow for a while
	aimedSorts
)

// step is a durable step as a target: an operation, an event after which the
// next such operation is the one meant, and the event that comes with or after
// its issue, at which a crash finds it under way.
type step struct {
	target faults.Target
	op     string
	before trace.Kind
	issued trace.Kind
}

// steps are the writes on which protocols rest.
func steps() []step {
	return []step{
		{faults.Storage, "create", trace.Triggered, trace.AllAcked}, // the record of a checkpoint
		{faults.Storage, "create", trace.Acked, trace.AllAcked},
		{faults.Storage, "create", trace.WorkerCrashed, trace.StoreIssued}, // a plan
		{faults.Storage, "put", trace.Triggered, trace.SnapshotWriting},    // a snapshot, or a file of one
		{faults.Storage, "put", trace.SnapshotBegun, trace.SnapshotStored},
		{faults.Storage, "append", trace.SnapshotStored, trace.SnapshotBegun}, // a message log
		{faults.Storage, "append", trace.TaskReady, trace.SnapshotStored},
		{faults.Storage, "append", trace.SnapshotBegun, trace.SnapshotStored},
		{faults.Storage, "delete", trace.AllAcked, trace.Subsumed}, // what is no longer needed
		{faults.Storage, "delete", trace.Acked, trace.LineAdvanced},
		{faults.Storage, "trim", trace.Acked, trace.LineAdvanced},
		{faults.Sink, "precommit", trace.TaskReady, trace.SnapshotBegun},
		{faults.Sink, "precommit", trace.SnapshotStored, trace.SnapshotBegun},
		{faults.Sink, "commit", trace.Acked, trace.CommitAsked},
		{faults.Sink, "recover", trace.WorkerCrashed, trace.TaskStarting},
		{faults.Sink, "append", trace.TaskReady, trace.ExtIssued},
	}
}

// recoverySteps are what a recovery passes through, where a second crash finds
// what the first one left.
func recoverySteps() []trace.Kind {
	return []trace.Kind{
		trace.PlanExecuted, trace.PlanDurable, trace.CoordinatorStarted, trace.TaskStarting, trace.TaskRestored, trace.TaskReady,
		trace.Triggered, trace.SnapshotBegun, trace.SnapshotStored, trace.AllAcked,
	}
}

// aimed draws one group of faults around one step of the protocol, or none.
func (r RandomFaults) aimed(d *seed.Stream) []faults.Fault {
	if !d.Chance(2, 3) {
		return nil
	}
	switch sort := d.Draw(aimedSorts + 2); sort {
	case window:
		return r.crashesAfter(d, faults.Nth(1+d.Draw(10), one(pick(d, aims()))), d.Chance(1, 2))
	case errorBurst:
		return r.errorBurst(d)
	case standstill:
		return r.standstill(d)
	case crawl:
		return r.crawl(d)
	default: // more often than the others: three durations must fit
		return r.lateWrite(d)
	}
}

// lateWrite delays an operation and has somebody crash while it is on its way;
// a second crash may find it landed behind the recovery's back.
func (r RandomFaults) lateWrite(d *seed.Stream) []faults.Fault {
	s := pick(d, steps())
	s.op = r.operation(s.target, s.op)
	f := faults.Fault{Kind: faults.Delay, Target: s.target, Op: s.op, Times: 1, Duration: span(d)}
	if d.Chance(1, 2) {
		f.Times += d.Draw(8)
	}
	anchor := faults.Nth(1+d.Draw(8), one(s.before))
	f.When = faults.At(anchor)
	crashes := r.crashesAfter(d, anchor, d.Chance(2, 3), faults.Nth(1, one(s.issued)))
	return append([]faults.Fault{f}, crashes...)
}

// operation returns what the sink of the job calls a step: not all of them commit
// transactions, or append.
func (r RandomFaults) operation(at faults.Target, op string) string {
	switch {
	case at == faults.Sink && op == "commit" && r.Commit != "":
		return r.Commit
	case at == faults.Sink && op == "append" && r.Write != "":
		return r.Write
	}
	return op
}

// lateRows has rows be on their way to the external store for longer than the snapshot takes that
// they stand before, or fail so often, and in half of the cases somebody crash when it is stored.
func (r RandomFaults) lateRows(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 10) || r.Write == "" {
		return nil
	}
	kinds := []trace.Kind{trace.Triggered, trace.BarrierSent, trace.BarrierReceived, trace.SnapshotBegun, trace.SnapshotStored, trace.TaskReady}
	anchor := faults.Nth(1+d.Draw(12), one(pick(d, kinds)))
	f := faults.Fault{Kind: faults.Delay, Target: faults.Sink, Op: r.Write, Times: 1, Duration: d.Range(4_000_000, 40_000_000), When: faults.At(anchor)}
	if d.Chance(1, 3) {
		f.Kind, f.Outcome, f.Times, f.Duration = faults.Fail, faults.NotApplied, 1+d.Draw(6), 0
	}
	c := r.victim(d, 1, 4)
	c.When = faults.At(append([]faults.Step{anchor, faults.Nth(1+d.Draw(4), one(trace.SnapshotStored))}, shortly(d)...)...)
	if d.Chance(1, 2) {
		return []faults.Fault{f, c}
	}
	return []faults.Fault{f}
}

// crashesAfter draws one crash a little after the given steps and, if again is
// set, one in the recovery from it.
func (r RandomFaults) crashesAfter(d *seed.Stream, first faults.Step, again bool, more ...faults.Step) []faults.Fault {
	at := append([]faults.Step{first}, more...)
	c := r.victim(d, 1, 2)
	c.When = faults.At(append(at[:len(at):len(at)], shortly(d)...)...)
	out := []faults.Fault{c}
	if again {
		c := r.victim(d, 2, 3)
		at = append(at, faults.Nth(1, one(pick(d, recoverySteps()))))
		c.When = faults.At(append(at, shortly(d)...)...)
		out = append(out, c)
	}
	return out
}

// errorBurst has operations fail, one in two of them having taken effect.
func (r RandomFaults) errorBurst(d *seed.Stream) []faults.Fault {
	s := pick(d, steps())
	s.op = r.operation(s.target, s.op)
	f := faults.Fault{Kind: faults.Fail, Target: s.target, Op: s.op, Times: 1 + d.Draw(12), Outcome: faults.NotApplied}
	if d.Chance(1, 2) {
		f.Outcome = faults.Applied
	}
	if d.Chance(1, 3) {
		f.Op = ""
	}
	f.When = faults.At(faults.Nth(1+d.Draw(8), one(s.before)))
	return append([]faults.Fault{f}, r.perhapsCrash(d, f.When)...)
}

// refused has storage refuse a few snapshots, or files of one, for good: each fails
// by itself, and the round that it is of, while the job goes on.
func refused(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 6) {
		return nil
	}
	return []faults.Fault{{
		Kind: faults.Fail, Target: faults.Storage, Op: "put", Outcome: faults.Refused, Times: 1 + d.Draw(3), When: faults.At(faults.Nth(1+d.Draw(20), one(trace.SnapshotBegun))),
	}}
}

// standstill has storage, sink, source, a worker, the coordinator or a link
// answer nothing for a while.
func (r RandomFaults) standstill(d *seed.Stream) []faults.Fault {
	f := faults.Fault{Kind: faults.Stall, Duration: span(d), When: faults.At(faults.Nth(1+d.Draw(8), one(pick(d, aims()))))}
	switch d.Draw(6) {
	case 0:
		f.Target = faults.Storage
	case 1:
		f.Target = faults.Sink
	case 2:
		f.Target = faults.SourceLog
	case 3:
		f.Target, f.Worker = faults.Worker, d.Draw(r.Workers)
	case 4:
		f.Target = faults.Coordinator
	default:
		f.Target = faults.Storage
		r.link(d, &f)
	}
	return append([]faults.Fault{f}, r.perhapsCrash(d, f.When)...)
}

// crawl has a link, a worker, storage or sink be slow while a snapshot is taken.
func (r RandomFaults) crawl(d *seed.Stream) []faults.Fault {
	kinds := []trace.Kind{trace.Triggered, trace.BarrierSent, trace.BarrierReceived, trace.SnapshotBegun, trace.TaskReady}
	f := faults.Fault{Kind: faults.Slow, Factor: 2 + d.Draw(40), Duration: span(d), When: faults.At(faults.Nth(1+d.Draw(8), one(pick(d, kinds))))}
	switch d.Draw(5) {
	case 0:
		f.Target, f.Worker = faults.Worker, d.Draw(r.Workers)
	case 1:
		f.Target = faults.Storage
	case 2:
		f.Target = faults.Sink
	default:
		f.Target = faults.Sink
		r.link(d, &f)
	}
	return append([]faults.Fault{f}, r.perhapsCrash(d, f.When)...)
}

// link aims f at a drawn channel, if the plan may hit channels.
func (r RandomFaults) link(d *seed.Stream, f *faults.Fault) {
	if k := d.Draw(max(r.Channels, 1)); r.Channels > 0 {
		f.Target, f.Link = faults.Link, id.ChannelID(k)
	}
}

// perhapsCrash draws a crash soon after a condition, in one of two cases.
func (r RandomFaults) perhapsCrash(d *seed.Stream, when faults.Condition) []faults.Fault {
	if !d.Chance(1, 2) {
		return nil
	}
	return r.crashesAfter(d, when.Steps[0], d.Chance(1, 3), faults.Nth(1+d.Draw(4), one(pick(d, aims()))))
}

// victim draws who crashes: in num of den cases the coordinator.
func (r RandomFaults) victim(d *seed.Stream, num, den int) faults.Fault {
	f := faults.Fault{Kind: faults.Crash, Target: faults.Worker}
	coordinator, w := d.Chance(num, den), d.Draw(r.Workers)
	if coordinator {
		f.Target = faults.Coordinator
	} else {
		f.Worker = w
	}
	return f
}

// shortly draws no step, or a time from 62 microseconds to 8 milliseconds, of
// every order alike.
func shortly(d *seed.Stream) []faults.Step {
	most := int64(125_000) << d.Draw(7)
	at := d.Range(most/2, most)
	if !d.Chance(3, 4) {
		return nil
	}
	return []faults.Step{faults.Time(at)}
}

// span draws a duration from 0.5 to 128 milliseconds, of every order alike: a
// recovery takes about ten.
func span(d *seed.Stream) Nanos {
	most := int64(1_000_000) << d.Draw(8)
	return d.Range(most/2, most)
}

func one(k trace.Kind) trace.Mask { return trace.Mask(0).With(k) }

func pick[T any](d *seed.Stream, from []T) T { return from[d.Draw(len(from))] }
