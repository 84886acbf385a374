package sim_test

import (
	"testing"

	"weir/faults"
	"weir/id"
	"weir/sim"
	"weir/trace"
)

// undead sees what zombies ask of the external store and of message logs once they
// have been replaced, and what comes of it.
type undead struct {
	newest                  [6]id.Attempt // by task
	asked, fenced, appended int
}

func (u *undead) Wants() trace.Mask {
	return trace.Mask(0).With(trace.TaskStarting, trace.ExtIssued, trace.ExtDone, trace.StoreDone)
}

func (u *undead) Observe(e *trace.Event) {
	if e.Task < 0 {
		return
	}
	late := e.Attempt != 0 && e.Attempt < u.newest[e.Task]
	switch {
	case e.Kind == trace.TaskStarting:
		u.newest[e.Task] = max(u.newest[e.Task], e.Attempt)
	case e.Kind == trace.ExtIssued && late:
		u.asked++
	case e.Kind == trace.ExtDone && e.Outcome == trace.Fenced:
		u.fenced++
	case e.Kind == trace.StoreDone && e.Op == trace.Append && e.Outcome == trace.Lost:
		u.appended++
	}
}

// TestZombiesAreFenced takes workers for dead that go on, for different times: they
// write, pre-commit, commit and append late, are refused, and the answer is right.
func TestZombiesAreFenced(t *testing.T) {
	moments := []trace.Kind{trace.Completed, trace.CommitAsked, trace.LineAdvanced, trace.SnapshotBegun}
	for _, name := range []string{"aligned", "unaligned", "uncoordinated"} {
		var sum undead
		for n := range uint64(200) {
			x := newExperiment(t, sim.New(), name, testRecords, testKeys, 2)
			x.job.Config.Checkpoint.Interval = 6e5
			f := faults.Fault{Kind: faults.Suspect, Target: faults.Worker, Worker: int(n % 3), Duration: int64(4+n%8) * 1e6, When: faults.At(faults.Nth(1+int(n/16), trace.Mask(0).With(moments[n/4%4])))}
			u := &undead{}
			r := x.run(t, sim.Config{
				Seed: n, Policy: &sim.Random{}, Workers: 3, Poison: true, Observers: []trace.Observer{u},
				Injector: faults.NewInjector(faults.Plan{Faults: []faults.Fault{f}}), MaxTime: 120e9, MaxEvents: 2e6,
			})
			if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
				t.Fatalf("%s, seed %d, %s: %s: %v; answer: %v\n%s", name, n, f, r.Verdict, r.Err, err, r.Stack)
			}
			sum.asked, sum.fenced, sum.appended = sum.asked+u.asked, sum.fenced+u.fenced, sum.appended+u.appended
		}
		t.Logf("%s: zombies asked the external store %d times; %d operations were fenced, %d appends to logs lost", name, sum.asked, sum.fenced, sum.appended)
		if sum.asked == 0 || sum.fenced == 0 || (sum.appended == 0) != (name != "uncoordinated") {
			t.Errorf("%s: something never happened", name)
		}
	}
}

// TestTwoCoordinators takes the coordinator for dead while it goes on: nobody hears it
// any more, and the job is done once.
func TestTwoCoordinators(t *testing.T) {
	for n := range uint64(60) {
		x := newExperiment(t, sim.New(), "uncoordinated", testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		f := faults.Fault{Kind: faults.Suspect, Target: faults.Coordinator, Duration: int64(n%8) * 1e6, When: faults.At(faults.Nth(1+int(n/2), trace.Mask(0).With(trace.Acked)))}
		r := x.run(t, sim.Config{Seed: n, Policy: &sim.Random{}, Workers: 3, Injector: faults.NewInjector(faults.Plan{Faults: []faults.Fault{f}}), MaxTime: 120e9, MaxEvents: 2e6})
		if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil || r.CoordinatorCrashes != 1 {
			t.Fatalf("seed %d, %s: %s: %v; answer: %v; %d replaced\n%s", n, f, r.Verdict, r.Err, err, r.CoordinatorCrashes, r.Stack)
		}
	}
}
