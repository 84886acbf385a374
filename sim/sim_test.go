package sim_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"weir/faults"
	"weir/sim"
	"weir/sim/seed"
	"weir/trace"
)

// crashing returns the configuration of a run with drawn crashes, failing
// operations and a random order, recorded on tape if that is not nil.
func crashing(n uint64, tape *seed.Tape) sim.Config {
	m := sim.DefaultModel().Flaky()
	plan := sim.RandomFaults{Workers: 3, Horizon: 12e6}.Plan(seed.New(n))
	return sim.Config{
		Seed: n, Policy: &sim.Random{}, Workers: 3, Model: m, Record: tape, Poison: true,
		Injector: faults.NewInjector(plan), MaxTime: 120e9, MaxEvents: 2e6,
	}
}

func TestExactlyOnceUnderCrashes(t *testing.T) {
	for _, name := range exactlyOnce() {
		s := sim.New()
		x := newExperiment(t, s, name, testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		var crashes, coordinators, recoveries, late int
		for n := range uint64(300) {
			r := x.run(t, crashing(n, nil))
			err := x.check(testRecords, testKeys)
			if r.Verdict != sim.Done || err != nil {
				t.Fatalf("%s, seed %d, faults %s: %s: %v; answer: %v; last failure of a task: %v\n%s", name, n,
					sim.RandomFaults{Workers: 3, Horizon: 12e6}.Plan(seed.New(n)), r.Verdict, r.Err, err, r.LastFailure, r.Stack)
			}
			crashes, coordinators = crashes+r.Crashes, coordinators+r.CoordinatorCrashes
			recoveries, late = recoveries+r.Recoveries, late+r.LandedLate
		}
		t.Logf("%s: %d crashes of workers, %d of the coordinator, %d recoveries from a snapshot, %d operations landed after the end", name, crashes, coordinators, recoveries, late)
		if crashes == 0 || coordinators == 0 || recoveries == 0 || late == 0 {
			t.Errorf("%s: something never happened", name)
		}
	}
}

func TestWeakerAlgorithmsAreSeenToBe(t *testing.T) {
	for _, name := range []string{"none", "at-least-once"} {
		x := newExperiment(t, sim.New(), name, testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		wrong := 0
		for n := range uint64(300) {
			r := x.run(t, crashing(n, nil))
			if r.Verdict != sim.Done {
				t.Fatalf("%s, seed %d: %s: %v; last failure of a task: %v\n%s", name, n, r.Verdict, r.Err, r.LastFailure, r.Stack)
			}
			if x.check(testRecords, testKeys) != nil {
				wrong++
			}
		}
		t.Logf("%s: %d of 300 answers differ", name, wrong)
		if wrong == 0 {
			t.Errorf("%s: every answer is right", name)
		}
	}
}

// TestDeterminism runs each seed twice, on simulators of different history and
// with different numbers of processors, and replays its tape.
func TestDeterminism(t *testing.T) {
	old, fresh := sim.New(), sim.New()
	for _, name := range []string{"aligned", "unaligned", "uncoordinated", "none"} {
		seen := map[uint64]uint64{}
		for n := range uint64(60) {
			var a, b, c sim.EventLog
			var tape, again seed.Tape
			run := func(s *sim.Sim, log *sim.EventLog, change func(*sim.Config)) sim.Result {
				x := newExperiment(t, s, name, testRecords, testKeys, 2)
				x.job.Config.Checkpoint.Interval = 6e5
				cfg := crashing(n, nil)
				cfg.Log = log
				change(&cfg)
				return x.run(t, cfg)
			}
			first := run(old, &a, func(c *sim.Config) { c.Record = &tape })
			procs := runtime.GOMAXPROCS(1)
			second := run(fresh, &b, func(*sim.Config) {})
			runtime.GOMAXPROCS(procs)
			if first.Hash != second.Hash {
				t.Fatalf("%s, seed %d: hashes %x and %x: %s", name, n, first.Hash, second.Hash, sim.Difference(&a, &b))
			}
			third := run(fresh, &c, func(c *sim.Config) { c.Seed, c.Replay, c.Record = 0, &tape, &again })
			if first.Hash != third.Hash || !tape.Equal(&again) {
				t.Fatalf("%s, seed %d: replay of the tape gives %x, the run %x: %s", name, n, third.Hash, first.Hash, sim.Difference(&a, &c))
			}
			if other, ok := seen[first.Hash]; ok {
				t.Errorf("%s: seeds %d and %d have the same hash", name, other, n)
			}
			seen[first.Hash] = n
		}
	}
}

// TestDifference checks that two runs that part are told apart, and where.
func TestDifference(t *testing.T) {
	var a, b sim.EventLog
	x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	x.run(t, sim.Config{Log: &a})
	if d := sim.Difference(&a, &a); d != "" || a.Len() == 0 {
		t.Fatalf("a log of %d events differs from itself: %s", a.Len(), d)
	}
	m := sim.DefaultModel()
	m.LinkSlow = []int{0, 2}
	x.run(t, sim.Config{Log: &b, Model: m})
	d := sim.Difference(&a, &b)
	if !strings.Contains(d, "event ") || !strings.Contains(d, " ns: ") {
		t.Fatalf("a slow link makes no difference: %q", d)
	}
}

// TestQuietTape checks that an empty tape gives the calm run: no crash, no
// failing operation, no delay.
func TestQuietTape(t *testing.T) {
	x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	calm := x.run(t, sim.Config{Workers: 3})
	cfg := crashing(7, nil)
	cfg.Replay = &seed.Tape{}
	cfg.Injector = faults.NewInjector(sim.RandomFaults{Workers: 3, Horizon: 12e6}.Plan(seed.NewReplay(cfg.Replay)))
	quiet := x.run(t, cfg)
	if quiet.Faults != 0 || quiet.StoreRetried != 0 || quiet.ExtRetried != 0 {
		t.Errorf("%d faults, %d and %d failed operations on an empty tape", quiet.Faults, quiet.StoreRetried, quiet.ExtRetried)
	}
	if quiet.Hash != calm.Hash {
		t.Errorf("hash %x, the calm run has %x", quiet.Hash, calm.Hash)
	}
}

func TestLimits(t *testing.T) {
	x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	for _, c := range []struct {
		what   string
		cfg    sim.Config
		change func()
		want   sim.Verdict
		text   string
	}{
		{"few events", sim.Config{MaxEvents: 100}, nil, sim.NoProgress, "after 100 events"},
		{"little time", sim.Config{MaxTime: 1e6}, nil, sim.NoProgress, "not done"},
		{"no such worker", sim.Config{Placement: []int{5}}, nil, sim.Failed, "placement"},
		{"hopeless storage", sim.Config{Model: hopeless()}, nil, sim.Failed, "fewer than Of"},
	} {
		r := x.run(t, c.cfg)
		if r.Verdict != c.want || r.Err == nil || !strings.Contains(r.Err.Error(), c.text) {
			t.Errorf("%s: %s: %v; want %s with %q", c.what, r.Verdict, r.Err, c.want, c.text)
		}
	}
}

func hopeless() sim.Model {
	m := sim.DefaultModel()
	m.Storage.Of, m.Storage.NotApplied = 4, 4
	return m
}

// TestFaultKinds strikes with every kind of fault and looks for its trace.
func TestFaultKinds(t *testing.T) {
	calm := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	calm.job.Config.Checkpoint.Interval = 6e5
	base := calm.run(t, sim.Config{Workers: 3})
	for _, c := range []struct {
		plan  string
		check func(r sim.Result) bool
	}{
		{"(crash worker=1 at (nth 2 snapshot-stored))", func(r sim.Result) bool { return r.Crashes == 1 && r.Plans == 2 }},
		{"(crash coordinator at (nth 1 all-acked))", func(r sim.Result) bool { return r.CoordinatorCrashes == 1 && r.Plans == 2 }},
		{"(plan (crash worker=0 at (time 2ms)) (crash worker=0 at (after (nth 1 worker-crashed) (nth 2 task-starting))))", func(r sim.Result) bool { return r.Crashes == 2 }},
		{"(stall worker=0 for 30ms at (time 1ms))", func(r sim.Result) bool { return r.Virtual > 30e6 }},
		{"(stall coordinator for 30ms at (time 1ms))", func(r sim.Result) bool { return r.Virtual > 30e6 }},
		{"(stall storage for 30ms at (time 1ms))", func(r sim.Result) bool { return r.Virtual > 30e6 }},
		{"(stall sink for 30ms at (time 1ms))", func(r sim.Result) bool { return r.Virtual > 30e6 }},
		{"(stall source for 30ms at (time 1ms))", func(r sim.Result) bool { return r.Virtual > 30e6 }},
		{"(stall link c1 for 30ms at (time 1ms))", func(r sim.Result) bool { return r.Virtual > 30e6 }},
		{"(slow worker=1 by 100 for 20ms at (time 0s))", func(r sim.Result) bool { return r.Virtual > base.Virtual }},
		{"(slow link c2 by 50 at (time 0s))", func(r sim.Result) bool { return r.Virtual > base.Virtual }},
		{"(slow storage by 5 at (time 0s))", func(r sim.Result) bool { return r.Virtual > base.Virtual }},
		{`(fail storage put outcome=not-applied times=3 at (time 0s))`, func(r sim.Result) bool { return r.StoreRetried == 3 }},
		{`(fail storage put outcome=applied times=3 at (time 0s))`, func(r sim.Result) bool { return r.StoreRetried == 3 }},
		{`(fail storage put outcome=torn times=3 at (time 0s))`, func(r sim.Result) bool { return r.StoreRetried == 3 }},
		{`(fail sink commit outcome=applied times=2 at (time 0s))`, func(r sim.Result) bool { return r.ExtRetried == 2 }},
		{`(delay storage put key="snap/" for 40ms at (time 0s))`, func(r sim.Result) bool { return r.Virtual > 40e6 }},
	} {
		plan, err := faults.Parse(c.plan)
		if err != nil {
			t.Fatal(err)
		}
		x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		r := x.run(t, sim.Config{Workers: 3, Injector: faults.NewInjector(plan), MaxTime: 10e9})
		if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
			t.Errorf("%s: %s: %v; %v", c.plan, r.Verdict, r.Err, err)
		}
		if !c.check(r) {
			t.Errorf("%s: no trace of it: %+v", c.plan, r)
		}
	}
}

// TestCorrupt damages the newest snapshot and crashes: the job must say so and not go on.
func TestCorrupt(t *testing.T) {
	plan, err := faults.Parse(`(plan (corrupt storage key="snap/" at (nth 2 completed)) (crash worker=1 at (nth 2 completed)))`)
	if err != nil {
		t.Fatal(err)
	}
	x := newExperiment(t, sim.New(), "aligned", 2000, testKeys, 2)
	x.job.Config.Checkpoint.Interval = 6e5
	r := x.run(t, sim.Config{Injector: faults.NewInjector(plan), MaxTime: 10e9})
	if r.Verdict != sim.Failed || r.Err == nil || !strings.Contains(r.Err.Error(), "snap/") {
		t.Errorf("%s: %v; want a failed job that names the damaged object", r.Verdict, r.Err)
	}
}

func TestImpossibleFault(t *testing.T) {
	for text, want := range map[string]string{
		"(crash worker=9 at (time 0s))":            "workers 0 to 1",
		"(slow link c99 by 2 at (time 0s))":        "channels 0 to",
		"(crash worker=7 at (nth 1 plan-durable))": "workers 0 to 1",
	} {
		plan, err := faults.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
		if r := x.run(t, sim.Config{Injector: faults.NewInjector(plan)}); r.Verdict != sim.Failed || !strings.Contains(fmt.Sprint(r.Err), want) {
			t.Errorf("%s: %s: %v", text, r.Verdict, r.Err)
		}
	}
}

// TestRandomFaults checks that drawn plans are valid and of every sort.
func TestRandomFaults(t *testing.T) {
	// At most three crashes, a cut, three aimed, two around a step held back, snapshots
	// refused, more of them refused, an upload without end, two where windows are long, a stop,
	// two about a zombie, one of the world, two about damage, two about flipped bits, two about rows
	// that come late, three about what is denied, a drought, an abort of the external store, two
	// about what is unwritten and two about a record.
	sizes := make([]int, 34)
	coordinators, refused := 0, 0
	kinds, targets, ops := map[faults.Kind]int{}, map[faults.Target]int{}, map[string]int{}
	for n := range uint64(1000) {
		p := sim.RandomFaults{Workers: 3, Channels: 8, Horizon: 12e6, Timeout: 30e6, Stops: true, Damage: true, Denies: true, Tolerates: true, Fallback: true, Commit: "commit", Write: "write"}.Plan(seed.New(n))
		if err := p.Validate(); err != nil {
			t.Fatalf("seed %d: %s: %v", n, p, err)
		}
		if back, err := faults.Parse(p.String()); err != nil || back.String() != p.String() {
			t.Fatalf("seed %d: %s reads back as %s, %v", n, p, back, err)
		}
		sizes[len(p.Faults)]++
		for _, f := range p.Faults {
			if f.Target == faults.Coordinator {
				coordinators++
			}
			if f.Outcome == faults.Refused {
				refused++
			}
			kinds[f.Kind]++
			targets[f.Target]++
			ops[f.Op]++
		}
	}
	if sizes[0] > 0 || slices.Contains(sizes[1:9], 0) || coordinators == 0 || refused < 220 || refused > 400 {
		t.Errorf("plans by size %v, %d crashes of the coordinator, %d with something refused", sizes, coordinators, refused)
	}
	for k := faults.Crash; k < faults.Kinds; k++ {
		// Some are for plans that people write: no workload of the sweep minds them.
		written := k == faults.Jump || k == faults.Drift || k >= faults.Rescale
		if (kinds[k] == 0) != written {
			t.Errorf("%d faults of kind %s", kinds[k], k)
		}
	}
	for g := faults.Worker; g <= faults.Control; g++ {
		if targets[g] == 0 {
			t.Errorf("no fault hits %s", g)
		}
	}
	for _, op := range []string{"create", "put", "append", "delete", "trim", "precommit", "commit", "recover", "write", "list"} {
		if ops[op] == 0 {
			t.Errorf("no fault hits %s", op)
		}
	}
	if quiet := (sim.RandomFaults{Workers: 3, Channels: 8, Horizon: 12e6}).Plan(seed.NewReplay(&seed.Tape{})); len(quiet.Faults) > 0 {
		t.Errorf("an empty tape gives %s", quiet)
	}
}

// TestLeftTaskIsKept crashes the worker of tasks that have left, so that one is
// restored as left, and then the other worker, so that it is kept.
func TestLeftTaskIsKept(t *testing.T) {
	plan, err := faults.Parse("(plan (crash worker=1 at (nth 3 task-left)) (crash worker=0 at (after (nth 3 task-left) (nth 1 task-left) (nth 3 ext-done))))")
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(50) {
		x := newExperiment(t, sim.New(), "uncoordinated", testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		r := x.run(t, sim.Config{Seed: n, Workers: 3, Policy: &sim.Random{}, Injector: faults.NewInjector(plan), MaxTime: 10e9})
		if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
			t.Fatalf("seed %d: %s: %v; %v\n%s", n, r.Verdict, r.Err, err, r.Stack)
		}
	}
}

// TestCut breaks each connection in turn, at moments all over the run: its
// receiver fails alone, while its worker lives, and the answer stays right.
func TestCut(t *testing.T) {
	for _, name := range exactlyOnce() {
		x := newExperiment(t, sim.New(), name, testRecords, testKeys, 2)
		x.job.Config.Checkpoint.Interval = 6e5
		struck, recovered := 0, 0
		for n := range 80 {
			plan, err := faults.Parse(fmt.Sprintf("(cut link c%d at (nth %d delivered))", n%8, 1+n))
			if err != nil {
				t.Fatal(err)
			}
			r := x.run(t, sim.Config{Seed: uint64(n), Workers: 3, Policy: &sim.Random{}, Injector: faults.NewInjector(plan), MaxTime: 10e9, MaxEvents: 2e6})
			if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
				t.Fatalf("%s, %s: %s: %v; %v\n%s", name, plan, r.Verdict, r.Err, err, r.Stack)
			}
			if r.Crashes > 0 {
				t.Errorf("%s, %s: a worker crashed", name, plan)
			}
			struck, recovered = struck+1-len(r.Missed), recovered+r.Recoveries
		}
		t.Logf("%s: %d connections cut, %d recoveries from a snapshot", name, struck, recovered)
		if struck < 40 || recovered == 0 {
			t.Errorf("%s: %d connections cut, %d recoveries", name, struck, recovered)
		}
	}
}

// TestSlownessHoldsUpWhatItBegan: a turn that begins while its worker is slow ends
// that much later, and the trace says so.
func TestSlownessHoldsUpWhatItBegan(t *testing.T) {
	plan, err := faults.Parse("(slow worker=1 by 40 for 10ms at (nth 1 triggered))")
	if err != nil {
		t.Fatal(err)
	}
	x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
	m := sim.DefaultModel()
	held := &heldUp{}
	r := x.run(t, sim.Config{Workers: 3, Model: m, Injector: faults.NewInjector(plan), Observers: []trace.Observer{held}, MaxTime: 10e9})
	if least := uint64(10e6 + 40*m.StepBase); r.Verdict != sim.Done || held.most < least {
		t.Errorf("%s; %d ns may be held up, at least %d are wanted", r.Verdict, held.most, least)
	}
}

type heldUp struct{ most uint64 }

func (h *heldUp) Wants() trace.Mask { return trace.Mask(0).With(trace.FaultInjected) }

func (h *heldUp) Observe(e *trace.Event) { h.most = max(h.most, e.To) }
