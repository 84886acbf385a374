package sim

import (
	"weir/faults"
	"weir/sim/seed"
	"weir/trace"
)

// RandomOperations draws what somebody does with the job while it runs: gives it, or one of
// its operators, another parallelism, or another version, from one to three times, and takes the lead from its
// coordinator once or twice, at instants like those of crashes. Beside one in two of them somebody
// crashes: while the job stops, in the change, or while the next graph starts; or while the next
// coordinator does. Beside failovers in one of four runs the clock of a coordinator process runs
// so fast for a while that two may lead at once.
type RandomOperations struct {
	Faults       RandomFaults
	From         int            // parallelism at first
	To           []int          // parallelisms that the job can have, ascending; none: it cannot change
	Alone        []string       // operators that can have another parallelism than the others
	Saves        []faults.Kind  // of savepoints, that somebody takes
	Next         []faults.Fault // Resume: what the next job may be, behind a savepoint with which this one ends; none: there is none
	Coordinators int            // processes, of which one leads; below 2: there is no failover
	Lease        Nanos          // for how long one leads without renewing it
	// Queries: somebody outside looks keys up, up to six times.
	Queries  bool
	Version  int // at first
	Versions int // that the job has, counted from 1; below 2: it cannot change
}

// mostOperations and mostFailovers are drawn for one run.
const (
	mostOperations = 3
	mostFailovers  = 2
)

// Draw draws steps of a plan from the streams "savepoints", "operations", "queries", "operations.failover" and "operations.resume". On a quiet
// tape there are none.
func (r RandomOperations) Draw(src *seed.Source) []faults.Fault {
	all := append(r.saves(src.Stream("savepoints")), r.changes(src)...)
	all = append(all, r.queries(src)...)
	all = append(all, r.failovers(src)...)
	return append(all, r.next(src)...)
}

func (r RandomOperations) failovers(src *seed.Source) (all []faults.Fault) {
	if r.Coordinators < 2 {
		return nil
	}
	d := src.Stream("operations.failover")
	for i := range mostFailovers {
		if !d.Chance(1, 1+i) {
			break
		}
		f := faults.Fault{Kind: faults.Failover, Target: faults.Job, When: r.when(d)}
		if pause := d.Range(r.Lease, 3*r.Lease); d.Chance(1, 2) {
			f.Duration = pause
		}
		all = append(all, f)
		if d.Chance(1, 2) {
			all = append(all, r.crash(d, f.When, failoverSteps()))
		}
	}
	fast := faults.Fault{Kind: faults.Drift, Target: faults.Process, Worker: d.Draw(r.Coordinators), Factor: 4 + d.Draw(5), Duration: d.Range(r.Lease, 4*r.Lease)}
	if fast.When = r.when(d); d.Chance(1, 4) {
		all = append(all, fast)
	}
	return all
}

// next draws the end of the job with a savepoint, what begins from that, and half of the time a
// crash there: what stands behind a Resume is for the next job.
func (r RandomOperations) next(src *seed.Source) (all []faults.Fault) {
	if len(r.Next) == 0 {
		return nil
	}
	d := src.Stream("operations.resume")
	if !d.Chance(1, 1) { // unless the tape is quiet
		return nil
	}
	end := faults.Fault{Kind: faults.StopSaved, Target: faults.Job, When: r.when(d)}
	all = append(all, end, r.Next[d.Draw(len(r.Next))])
	if when := r.when(d); d.Chance(1, 2) {
		all = append(all, r.crash(d, when, changeSteps()))
	}
	return all
}

// mostQueries are drawn for one run.
const mostQueries = 6

// queries draws what a reader does, from a stream of its own.
func (r RandomOperations) queries(src *seed.Source) (all []faults.Fault) {
	if !r.Queries {
		return nil
	}
	d := src.Stream("queries")
	for i := range mostQueries {
		if !d.Chance(2, 2+i) {
			break
		}
		all = append(all, faults.Fault{Kind: faults.Query, Target: faults.Job, When: r.when(d)})
	}
	return all
}

// changes draws what makes another job of the job.
func (r RandomOperations) changes(src *seed.Source) (all []faults.Fault) {
	d := src.Stream("operations")
	upgrades := r.Versions > 1
	if len(r.To) == 0 && !upgrades {
		return nil
	}
	now, version := r.From, r.Version
	for i := range mostOperations {
		if !d.Chance(1, 1+i) { // the first is certain, unless the tape is quiet
			break
		}
		var f faults.Fault
		if upgrades && (len(r.To) == 0 || d.Chance(1, 2)) {
			f = r.upgrade(d, version)
			version = f.To
		} else if f = r.rescale(d, now); f.Operator == "" {
			now = f.To
		}
		f.When = r.when(d)
		all = append(all, f)
		if d.Chance(1, 2) {
			all = append(all, r.crash(d, f.When, changeSteps()))
		}
	}
	return all
}

// saves draws savepoints, as many as changes and at instants like theirs.
func (r RandomOperations) saves(d *seed.Stream) (all []faults.Fault) {
	for i := range min(mostOperations, mostOperations*len(r.Saves)) {
		if !d.Chance(1, 1+i) {
			break
		}
		f := faults.Fault{Kind: r.Saves[d.Draw(len(r.Saves))], Target: faults.Job, When: r.when(d)}
		all = append(all, f)
		if d.Chance(1, 2) {
			all = append(all, r.crash(d, f.When, saveSteps()))
		}
	}
	return all
}

// saveSteps are what a savepoint passes through, one with which the job stops among them.
func saveSteps() []trace.Kind {
	return []trace.Kind{
		trace.SnapshotBegun, trace.Acked, trace.AllAcked, trace.Saved, trace.Triggered, trace.SnapshotStored, trace.Completed, trace.LineAdvanced, trace.CommitAsked, trace.Stopped,
	}
}

// rescale draws a change: up, down, or of one operator.
func (r RandomOperations) rescale(d *seed.Stream, now int) faults.Fault {
	f := faults.Fault{Kind: faults.Rescale, Target: faults.Job}
	var up, down []int
	for _, n := range r.To {
		if n > now {
			up = append(up, n)
		} else if n < now {
			down = append(down, n)
		}
	}
	way, to, whose := d.Draw(3), d.Draw(64), d.Draw(64)
	widths := r.To
	switch {
	case way == 0 && len(up) > 0:
		widths = up
	case way == 1 && len(down) > 0:
		widths = down
	case way == 2 && len(r.Alone) > 0:
		f.Operator = r.Alone[whose%len(r.Alone)]
	}
	f.To = widths[to%len(widths)]
	return f
}

// upgrade draws another version than the one it is: newer or older.
func (r RandomOperations) upgrade(d *seed.Stream, now int) faults.Fault {
	to := 1 + d.Draw(r.Versions-1)
	if to >= now {
		to++
	}
	return faults.Fault{Kind: faults.Upgrade, Target: faults.Job, To: to}
}

// when draws an instant: a time, a checkpoint, or next to something durable.
func (r RandomOperations) when(d *seed.Stream) faults.Condition {
	kinds := aims()
	at, n, kind := d.Range(0, max(r.Faults.Horizon, 1)), 1+d.Draw(6), d.Draw(len(kinds))
	switch d.Draw(3) {
	case 0:
		return faults.At(faults.Nth(n, trace.Mask(0).With(trace.Completed, trace.LineAdvanced)))
	case 1:
		return faults.At(faults.Time(at))
	default:
		return faults.At(faults.Nth(2*n, one(kinds[kind])))
	}
}

// changeSteps are what a change passes through.
func changeSteps() []trace.Kind {
	return []trace.Kind{
		trace.Triggered, trace.SnapshotStored, trace.AllAcked, trace.Stopped, trace.Rescaled, trace.CoordinatorStarted,
		trace.PlanDurable, trace.PlanExecuted, trace.TaskStarting, trace.TaskRestored, trace.Injected, trace.TaskReady, trace.Delivered, trace.Completed,
	}
}

// failoverSteps are what a failover passes through.
func failoverSteps() []trace.Kind {
	return []trace.Kind{
		trace.CoordinatorStarted, trace.StoreDone, trace.PlanDurable, trace.PlanExecuted, trace.TaskStarting, trace.TaskRestored, trace.TaskReady, trace.Triggered, trace.AllAcked, trace.Completed,
	}
}

// crash draws one behind an operation that falls due, at one of the steps that it passes through.
func (r RandomOperations) crash(d *seed.Stream, when faults.Condition, steps []trace.Kind) faults.Fault {
	c := r.Faults.victim(d, 1, 3)
	step := pick(d, steps)
	at := append(when.Steps[:len(when.Steps):len(when.Steps)], faults.Nth(1+d.Draw(3), one(step)))
	c.When = faults.At(append(at, shortly(d)...)...)
	return c
}
