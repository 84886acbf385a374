package scenario_test

import (
	"strings"
	"testing"

	"weir/external/sinks"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
)

// seen sums up what runs of a combination showed, and returns how many broke a promise.
func seen(t *testing.T, c scenario.Config, runs int) (again, takenBack int64, broken int) {
	t.Helper()
	r := runner(t, c)
	for _, seed := range simtest.Seeds(runs) {
		o := r.Run(seed)
		if o.Kind == scenario.Fine && !o.Whole() {
			continue // damage takes back more than the sink does
		}
		if again, takenBack = again+o.Report.RowsAgain, takenBack+o.Report.RowsTakenBack; o.Kind != scenario.Fine {
			broken++
		}
	}
	return again, takenBack, broken
}

// TestWeakerSinksAreSeen: what a sink does not promise happens, and with one that
// promises it does not, under the same seeds.
func TestWeakerSinksAreSeen(t *testing.T) {
	for _, name := range []string{"nexmark-q0", "pipelines", "keyedcount"} {
		c := combination(t, "aligned", heap.Name, workload(t, name))
		c.Sink = "append"
		again, back, broken := seen(t, c, 20)
		t.Logf("%s: %d rows again, %d taken back", name, again, back)
		if again == 0 || back == 0 || broken > 0 {
			t.Errorf("%s: aligned with append: %d rows again, %d taken back, %d runs broke a promise", name, again, back, broken)
		}
		c.Sink = "two-phase"
		if again, back, broken := seen(t, c, 20); again+back != 0 || broken > 0 {
			t.Errorf("%s: aligned with two-phase: %d rows again, %d taken back, %d runs broke a promise", name, again, back, broken)
		}
	}
	naive := combination(t, "unaligned", heap.Name, workload(t, "nexmark-q0"))
	naive.Sink = "committer"
	if _, _, broken := seen(t, naive, 20); broken > 0 {
		t.Errorf("unaligned with committer: %d of 20 runs broke a promise", broken)
	}
	naive.Mutant = sinks.MutantLateCommittables
	if _, _, broken := seen(t, naive, 20); broken < 10 {
		t.Errorf("unaligned with the naive committer: rows are lost in %d of 20 runs only", broken)
	}
	naive.Algorithm = combination(t, "aligned", heap.Name, naive.Workload).Algorithm
	if _, _, broken := seen(t, naive, 20); broken > 0 {
		t.Errorf("aligned with the naive committer: %d of 20 runs broke a promise: no barrier overtakes", broken)
	}
}

// TestSinkRefused: a sink that cannot be served is refused before the run, with
// the reason and what would do.
func TestSinkRefused(t *testing.T) {
	for _, x := range [][3]string{
		{"none", "two-phase", "none cannot run this: it cannot serve the sink two-phase: without snapshots no row would ever be committed; it can serve append"},
		{"at-least-once", "committer", "the sink committer can be served by aligned"},
		{"aligned", "no-such-sink", "known: append"},
	} {
		c := combination(t, x[0], heap.Name, workload(t, "keyedcount"))
		c.Sink = x[1]
		if _, err := scenario.New(c); err == nil || !strings.Contains(err.Error(), x[2]) {
			t.Errorf("%s with %s: %v", x[0], x[1], err)
		}
	}
}
