package scenario

import (
	"errors"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/rounds"
	"weir/check"
	"weir/dataflow"
	"weir/sim"
	workloadcatalog "weir/workloads/catalog"
)

// twinsOf returns the longest gap and the latest end of the calm twins of a run,
// which was judged and is gone on with in the same runner.
func twinsOf(t *testing.T, r *Runner, o *Outcome) (gap, end int64) {
	t.Helper()
	for k := range uint64(twinsAsked) {
		twin := r.twin.Replay(o.Seed+k*twinStride, &Drawn{Settings: patient(o.drawn.Settings), Splits: o.Splits})
		if twin.Report == nil {
			t.Fatal(twin.Err)
		}
		gap, end = max(gap, twin.Report.LongestGap), max(end, twin.Report.EndAfterFault)
	}
	return gap, end
}

// TestAcquit plants delays into the report of a run with drawn faults: what is
// within the bounds of its twins is taken back, and a nanosecond more is not.
func TestAcquit(t *testing.T) {
	r := calmRunner(t, "aligned", "heap", "keyedcount", "")
	o := r.Run(3)
	if o.Kind != Fine || !o.Struck() {
		t.Fatalf("%s: %s; struck: %v", o.Kind, o.Why(), o.Struck())
	}
	acquitted := func(gap, end int64) bool {
		t.Helper()
		o.Report.Counts[check.Progress] = 1
		o.Report.LongestGap, o.Report.EndAfterFault = gap, end
		r.Twins = 0
		if err := r.acquit(o); err != nil {
			t.Fatal(err)
		}
		guilty := o.Report.Counts[check.Progress] > 0
		if guilty && r.Twins != twinsAsked {
			t.Errorf("condemned by %d twins", r.Twins)
		}
		return !guilty
	}
	acquitted(0, 0) // makes the twin
	gap, end := twinsOf(t, r, o)
	mostGap, mostEnd := 2*gap+moreToCheckpoint, 2*end+moreToEnd
	for _, c := range []struct {
		name     string
		gap, end int64
		acquit   bool
	}{
		{"no slower than the twins", mostGap, mostEnd, true},
		{"checkpoints that are too far apart", mostGap + 1, mostEnd, false},
		{"an end that is too late", mostGap, mostEnd + 1, false},
	} {
		if got := acquitted(c.gap, c.end); got != c.acquit {
			t.Errorf("%s: acquitted %v, want %v", c.name, got, c.acquit)
		}
	}

	// Rounds that took too long excuse a gap, where the calm run's own nearly would.
	for _, c := range []struct {
		timeouts int
		timeout  int64
		acquit   bool
	}{{1, 2*gap - 1, true}, {1, 2 * gap, false}, {0, 2*gap - 1, false}} {
		o.Report.GapTimeouts, o.drawn.Settings.Job.Checkpoint.Timeout = c.timeouts, dataflow.Nanos(c.timeout)
		if got := acquitted(mostGap+1, mostEnd); got != c.acquit {
			t.Errorf("%+v: acquitted %v", c, got)
		}
	}

	// Half of the calm runs are said to be 20 times as fast as this one's slowest twin.
	r.pace.slack = gap/20 - int64(o.drawn.Settings.Job.Checkpoint.Interval)
	believed := 2*slowestCalm*(gap/20) + moreToCheckpoint
	if believed >= mostGap || acquitted(believed+1, 0) || !acquitted(believed, 0) {
		t.Errorf("a twin that is far slower than calm runs are is an excuse up to %d, want %d", mostGap, believed)
	}
}

// TestGivingUpOverRoundsThatAreSlowAnyhow: behind a recovery the second reminder is in the middle of all
// that falls due at the end, which takes a calm run 99 ms, and rounds may take 92. No attempt
// gets there before two of them are given up. The same is no excuse where the timeout is twice
// that, nor where something else was the last to fail.
func TestGivingUpOverRoundsThatAreSlowAnyhow(t *testing.T) {
	spec, err := catalog.Lookup("unaligned")
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New("reminders")
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Algorithm: spec, State: "heap", Sink: "two-phase", Workload: w, Parallelism: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	o := r.Run(58)
	if o.Kind != Fine || !o.GaveUp() || o.Report.EndTimeouts == 0 {
		t.Fatalf("%s: %s; gave up: %v over %d rounds", o.Kind, o.Why(), o.GaveUp(), o.Report.EndTimeouts)
	}
	gap, _ := twinsOf(t, r, o)
	gap = r.believed(gap)
	for _, c := range []struct {
		timeouts int
		timeout  int64
		acquit   bool
	}{{1, 2*gap - 1, true}, {1, 2 * gap, false}, {0, 2*gap - 1, false}} {
		o.Report.Counts[check.Progress], o.hasty = 1, false
		o.Report.EndTimeouts, o.drawn.Settings.Job.Checkpoint.Timeout = c.timeouts, dataflow.Nanos(c.timeout)
		if err := r.acquit(o); err != nil {
			t.Fatal(err)
		}
		o.classify()
		if got := o.Kind == Fine && o.GaveUp(); got != c.acquit {
			t.Errorf("%+v: acquitted %v: %s", c, got, o.Kind)
		}
	}
}

// TestGoingOnForEverOverRoundsThatAreSlowAnyhow: the same where the restart strategy never gives up: the
// run comes to its limit, 3,822 recoveries later.
func TestGoingOnForEverOverRoundsThatAreSlowAnyhow(t *testing.T) {
	spec, err := catalog.Lookup("unaligned")
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New("reminders")
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Algorithm: spec, State: "heap", Sink: "append", Workload: w, Parallelism: 1, Workers: 3, Splits: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	o := r.Run(6734)
	if o.Result.Verdict != sim.NoProgress || o.Kind != Fine || !o.GaveUp() || o.Report.EndTimeouts < 1000 {
		t.Fatalf("%s: %s; gave up: %v over %d rounds", o.Kind, o.Why(), o.GaveUp(), o.Report.EndTimeouts)
	}
	for _, timeouts := range []int{1, 0} {
		o.Report.Counts[check.Progress], o.hasty = 1, false
		o.Report.EndTimeouts = timeouts
		if err := r.acquit(o); err != nil {
			t.Fatal(err)
		}
		if o.classify(); o.GaveUp() != (timeouts > 0) || (o.Kind == NoProgress) != (timeouts == 0) {
			t.Errorf("%d rounds: %s", timeouts, o.Kind)
		}
	}
}

// TestAnEndedRunIsCondemned: after a recovery no rounds are scheduled, and the job,
// which is long, ends well all the same. All twins of the run are asked, in vain;
// without the mistake some of the same runs ask twins too, and none is condemned.
func TestAnEndedRunIsCondemned(t *testing.T) {
	spec, err := catalog.Lookup("aligned")
	if err != nil {
		t.Fatal(err)
	}
	for _, mutant := range []dataflow.Mutant{"", rounds.MutantFirstAttemptOnly} {
		w, err := workloadcatalog.New("keyedcount")
		if err != nil {
			t.Fatal(err)
		}
		r, err := New(Config{Algorithm: spec, State: "heap", Workload: w, Mutant: mutant})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		condemned := 0
		for seed := uint64(1); seed <= 8; seed++ {
			before := r.Twins
			if o := r.Run(seed); o.Kind == NoProgress && o.Result.Verdict == sim.Done && r.Twins == before+twinsAsked {
				condemned++
			} else if o.Kind != Fine {
				t.Errorf("%q, seed %d: %s: %s", mutant, seed, o.Kind, o.Why())
			}
		}
		if guilty := mutant != ""; guilty != (condemned > 0) || r.Twins == 0 {
			t.Errorf("%q: %d of 8 runs were condemned, %d twins were asked", mutant, condemned, r.Twins)
		}
	}
}

// TestHopeless: a job that restarts for ever is excused where its strategy has no end, and only if all
// that it fails of is what faults have destroyed.
func TestHopeless(t *testing.T) {
	lost, other := errors.New("output is lost: transaction 1.1 of t4"), errors.New("output is lost: transaction 1.10 of t4")
	for _, x := range []struct {
		strategy dataflow.RestartStrategy
		verdict  sim.Verdict
		fails    []error
		excused  bool
	}{
		{dataflow.RestartExponential, sim.NoProgress, []error{lost}, true},
		{dataflow.RestartFailureRate, sim.NoProgress, []error{lost, lost}, true},
		{dataflow.RestartFixedDelay, sim.NoProgress, []error{lost}, false},
		{dataflow.RestartProgress, sim.NoProgress, []error{lost}, false},
		{dataflow.RestartExponential, sim.NoProgress, []error{other}, false},
		{dataflow.RestartExponential, sim.NoProgress, []error{lost, other}, false},
		{dataflow.RestartExponential, sim.NoProgress, nil, false},
		{dataflow.RestartExponential, sim.Done, []error{lost}, false},
	} {
		o := Outcome{Config: &Config{}, Report: &check.Report{}, Result: sim.Result{Verdict: x.verdict, Recurring: x.fails, Destroyed: []string{"files/t0/1.1-0", "transaction 1.1 of t4"}, Err: errors.New("a livelock")}}
		o.drawn.Settings.Job.Restart.Strategy = x.strategy
		o.Report.Counts[check.Progress] = 1
		if o.classify(); (o.Kind == Fine) != x.excused || o.GaveUp() != x.excused {
			t.Errorf("%+v: %s, gave up: %v", x, o.Kind, o.GaveUp())
		}
	}
}
