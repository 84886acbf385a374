package sim

import (
	"weir/faults"
	"weir/sim/seed"
	"weir/trace"
)

// zombie has a worker that runs be taken for dead: it stands still for a while or
// not at all, or loses its connection with the coordinator. What it had under way when
// it was replaced it goes on with, so that it is struck where something is. In one
// of three somebody crashes while it is about.
func (r RandomFaults) zombie(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 5) {
		return nil
	}
	f := faults.Fault{Kind: faults.Suspect, Target: faults.Worker, Worker: d.Draw(r.Workers)}
	pause, pauses := span(d), d.Chance(2, 3)
	kinds := aims()
	if d.Chance(1, 2) { // it wakes with a commit or an upload to be made, a little after it was replaced
		kinds, pause = []trace.Kind{trace.Completed, trace.CommitAsked, trace.LineAdvanced, trace.SnapshotBegun}, d.Range(4_000_000, 16_000_000)
	}
	way := pick(d, []string{"", faults.Up, faults.Down})
	switch d.Draw(3) {
	case 0:
		f.Kind, f.Target, f.Op = faults.Cut, faults.Control, way
	default:
		if pauses {
			f.Duration = pause
		}
	}
	f.When = faults.At(append([]faults.Step{faults.Nth(1+d.Draw(10), one(pick(d, kinds)))}, shortly(d)...)...)
	out := []faults.Fault{f}
	c := r.victim(d, 1, 3)
	at := append(f.When.Steps[:len(f.When.Steps):len(f.When.Steps)], faults.Nth(1, one(trace.TaskFailed)), faults.Nth(1, one(pick(d, recoverySteps()))))
	if c.When = faults.At(append(at, shortly(d)...)...); d.Chance(1, 3) {
		out = append(out, c)
	}
	return out
}

// outrun has the coordinator be taken for dead while it runs: it stands still for a while
// or not at all, so that it wakes before its successor looks into storage, while it does,
// or after. In one of three somebody crashes while both are about.
func (r RandomFaults) outrun(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 6) {
		return nil
	}
	f := faults.Fault{Kind: faults.Suspect, Target: faults.Coordinator, Duration: d.Range(1, 32_000_000)}
	kinds := aims()
	if d.Chance(2, 3) { // with the record of a round to be made, or something to be deleted
		kinds = []trace.Kind{trace.SnapshotStored, trace.Acked, trace.AllAcked, trace.Completed, trace.LineAdvanced, trace.PlanExecuted}
	}
	f.When = faults.At(append([]faults.Step{faults.Nth(1+d.Draw(16), one(pick(d, kinds)))}, shortly(d)...)...)
	c := r.victim(d, 1, 3)
	c.When = faults.At(append(f.When.Steps[:len(f.When.Steps):len(f.When.Steps)], faults.Nth(1, one(trace.CoordinatorCrashed)), faults.Nth(1, one(pick(d, recoverySteps()))))...)
	if d.Chance(1, 3) {
		return []faults.Fault{f, c}
	}
	return []faults.Fault{f}
}

// world draws one fault of what is around the workers: storage or the external store
// restarts, a disk is replaced, messages come late or twice.
func (r RandomFaults) world(d *seed.Stream) []faults.Fault {
	if !d.Chance(1, 5) {
		return nil
	}
	f := faults.Fault{Kind: faults.Crash, Target: faults.Storage}
	w, times, late := d.Draw(r.Workers), 1+d.Draw(30), span(d)
	way := pick(d, []string{"", faults.Up, faults.Down})
	switch d.Draw(5) {
	case 0:
	case 1:
		f.Target = faults.Sink
	case 2:
		f.Kind, f.Target, f.Worker = faults.Wipe, faults.Worker, w
	case 3:
		f.Kind, f.Target, f.Worker, f.Op, f.Times = faults.Repeat, faults.Control, w, way, times
	default:
		f.Kind, f.Target, f.Worker, f.Op, f.Times, f.Duration = faults.Delay, faults.Control, w, way, 1+times/8, late
	}
	f.When = faults.At(faults.Nth(1+d.Draw(10), one(pick(d, aims()))))
	return []faults.Fault{f}
}
