package scenario_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// TestResumedInAPlan: under every algorithm a job ends with a savepoint, and another one begins from that: under
// another algorithm, on another backend, with another parallelism, both under crashes. NEXMark's answer is the
// golden one.
func TestResumedInAPlan(t *testing.T) {
	golden := goldenOf(t)
	all := catalog.All()
	resumed, crashes := 0, 0
	for i, a := range all {
		if a.Properties().Snapshots == dataflow.NoSnapshots || a.Name == "aligned-cyclic" {
			continue
		}
		name := []string{"nexmark-q5", "nexmark-q8"}[i%2]
		if !fits(t, a, name) {
			name = "keyedcount"
		}
		w, err := workloadcatalog.New(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "keyedcount" {
			w.Small()
		}
		c := combination(t, a.Name, heap.Name, w)
		for k := range 2 {
			b := all[(i+1+4*k)%len(all)]
			if b.Properties().Snapshots == dataflow.NoSnapshots || !fits(t, b, name) {
				b = a
			}
			c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, fmt.Sprintf(
				"(plan (crash worker=0 at (nth 5 acked)) (stop-with-savepoint at (nth 30 emitted)) (resume algorithm=%s state=%s to=%d) (crash worker=1 at (nth 4 task-restored)) (crash coordinator at (nth 9 snapshot-stored)))",
				b.Name, []string{"pebble", "heap"}[k], []int{3, 1}[k]))
			r, err := scenario.New(c)
			var refused *dataflow.Refusal
			if err != nil {
				if !errors.As(err, &refused) && !strings.Contains(err.Error(), "sink") {
					t.Errorf("%s as %s: %v", a.Name, b.Name, err)
				}
				continue
			}
			for _, seed := range simtest.Seeds(3) {
				o := r.Run(seed)
				simtest.Fine(t, o)
				resumed, crashes = resumed+o.Result.Resumed, crashes+o.Report.Crashes
				if want := golden[name]; want != "" && o.Whole() && o.Digest() != want {
					t.Errorf("%s as %s, %s, seed %d: digest %s, golden %s", a.Name, b.Name, name, seed, o.Digest(), want)
				}
			}
			r.Close()
		}
	}
	t.Logf("%d resumed, %d crashes", resumed, crashes)
	if min(resumed, crashes) < 20 && !simtest.SeedsGiven() {
		t.Errorf("%d resumed, %d crashes", resumed, crashes)
	}
}

// TestDrawnResumes: what begins where a job ends is drawn, beside faults in both.
func TestDrawnResumes(t *testing.T) {
	for _, x := range []struct{ algorithm, state, workload string }{
		{"aligned", "heap", "keyedcount"}, {"unaligned", "heap", "nexmark-q8"}, {"uncoordinated", "pebble", "sessions"}, {"stop-the-world", "heap", "enrichment"},
	} {
		c := combination(t, x.algorithm, x.state, workload(t, x.workload))
		c.Operations = []faults.Kind{faults.Resume}
		r := runner(t, c)
		resumed := 0
		for _, seed := range simtest.Seeds(15) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			resumed += o.Result.Resumed
		}
		t.Logf("%s, %s, %s: %d resumed", x.algorithm, x.state, x.workload, resumed)
		if resumed == 0 && !simtest.SeedsGiven() {
			t.Errorf("%s: none of the jobs was resumed", x.algorithm)
		}
	}
}

// TestResumedAgain: a run of two jobs whose decisions were kept is the same again.
func TestResumedAgain(t *testing.T) {
	c := combination(t, "unaligned", heap.Name, workload(t, "keyedcount"))
	c.Operations, c.Record = []faults.Kind{faults.Resume}, true
	r, other := runner(t, c), runner(t, c)
	resumed := 0
	for _, seed := range simtest.Seeds(10) {
		o := r.Run(seed)
		d := *o.Drawn()
		again := other.Replay(seed, &d)
		if o.Result.Hash != again.Result.Hash || o.Result.Resumed != again.Result.Resumed {
			t.Errorf("seed %d: hash %016x, again %016x", seed, o.Result.Hash, again.Result.Hash)
		}
		resumed += o.Result.Resumed
	}
	if resumed == 0 {
		t.Error("none was resumed")
	}
}

// TestMistakesSeenByTheNextJob: a savepoint that is wrong is told by the job that begins from it or that it is taken of, and what
// is without the mistake is clean.
func TestMistakesSeenByTheNextJob(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(plan (stop-with-savepoint at (nth 9 emitted)) (resume to=3))")
	clean := runner(t, c)
	c.Mutant = coordinator.MutantSavepointNotDrained
	wrong := runner(t, c)
	told := 0
	for _, seed := range simtest.Seeds(20) {
		simtest.Fine(t, clean.Run(seed))
		if o := wrong.Run(seed); o.Report.Counts[check.Savepoints]+o.Report.Counts[check.Output] > 0 {
			told++
		}
	}
	if told == 0 {
		t.Error("nobody has told")
	}
}

// TestNotResumed: what cannot be is refused before the run, with the step.
func TestNotResumed(t *testing.T) {
	for _, x := range []struct{ algorithm, plan, want string }{
		{"aligned", "(plan (resume to=3))", "has to stand in front of it"},
		{"aligned", "(plan (stop-with-savepoint) (resume) (resume))", "a second resume"},
		{"aligned", "(plan (stop-with-savepoint) (resume algorithm=no-such))", "no-such"},
		{"aligned", "(plan (stop-with-savepoint) (resume state=no-such))", "no-such"},
		{"aligned", "(plan (stop-with-savepoint) (resume to=17))", "17"},
		{"aligned", "(plan (stop-with-savepoint) (resume algorithm=none))", "no snapshots"},
		{"aligned", "(plan (stop-with-savepoint) (resume algorithm=uncoordinated) (rescale to=3))", "message logs"},
		{"aligned", "(plan (stop-with-savepoint) (resume) (crash worker=9))", "workers 0 to"},
	} {
		c := combination(t, x.algorithm, heap.Name, workload(t, "keyedcount"))
		var err error
		if c.Plan, err = faults.Parse(x.plan); err == nil {
			c.Faults = scenario.PlannedFaults
			var r *scenario.Runner
			if r, err = scenario.New(c); err == nil {
				r.Close()
			}
		}
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.plan, err, x.want)
		}
	}
	for _, text := range []string{"(resume at (time 3ms))", "(plan (stop-with-savepoint) (resume to=0))", "(plan (stop-with-savepoint) (resume operator=count))"} {
		if _, err := faults.Parse(text); err == nil {
			t.Errorf("%s parses", text)
		}
	}
}

// TestEventsOfBothJobs: an observer sees the second job behind the first, and where it begins.
func TestEventsOfBothJobs(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(plan (stop-with-savepoint at (nth 9 emitted)) (resume to=3))")
	r := runner(t, c)
	w := &inOrder{t: t}
	r.Observers = []trace.Observer{w}
	o := r.Run(1)
	simtest.Fine(t, o)
	if o.Result.Resumed != 1 || w.begun != "(resume to=3)" || w.done != 1 || len(r.Tasks()) != 9 {
		t.Errorf("resumed %d times, %q, done %d times, %d tasks", o.Result.Resumed, w.begun, w.done, len(r.Tasks()))
	}
}

type inOrder struct {
	t     *testing.T
	at    int64
	begun string
	done  int
}

func (w *inOrder) Wants() trace.Mask { return trace.Everything }

func (w *inOrder) Observe(e *trace.Event) {
	if e.Time < w.at {
		w.t.Errorf("%s at %d comes behind %d", e.Kind, e.Time, w.at)
	}
	w.at = e.Time
	switch e.Kind {
	case trace.Rescaled:
		w.begun = e.Text
	case trace.JobDone:
		w.done++
	default:
	}
}
