package scenario

import (
	"testing"

	"weir/algorithms/aligned"
	"weir/faults"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// TestMarks: what a run does is marked once, whatever happened how often, with
// whether the faults of its plan struck; names are told apart.
func TestMarks(t *testing.T) {
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	cfg := Config{Algorithm: aligned.Spec(), State: "heap", Workload: w, Faults: PlannedFaults}
	if cfg.Plan, err = faults.Parse("(plan (crash worker=1 at (nth 2 completed)) (crash worker=0 at (nth 1000000 completed)) (stall sink for 1ms at (nth 1 triggered)))"); err != nil {
		t.Fatal(err)
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var m, sum Marks
	r.Observers = []trace.Observer{&m}
	for n := range uint64(3) {
		m.End(r.Run(n + 1))
	}
	sum.Add(&m)
	sum.Add(&m)
	got := map[string]int64{}
	for _, mark := range sum.List() {
		if _, twice := got[mark.Name]; twice {
			t.Errorf("two marks are called %q", mark.Name)
		}
		got[mark.Name] = mark.Runs
	}
	for name, want := range map[string]int64{
		"completed": 6, "worker-crashed": 6, "worker-crashed after completed": 6, "worker-crashed after triggered": 0, "coordinator-crashed": 0,
		"fault crash worker": 6, "fault crash worker changed nothing": 6, "fault stall sink": 6, "fault stall sink changed nothing": 0, "store-done put: ok": 6, "ext-done commit: ok": 6,
	} {
		if runs, there := got[name]; runs != want || !there {
			t.Errorf("%s: %d runs, want %d", name, runs, want)
		}
	}
}
