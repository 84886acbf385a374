package scenario

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

var fitPace = flag.Bool("fit-pace", false, "make pace.txt from calm runs of every combination")

const fitRuns = 21 // of each combination

const paceHeader = `# What half of the calm runs of a combination need, in microseconds of virtual time:
# algorithm, state, workload, the longest time between two checkpoints less the
# interval, and from start to end. Made by
#	go test ./scenario -run TestPaceTable -fit-pace
`

// calmRunner returns a runner that draws everything but faults.
func calmRunner(t *testing.T, algorithm, state, workload string, mutant dataflow.Mutant) *Runner {
	t.Helper()
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	r, err := New(Config{Algorithm: spec, State: state, Workload: w, Mutant: mutant})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// fit returns the medians over some calm runs, microseconds.
func fit(t *testing.T, algorithm, state, workload string, runs uint64) (slack, end int64) {
	r := calmRunner(t, algorithm, state, workload, "")
	r.calm = true
	var slacks, ends []int64
	for seed := uint64(1); seed <= runs; seed++ {
		o := r.Run(seed)
		if o.Kind > NoProgress || !o.Report.Safe() {
			t.Fatalf("%s/%s/%s, seed %d: %s: %s", algorithm, state, workload, seed, o.Kind, o.Why())
		}
		slacks = append(slacks, max(0, o.Report.LongestGap-int64(r.job.Config.Checkpoint.Interval)))
		ends = append(ends, o.Report.EndAfterFault)
	}
	slices.Sort(slacks)
	slices.Sort(ends)
	if r.cfg.Algorithm.Properties().Snapshots == dataflow.NoSnapshots {
		clear(slacks) // there is nothing to wait for
	}
	return slacks[runs/2] / 1000, ends[runs/2] / 1000
}

// refused reports that an algorithm cannot run a workload, by what it declares.
func refused(t *testing.T, algorithm, workload string) bool {
	t.Helper()
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Algorithm: spec, State: statecatalog.Names()[0], Workload: w})
	if err == nil {
		r.Close()
	}
	var no *dataflow.Refusal
	return errors.As(err, &no)
}

func TestPaceTable(t *testing.T) {
	if *fitPace {
		var b strings.Builder
		b.WriteString(paceHeader)
		for _, a := range catalog.Names() {
			for _, st := range statecatalog.Names() {
				for _, w := range workloadcatalog.Names() {
					if refused(t, a, w) {
						continue
					}
					slack, end := fit(t, a, st, w, fitRuns)
					fmt.Fprintf(&b, "%s %s %s %d %d\n", a, st, w, slack, end)
				}
			}
		}
		if err := os.WriteFile("pace.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	// A line that is far from what calm runs need, either way, is stale.
	for _, c := range [][3]string{{"aligned", "heap", "keyedcount"}, {"uncoordinated", "heap", "keyedcount"}} {
		p, known, err := paceOf(paceTable, c[0], c[1], c[2])
		if err != nil || !known {
			t.Fatalf("%v: known %v, %v", c, known, err)
		}
		slack, end := fit(t, c[0], c[1], c[2], fitRuns)
		if !near(1000*slack, p.slack) || !near(1000*end, p.end) {
			t.Errorf("%v: calm runs need %d and %d us, the table has %d and %d: fit it anew with -fit-pace", c, slack, end, p.slack/1000, p.end/1000)
		}
	}
}

// TestPaceTableIsWhole: each combination of the catalogs that can run has one
// line, and no line is of another.
func TestPaceTableIsWhole(t *testing.T) {
	var missing []string
	lines := 0
	for _, a := range catalog.Names() {
		for _, w := range workloadcatalog.Names() {
			no := refused(t, a, w)
			for _, st := range statecatalog.Names() {
				_, known, err := paceOf(paceTable, a, st, w)
				if err != nil {
					t.Fatal(err)
				}
				if known {
					lines++
				}
				if known == no {
					missing = append(missing, fmt.Sprintf("%s %s %s: refused %v, in the table %v", a, st, w, no, known))
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("fit it anew with -fit-pace:\n%s", strings.Join(missing, "\n"))
	}
	if n := strings.Count(paceTable, "\n") - strings.Count(paceHeader, "\n"); n != lines {
		t.Errorf("%d lines for %d combinations", n, lines)
	}
}

func near(a, b int64) bool { return a < 2*b && b < 2*a }

func TestPaceOf(t *testing.T) {
	const table = "# a comment\na heap w 7 100\nb heap w 9 50\n"
	if p, known, err := paceOf(table, "b", "heap", "w"); p != (pace{9_000, 50_000}) || !known || err != nil {
		t.Errorf("%v %v %v", p, known, err)
	}
	if p, known, err := paceOf(table, "new", "heap", "w"); p != (pace{9_000, 100_000}) || known || err != nil {
		t.Errorf("%v %v %v", p, known, err)
	}
	if _, _, err := paceOf("a heap w seven\n", "a", "heap", "w"); err == nil {
		t.Error("a damaged table passes")
	}
}

// TestASlowTwinAcquits: with bounds that nothing can meet every run is suspected,
// and none is found guilty, for its twin is no faster.
func TestASlowTwinAcquits(t *testing.T) {
	r := calmRunner(t, "aligned", "heap", "keyedcount", "")
	r.pace, r.paceKnown = pace{slack: -moreToCheckpoint, end: 1 - moreToEnd/2}, false
	r.cfg.Given = dataflow.Given{"checkpoint.timeout": "2s"} // else drawn by that pace
	whole := 0
	for seed := uint64(1); seed <= 20; seed++ {
		o := r.Run(seed)
		if o.Kind != Fine {
			t.Errorf("seed %d: %s: %s", seed, o.Kind, o.Why())
		}
		if o.Whole() {
			whole++
		}
	}
	if whole < 12 || 4*r.Twins < 3*whole {
		t.Errorf("%d of %d whole runs were suspected", r.Twins, whole)
	}
}

// TestCheckpointsThatStopAreFound: after a recovery no rounds are scheduled, and
// the job ends well all the same.
func TestCheckpointsThatStopAreFound(t *testing.T) {
	r := calmRunner(t, "aligned", "heap", "keyedcount", "first-attempt-only")
	for seed := uint64(1); seed <= 200; seed++ {
		if o := r.Run(seed); o.Kind == NoProgress && o.Report.Counts[check.Progress] > 0 && o.Result.Recoveries > 0 {
			t.Logf("caught at seed %d: %s; %d twins", seed, o.Why(), r.Twins)
			return
		}
	}
	t.Error("not caught in 200 runs")
}
