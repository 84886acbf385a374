package scenario_test

import (
	"strings"
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/simtest"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/trace"
)

// changelog is a combination that logs changes, under drawn faults.
func changelog(t testing.TB, algorithm, backend, job, segment string) scenario.Config {
	t.Helper()
	c := combination(t, algorithm, backend, workload(t, job))
	c.Given = dataflow.Given{}
	for _, pair := range [][2]string{{"checkpoint.changelog", "true"}, {"checkpoint.changelog-segment", segment}} {
		if err := c.Given.Put(pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// written counts the files of tasks that a job writes: segments of logs, between snapshots and at
// them, and those of materialisations.
type written struct{ segments, materialised, other int }

func (*written) Wants() trace.Mask { return trace.Mask(0).With(trace.StoreApplied) }

func (w *written) Observe(e *trace.Event) {
	_, name, _ := strings.Cut(e.Key, "-")
	switch {
	case e.Op != trace.Put || !strings.HasPrefix(e.Key, "files/"):
	case strings.HasPrefix(name, "c"):
		w.segments++
	case strings.HasPrefix(name, "m"):
		w.materialised++
	default:
		w.other++
	}
}

// calmly makes a few calm runs.
func calmly(t *testing.T, c scenario.Config) (w written) {
	t.Helper()
	c.Faults = scenario.NoFaults
	r := runner(t, c)
	r.Observers = []trace.Observer{&w}
	for seed := range uint64(5) {
		simtest.Fine(t, r.Run(seed))
	}
	return w
}

// effectOfChangelog: changes are written in segments, and without the setting files are as the backend
// makes them.
func effectOfChangelog(t *testing.T) {
	c := changelog(t, "aligned", pebblestate.NameIncremental, "keyedcount", "200")
	if w := calmly(t, c); w.segments == 0 || w.materialised == 0 || w.other > 0 {
		t.Errorf("%+v", w)
	}
	c.Given = nil
	if w := calmly(t, c); w.segments > 0 || w.materialised > 0 || w.other == 0 {
		t.Errorf("without the setting %+v", w)
	}
}

// effectOfChangelogSegment: smaller ones are more.
func effectOfChangelogSegment(t *testing.T) {
	small := calmly(t, changelog(t, "aligned", heap.Name, "keyedcount", "100"))
	large := calmly(t, changelog(t, "aligned", heap.Name, "keyedcount", "100000"))
	if small.segments <= large.segments || large.segments == 0 {
		t.Errorf("%d segments of a hundred bytes, %d of a hundred thousand", small.segments, large.segments)
	}
}

// TestChangelog: what is restored from a materialisation and the log since is what was, and what
// nothing needs of the log is deleted, under every algorithm with rounds, backend and drawn faults.
func TestChangelog(t *testing.T) {
	for _, algorithm := range []string{"aligned", "unaligned", "unaligned-timeout", "at-least-once"} {
		for _, backend := range statecatalog.Names() {
			for _, job := range []string{"keyedcount", "nexmark-q5", "spending"} {
				r := runner(t, changelog(t, algorithm, backend, job, "200"))
				for seed := range uint64(12) {
					simtest.Fine(t, r.Run(seed))
				}
			}
		}
	}
}

// TestChangelogRepeats: a run with a log is its seed's, as any other.
func TestChangelogRepeats(t *testing.T) {
	for _, backend := range statecatalog.Names() {
		c := changelog(t, "aligned", backend, "nexmark-q5", "200")
		a, b := runner(t, c), runner(t, c)
		for seed := range uint64(6) {
			if x, y := a.Run(seed).Result, b.Run(seed).Result; x.Hash != y.Hash {
				t.Errorf("%s, seed %d: hash %x and %x", backend, seed, x.Hash, y.Hash)
			}
		}
	}
}

// TestBrokenChangelogs: each mistake is found, by the oracle that must tell, and by no run without it.
func TestBrokenChangelogs(t *testing.T) {
	for _, x := range []struct {
		mutant dataflow.Mutant
		job    string
		oracle check.Oracle
	}{
		{dataflow.MutantChangelogGap, "keyedcount", check.Restore},
		{dataflow.MutantChangelogLate, "keyedcount", check.Restore},
		{dataflow.MutantChangelogForgets, "keyedcount", check.StorageWhole},
		{dataflow.MutantChangelogGroup, "nexmark-q5", check.Restore},
	} {
		t.Run(string(x.mutant), func(t *testing.T) {
			c := changelog(t, "aligned", heap.Name, x.job, "200")
			clean := runner(t, c)
			c.Mutant = x.mutant
			wrong := runner(t, c)
			const most = 300
			for seed := uint64(1); seed <= most; seed++ {
				if o := clean.Run(seed); o.Kind != scenario.Fine {
					t.Fatalf("seed %d without the mistake: %s", seed, o.Why())
				}
				if o := wrong.Run(seed); o.Report.Counts[x.oracle] > 0 {
					t.Logf("%s has told after %d runs: %s", x.oracle, seed, o.Why())
					return
				}
			}
			t.Errorf("%s has not told in %d runs", x.oracle, most)
		})
	}
}
