package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
)

// TestPlannedGraphsAreChecked: a plan that asks for a graph that there cannot be is refused
// before a run, with the step and the reason; what only some leg has may be named.
func TestPlannedGraphsAreChecked(t *testing.T) {
	for _, c := range []struct{ algorithm, workload, plan, want string }{
		{"aligned", "keyedcount", "(plan (crash worker=1) (rescale to=17))", "key groups"},
		{"aligned", "keyedcount", "(rescale operator=cheese to=3)", `no operator "cheese"; it has source`},
		{"aligned", "enrichment", "(rescale operator=source to=3)", "parallelism"},
		{"uncoordinated", "keyedcount", "(rescale to=3)", "message logs"},
		{"none", "keyedcount", "(rescale to=3)", "without snapshots there is nothing"},
		{"none", "keyedcount", "(rescale to=2)", "without snapshots there is nothing"}, // to what it is
		{"none", "spending", "(upgrade to=2)", "without snapshots there is nothing"},
		{"aligned-cyclic", "reachability", "(rescale to=3)", "follow lies in a loop"},
		{"chandy-lamport", "enrichment", "(rescale to=3)", "split -> enrich is a broadcast edge"},
		{"chandy-lamport", "enrichment", "(rescale operator=sink to=3)", ""},
		{"unaligned", "enrichment", "(rescale to=3)", ""},
		{"uncoordinated", "keyedcount", "(rescale to=2)", ""}, // as it is
		{"aligned", "keyedcount", "(plan (rescale to=4 at (nth 2 completed)) (crash worker=0 at (nth 9 delivered task=11)))", ""},
		{"aligned", "keyedcount", "(plan (rescale to=4 at (nth 2 completed)) (crash worker=0 at (nth 9 delivered task=99)))", "tasks 0 to"},
	} {
		cfg := combination(t, c.algorithm, heap.Name, workload(t, c.workload))
		cfg.Faults, cfg.Plan = scenario.PlannedFaults, mustParse(t, c.plan)
		r, err := scenario.New(cfg)
		if err == nil {
			r.Close()
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s, %s: %v; want %q", c.algorithm, c.workload, c.plan, err, c.want)
		}
		var refusal *dataflow.Refusal
		if refused := strings.Contains(c.want, "message logs") || strings.Contains(c.want, "loop") || strings.Contains(c.want, "broadcast") || strings.Contains(c.want, "without snapshots"); errors.As(err, &refusal) != refused {
			t.Errorf("%s, %s: refused by what is declared: %v", c.algorithm, c.plan, err)
		}
	}
}

// TestOperationsAreDrawnBesideFaults: with them a seed has the faults that it has without,
// and an algorithm that cannot change its graph has none.
func TestOperationsAreDrawnBesideFaults(t *testing.T) {
	for _, name := range []string{"unaligned", "uncoordinated"} {
		c := combination(t, name, heap.Name, workload(t, "keyedcount"))
		without := runner(t, c)
		c.Operations = []faults.Kind{faults.Rescale}
		with := runner(t, c)
		if text := c.Command(3); !strings.Contains(text, " --operations rescale") {
			t.Error(text)
		}
		for seed := uint64(1); seed <= 20; seed++ {
			a, b := without.Draw(seed).Plan, with.Draw(seed).Plan
			if n := len(b.Operations()); (n > 0) != (name == "unaligned") {
				t.Errorf("%s, seed %d: %d operations", name, seed, n)
			}
			if got := (faults.Plan{Faults: b.Faults[:len(a.Faults)]}).String(); got != a.String() && len(a.Faults) > 0 {
				t.Errorf("%s, seed %d: %s became %s", name, seed, a, b)
			}
		}
	}
}

// TestRescaledToWhatItIs: rescaled to what it is the job stops and goes on, and
// nobody has crashed.
func TestRescaledToWhatItIs(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(plan (rescale to=2 at (nth 1 completed)) (rescale to=2 at (after (nth 1 rescaled) (nth 4 task-ready))))")
	r := runner(t, c)
	for seed := uint64(1); seed <= 20; seed++ {
		o := r.Run(seed)
		simtest.Fine(t, o)
		if n := o.Result.Counts[trace.Rescaled]; n != 2 || len(o.NotStruck()) > 0 || o.Result.Crashes+o.Result.CoordinatorCrashes > 0 {
			t.Errorf("seed %d: rescaled %d times, not struck %v, %d and %d crashes", seed, n, o.NotStruck(), o.Result.Crashes, o.Result.CoordinatorCrashes)
		}
	}
}

// TestWhatItIsComesAgain: a job that goes on as the graph that it is goes on from a checkpoint, and
// its rows that were visible at once come again; nobody has crashed.
func TestWhatItIsComesAgain(t *testing.T) {
	for _, algorithm := range []string{"aligned", "chandy-lamport"} {
		c := combination(t, algorithm, heap.Name, workload(t, "spending"))
		c.Sink = "append"
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(rescale to=2 at (nth 1 completed))")
		r := runner(t, c)
		rows := int64(0)
		for _, seed := range simtest.Seeds(20) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			rows += o.Report.RowsAgain
		}
		if rows == 0 && !simtest.SeedsGiven() {
			t.Errorf("%s: no row came again", algorithm)
		}
	}
}

// TestRoundsRightBehindAChange: a round that finds sources which have a watermark of their formers to
// pass on still is completed as any other, by no timeout.
func TestRoundsRightBehindAChange(t *testing.T) {
	c := combination(t, "stop-the-world", heap.Name, workload(t, "sessions"))
	c.Given = dataflow.Given{"checkpoint.interval": "50µs", "checkpoint.timeout": "300ms"}
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(rescale to=3 at (nth 2 completed))")
	r := runner(t, c)
	for _, seed := range simtest.Seeds(30) {
		o := r.Run(seed)
		simtest.Fine(t, o)
		if n := o.Result.Counts[trace.TimedOut]; n > 0 {
			t.Errorf("seed %d: %d rounds took too long", seed, n)
		}
	}
}

// TestDrawnOperations: jobs that are rescaled at drawn instants, and crash around that, keep
// what they promise.
func TestDrawnOperations(t *testing.T) {
	for _, x := range []struct{ algorithm, workload string }{
		{"aligned", "keyedcount"}, {"unaligned", "nexmark-q8"}, {"unaligned-timeout", "nexmark-q5"}, {"stop-the-world", "enrichment"}, {"chandy-lamport", "pipelines"},
	} {
		c := combination(t, x.algorithm, heap.Name, workload(t, x.workload))
		c.Operations = []faults.Kind{faults.Rescale}
		r := runner(t, c)
		var up, down, alone, crashes int
		for _, seed := range simtest.Seeds(15) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			crashes += o.Result.Crashes + o.Result.CoordinatorCrashes
			ops := o.Plan.Operations()
			for i := range ops {
				switch f := &ops[i]; {
				case f.Operator != "":
					alone++
				case f.To > 2:
					up++
				case f.To < 2:
					down++
				}
			}
			if n := int(o.Result.Counts[trace.Rescaled]); n == 0 && len(o.NotStruck()) == 0 || n > len(ops) {
				t.Errorf("%s, seed %d: rescaled %d times; %s", x.algorithm, seed, n, o.Plan)
			}
		}
		if min(up, down, alone, crashes) == 0 && !simtest.SeedsGiven() {
			t.Errorf("%s, %s: %d up, %d down, %d alone, %d crashes", x.algorithm, x.workload, up, down, alone, crashes)
		}
	}
}
