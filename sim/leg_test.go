package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/faults"
	"weir/sim"
	"weir/sim/seed"
	"weir/trace"
)

// again has a job go on as what it is.
func (x *experiment) again(*faults.Fault) (*dataflow.Job, error) {
	job := x.job
	return &job, nil
}

// changes sees what happens around changes of the graph.
type changes struct {
	issued            map[string]bool // puts of the leg at hand that have not landed
	former            map[string]bool // likewise of those before
	late, answered    int             // of those, since
	rescaled, crashed int
	early             int // events of tasks between a change and the next plan
	between           bool
	attempts          []int
}

func (c *changes) Wants() trace.Mask {
	return trace.Mask(0).With(trace.StoreIssued, trace.StoreApplied, trace.StoreDone, trace.Rescaled, trace.WorkerCrashed, trace.CoordinatorCrashed,
		trace.PlanExecuted, trace.TaskStarting, trace.TaskReady, trace.Delivered, trace.SnapshotBegun, trace.Emitted)
}

func (c *changes) Observe(e *trace.Event) {
	if c.issued == nil {
		c.issued, c.former = map[string]bool{}, map[string]bool{}
	}
	switch e.Kind {
	case trace.StoreIssued:
		if e.Op == trace.Put {
			c.issued[e.Key] = true
		}
	case trace.StoreApplied:
		delete(c.issued, e.Key)
		if c.former[e.Key] && e.Op == trace.Put {
			c.late++
		}
	case trace.StoreDone:
		if c.former[e.Key] && e.Op == trace.Put {
			c.answered++
		}
	case trace.Rescaled:
		c.rescaled++
		c.between = true
		for key := range c.issued {
			c.former[key] = true
		}
		clear(c.issued)
	case trace.WorkerCrashed, trace.CoordinatorCrashed:
		c.crashed++
	case trace.PlanExecuted:
		c.between = false
		c.attempts = append(c.attempts, int(e.Attempt))
	default: // of tasks
		if c.between {
			c.early++
		}
	}
}

func planOf(t *testing.T, text string) faults.Plan {
	t.Helper()
	p, err := faults.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestChangeOfGraph takes a job through a change to what it is, with what can come in
// between: the processes end without a crash, attempts go on upward, and the answer is right.
func TestChangeOfGraph(t *testing.T) {
	for _, c := range []struct {
		plan                      string
		rescaled, crashed, missed int
	}{
		{"(rescale to=2 at (nth 2 completed))", 1, 0, 0},
		{"(rescale to=2 at (time 0s))", 1, 0, 0},
		{"(plan (rescale to=2 at (nth 1 completed)) (rescale to=2 at (after (nth 1 rescaled) (nth 2 task-ready))) (rescale to=2 at (after (nth 2 rescaled) (nth 9 delivered))))", 3, 0, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (rescale to=2 at (nth 2 completed)))", 2, 0, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (rescale to=2 at (nth 1 stopped)))", 2, 0, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (rescale to=2 at (nth 1 rescaled)))", 2, 0, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (crash coordinator at (after (nth 2 completed) (nth 2 snapshot-begun))))", 1, 1, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (crash coordinator at (nth 1 stopped)))", 1, 1, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (crash worker=1 at (after (nth 2 completed) (nth 2 snapshot-begun))))", 1, 1, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (crash worker=1 at (nth 1 rescaled)))", 1, 1, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (crash coordinator at (nth 1 rescaled)))", 1, 0, 1},
		{"(plan (rescale to=2 at (nth 2 completed)) (crash coordinator at (after (nth 1 rescaled) (nth 1 plan-durable))) (crash worker=0 at (after (nth 1 rescaled) (nth 2 task-starting))))", 1, 2, 0},
		{"(plan (crash coordinator at (nth 2 completed)) (rescale to=2 at (nth 2 completed)))", 1, 1, 0},
		{"(plan (rescale to=2 at (nth 2 completed)) (suspect coordinator for 20ms at (after (nth 2 completed) (nth 1 triggered))))", 1, 1, 0},
		{"(plan (suspect worker=1 for 20ms at (nth 2 completed)) (rescale to=2 at (after (nth 2 completed) (nth 1 task-starting))))", 1, 0, 0},
		{"(plan (stop coordinator at (nth 2 completed)) (rescale to=2 at (nth 1 stopped)))", 1, 0, 0},
		{"(plan (slow worker=1 by 20 for 15ms at (nth 2 completed)) (rescale to=2 at (nth 2 completed)))", 1, 0, 0},
		{"(plan (slow link c2 by 20 for 15ms at (nth 2 completed)) (stall link c1 for 400s at (nth 2 completed)) (rescale to=2 at (nth 2 completed)) (crash worker=0 at (nth 2 completed)))", 1, 1, 0},
		{"(plan (stall coordinator for 20ms at (nth 1 stopped)) (rescale to=2 at (nth 2 completed)))", 1, 0, 0},
		{"(rescale to=2 at (nth 1 job-done))", 0, 0, 1},
		{"(plan (rescale to=2 at (nth 2 completed)) (slow link c99 by 2 at (nth 1 rescaled)))", 1, 0, 1},
	} {
		for _, name := range []string{"aligned", "unaligned"} {
			for n := range uint64(6) {
				x := newExperiment(t, sim.New(), name, testRecords, testKeys, 2)
				x.job.Config.Checkpoint.Interval = 6e5
				seen := &changes{}
				r := x.run(t, sim.Config{
					Seed: n, Policy: &sim.Random{}, Workers: 3, Poison: true, Injector: faults.NewInjector(planOf(t, c.plan)), Reshape: x.again,
					Observers: []trace.Observer{seen}, MaxTime: 10e9, MaxEvents: 2e6,
				})
				if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
					t.Fatalf("%s, seed %d, %s: %s: %v; answer: %v\n%s\n%s", name, n, c.plan, r.Verdict, r.Err, err, r.Stack, strings.Join(r.Standstill, "\n"))
				}
				if seen.rescaled != c.rescaled || int(r.Counts[trace.Rescaled]) != c.rescaled || seen.crashed != c.crashed || len(r.Missed) != c.missed {
					t.Errorf("%s, seed %d, %s: %d changes, %d crashes, changed nothing: %v; want %d, %d, %d", name, n, c.plan, seen.rescaled, seen.crashed, r.Missed, c.rescaled, c.crashed, c.missed)
				}
				if seen.early > 0 {
					t.Errorf("%s, seed %d, %s: %d events of tasks between a change and the plan behind it", name, n, c.plan, seen.early)
				}
				for i := 1; i < len(seen.attempts); i++ {
					if seen.attempts[i] <= seen.attempts[i-1] {
						t.Errorf("%s, seed %d, %s: plans %v", name, n, c.plan, seen.attempts)
					}
				}
			}
		}
	}
}

// TestWhoCannotStop: an operation comes to nothing if its algorithm cannot stop, and is named.
func TestWhoCannotStop(t *testing.T) {
	x := newExperiment(t, sim.New(), "none", testRecords, testKeys, 2)
	x.job.Algorithm = oneByOne()
	plan := planOf(t, "(plan (rescale to=2 at (nth 1 task-ready)) (rescale to=2 at (nth 20 emitted)))")
	r := x.run(t, sim.Config{Injector: faults.NewInjector(plan), Reshape: x.again})
	if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil || len(r.Missed) != 2 || r.Counts[trace.Rescaled] != 0 {
		t.Errorf("%s: %v; answer: %v; changed nothing: %v", r.Verdict, r.Err, err, r.Missed)
	}
	if r := x.run(t, sim.Config{Injector: faults.NewInjector(plan)}); r.Verdict != sim.Failed || !strings.Contains(fmt.Sprint(r.Err), "cannot change") {
		t.Errorf("a job that cannot change: %s: %v", r.Verdict, r.Err)
	}
	refuse := func(*faults.Fault) (*dataflow.Job, error) { return nil, fmt.Errorf("no such operator") }
	x = newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	if r := x.run(t, sim.Config{Injector: faults.NewInjector(plan), Reshape: refuse}); r.Verdict != sim.Failed || !strings.Contains(fmt.Sprint(r.Err), "rescale to=2): no such operator") {
		t.Errorf("a graph that there is not: %s: %v", r.Verdict, r.Err)
	}
}

// changing returns a run with drawn faults and drawn changes to what the job is.
func (x *experiment) changing(n uint64) (sim.Config, faults.Plan) {
	cfg := crashing(n, nil)
	f := sim.RandomFaults{Workers: 3, Horizon: 12e6, Channels: 8, Stops: true}
	plan := f.Plan(seed.New(n))
	plan.Faults = append(plan.Faults, sim.RandomOperations{Faults: f, From: 2, To: []int{1, 2, 3}, Alone: []string{"count"}}.Draw(seed.New(n))...)
	cfg.Injector, cfg.Reshape = faults.NewInjector(plan), x.again
	return cfg, plan
}

// TestChangesUnderFaults: whatever goes wrong around changes, the answer is right, and
// what was under way lands in legs that know nothing of it.
func TestChangesUnderFaults(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned"} {
		x := newExperiment(t, sim.New(), name, testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		rescaled, late := 0, 0
		for n := range uint64(300) {
			cfg, plan := x.changing(n)
			seen := &changes{}
			cfg.Observers = []trace.Observer{seen}
			r := x.run(t, cfg)
			if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
				t.Fatalf("%s, seed %d, %s: %s: %v; answer: %v; last failure of a task: %v\n%s", name, n, plan, r.Verdict, r.Err, err, r.LastFailure, r.Stack)
			}
			if seen.early+seen.answered > 0 {
				t.Fatalf("%s, seed %d, %s: %d events of tasks between a change and the plan behind it, %d operations of a leg were answered in another", name, n, plan, seen.early, seen.answered)
			}
			rescaled, late = rescaled+seen.rescaled, late+seen.late
		}
		t.Logf("%s: %d changes, %d operations of a leg landed in another", name, rescaled, late)
		if rescaled < 300 || late < 10 {
			t.Errorf("%s: %d changes, %d operations of a leg landed in another", name, rescaled, late)
		}
	}
}

// TestChangesAreDeterministic: the same seed gives the same hash on simulators of different
// history, its tape too, and a change makes another run.
func TestChangesAreDeterministic(t *testing.T) {
	old, fresh := sim.New(), sim.New()
	differ := 0
	for n := range uint64(60) {
		var a, b, c sim.EventLog
		var tape, again seed.Tape
		run := func(s *sim.Sim, log *sim.EventLog, change func(*sim.Config)) sim.Result {
			x := newExperiment(t, s, "unaligned", testRecords, testKeys, 2)
			x.job.Config.Checkpoint.Interval = 6e5
			cfg, _ := x.changing(n)
			cfg.Log = log
			change(&cfg)
			return x.run(t, cfg)
		}
		first := run(old, &a, func(c *sim.Config) { c.Record = &tape })
		second := run(fresh, &b, func(*sim.Config) {})
		if first.Hash != second.Hash {
			t.Fatalf("seed %d: hashes %x and %x: %s", n, first.Hash, second.Hash, sim.Difference(&a, &b))
		}
		third := run(fresh, &c, func(c *sim.Config) { c.Seed, c.Replay, c.Record = 0, &tape, &again })
		if first.Hash != third.Hash || !tape.Equal(&again) {
			t.Fatalf("seed %d: replay of the tape gives %x, the run %x: %s", n, third.Hash, first.Hash, sim.Difference(&a, &c))
		}
		x := newExperiment(t, fresh, "unaligned", testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		cfg := crashing(n, nil)
		cfg.Injector = faults.NewInjector(sim.RandomFaults{Workers: 3, Horizon: 12e6, Channels: 8, Stops: true}.Plan(seed.New(n)))
		if x.run(t, cfg).Hash != first.Hash {
			differ++
		}
	}
	if differ < 50 {
		t.Errorf("of 60 runs %d have another hash than without their changes", differ)
	}
}

// TestRandomOperations: those that are drawn are valid and of every sort, and leave the
// faults of a seed as they are.
func TestRandomOperations(t *testing.T) {
	r := sim.RandomOperations{Faults: sim.RandomFaults{Workers: 3, Horizon: 12e6}, From: 2, To: []int{1, 2, 3, 4}, Alone: []string{"count", "sink"}}
	var up, down, alone, crashes int
	sizes := map[int]int{}
	for n := range uint64(500) {
		p := faults.Plan{Faults: r.Draw(seed.New(n))}
		if back, err := faults.Parse(p.String()); err != nil || back.String() != p.String() {
			t.Fatalf("seed %d: %s reads back as %s, %v", n, p, back, err)
		}
		ops := p.Operations()
		sizes[len(ops)]++
		crashes += len(p.Faults) - len(ops)
		for i := range ops {
			switch f := &ops[i]; {
			case f.Operator != "":
				alone++
			case f.To > r.From:
				up++
			case f.To < r.From:
				down++
			}
		}
	}
	if sizes[0] > 0 || sizes[1] == 0 || sizes[2] == 0 || sizes[3] == 0 || sizes[4] > 0 || min(up, down, alone, crashes) < 100 {
		t.Errorf("operations by number %v; %d up, %d down, %d of one operator, %d crashes beside them", sizes, up, down, alone, crashes)
	}
	if quiet := r.Draw(seed.NewReplay(&seed.Tape{})); len(quiet) > 0 {
		t.Errorf("an empty tape gives %v", quiet)
	}
	if r.To = nil; len(r.Draw(seed.New(1))) > 0 {
		t.Error("drawn for a job that cannot change")
	}
}

// TestRandomFailovers: one or two in each run, of both sorts, and clocks beyond the bound in some;
// changes of the graph stay as they are.
func TestRandomFailovers(t *testing.T) {
	changes := sim.RandomOperations{Faults: sim.RandomFaults{Workers: 3, Horizon: 12e6}, From: 2, To: []int{1, 2, 3, 4}}
	both := changes
	both.Coordinators, both.Lease = 2, 40e6
	sizes := map[int]int{}
	lost, still, fast, crashes := 0, 0, 0, 0
	for n := range uint64(500) {
		before, p := changes.Draw(seed.New(n)), faults.Plan{Faults: both.Draw(seed.New(n))}
		if back, err := faults.Parse(p.String()); err != nil || back.String() != p.String() {
			t.Fatalf("seed %d: %s reads back as %s, %v", n, p, back, err)
		}
		if first := (faults.Plan{Faults: p.Faults[:len(before)]}); first.String() != (faults.Plan{Faults: before}).String() {
			t.Fatalf("seed %d: %s, and without failovers %v", n, p, before)
		}
		count := 0
		for _, f := range p.Faults[len(before):] {
			switch {
			case f.Target == faults.Process:
				fast++
			case f.Kind != faults.Failover:
				crashes++
			case f.Duration > 0:
				count, still = count+1, still+1
			default:
				count, lost = count+1, lost+1
			}
		}
		sizes[count]++
	}
	if sizes[0] > 0 || sizes[1] == 0 || sizes[2] == 0 || sizes[3] > 0 || min(lost, still, fast, crashes) < 60 {
		t.Errorf("failovers by number %v; %d lost, %d stand still, %d clocks, %d crashes beside them", sizes, lost, still, fast, crashes)
	}
	if quiet := both.Draw(seed.NewReplay(&seed.Tape{})); len(quiet) > 0 {
		t.Errorf("an empty tape gives %v", quiet)
	}
}
