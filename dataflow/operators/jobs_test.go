package operators_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/external/sinks"
	"weir/id"
	"weir/workloads"
	"weir/workloads/catalog"
)

func appendSink() dataflow.Operator   { return &sinks.Append{} }
func twoPhaseSink() dataflow.Operator { return &sinks.TwoPhase{} }

func bothSinks() map[string]func() dataflow.Operator {
	return map[string]func() dataflow.Operator{"append": appendSink, "two-phase": twoPhaseSink}
}

func newWorkload(t testing.TB, name string, settings ...string) workloads.Workload {
	t.Helper()
	w, err := catalog.New(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		k, v, _ := strings.Cut(s, "=")
		if err := w.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func graph(t testing.TB, w workloads.Workload, p int, sink func() dataflow.Operator) *dataflow.Graph {
	t.Helper()
	g, err := w.Graph(p, sink)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// compare checks committed rows against the reference.
func compare(t *testing.T, w workloads.Workload, rows [][]byte) {
	t.Helper()
	got, err := w.Canonical(rows)
	if err != nil {
		t.Error(err)
	}
	want, err := w.Reference()
	if err != nil {
		t.Fatal(err)
	}
	if workloads.Digest(got) != workloads.Digest(want) {
		for i := range min(len(got), len(want)) {
			if string(got[i]) != string(want[i]) {
				t.Fatalf("row %d of %d is %s, want (of %d) %s", i, len(got), got[i], len(want), want[i])
			}
		}
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
}

func TestJobsGiveTheReferenceAnswer(t *testing.T) {
	for _, name := range catalog.Names() {
		for p := 1; p <= 3; p++ {
			for sinkName, sink := range bothSinks() {
				t.Run(fmt.Sprintf("%s/p=%d/%s", name, p, sinkName), func(t *testing.T) {
					w := newWorkload(t, name)
					w.Small()
					d := newDriver(t, graph(t, w, p, sink))
					d.failEvery = 3
					d.start(0, false)
					rows := d.finish()
					if len(rows) == 0 {
						t.Error("no rows: the test shows nothing")
					}
					compare(t, w, rows)
				})
			}
		}
	}
}

// TestJobsGiveTheGoldenDigests compares with results made by other software.
func TestJobsGiveTheGoldenDigests(t *testing.T) {
	compared := 0
	for _, set := range []string{"dev1k", "devmix", "devooo"} {
		var m struct {
			Settings map[string]json.RawMessage
			Results  map[string]struct{ SHA256 string }
		}
		b, err := os.ReadFile(filepath.Join("..", "..", "workloads", "nexmark", "testdata", set+".manifest.json"))
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		for result, windows := range map[string][2]string{
			"q0": {"10", "5"}, "q1": {"10", "5"}, "q5.w10p5": {"10", "5"}, "q5.w10p2": {"10", "2"},
			"q5.w2p1": {"2", "1"}, "q8.w10": {"10", "5"}, "q8.w2": {"2", "1"},
		} {
			want, ok := m.Results[result]
			if !ok {
				continue
			}
			query, _, _ := strings.Cut(result, ".")
			for p := 1; p <= 3; p++ {
				compared++
				t.Run(fmt.Sprintf("%s/%s/p=%d", set, result, p), func(t *testing.T) {
					w := newWorkload(t, "nexmark-"+query)
					for _, name := range slices.Sorted(maps.Keys(m.Settings)) {
						if err := w.Set(name, strings.Trim(string(m.Settings[name]), `"`)); err != nil {
							t.Fatal(err)
						}
					}
					for i, name := range []string{"windowSizeSec", "windowPeriodSec"} {
						if err := w.Set(name, windows[i]); err != nil {
							t.Fatal(err)
						}
					}
					d := newDriver(t, graph(t, w, p, appendSink))
					d.start(0, false)
					rows, err := w.Canonical(d.finish())
					if err != nil || workloads.Digest(rows) != want.SHA256 {
						t.Errorf("%d rows with digest %s (%v), want %s", len(rows), workloads.Digest(rows), err, want.SHA256)
					}
				})
			}
		}
	}
	if compared != 18*3 {
		t.Errorf("%d results compared, want %d", compared, 18*3)
	}
}

// TestJobsRestoredInTheMiddle stops every job at several offsets, restores all
// tasks from snapshots, and works on after the snapshot in vain once: what was
// not committed must be aborted.
func TestJobsRestoredInTheMiddle(t *testing.T) {
	for _, name := range catalog.Names() {
		for p := 1; p <= 3; p++ {
			for _, stable := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/p=%d/stable=%v", name, p, stable), func(t *testing.T) {
					w := newWorkload(t, name)
					w.Small()
					d := newDriver(t, graph(t, w, p, twoPhaseSink))
					d.failEvery = 4
					d.start(0, false)
					for k, o := range []id.Offset{13, 40, 77, 80} {
						d.runTo(o)
						e := id.MakeEpoch(d.attempt, uint32(k+1))
						d.snapshot(e)
						if k%2 == 0 {
							d.commit(e)
						}
						before := len(d.rows())
						d.runTo(o + 20) // lost
						d.snapshot(e + 1)
						if len(d.rows()) != before {
							t.Fatal("rows are visible that nobody committed")
						}
						d.start(e, stable)
					}
					compare(t, w, d.finish())
				})
			}
		}
	}
}

// TestForgottenStateShows makes sure that the test above can fail.
func TestForgottenStateShows(t *testing.T) {
	for _, name := range []string{"nexmark-q5", "nexmark-q8"} {
		noticed := 0
		for _, o := range []id.Offset{20, 45, 60, 77, 100} {
			w := newWorkload(t, name)
			w.Small()
			d := newDriver(t, graph(t, w, 2, twoPhaseSink))
			d.job.Config.Mutant = dataflow.MutantForgetTimers
			d.start(0, false)
			d.runTo(o)
			d.snapshot(id.MakeEpoch(1, 1))
			d.start(id.MakeEpoch(1, 1), true)
			got, err := w.Canonical(d.finish())
			want, refErr := w.Reference()
			if err != nil || refErr != nil {
				t.Fatal(err, refErr)
			}
			if workloads.Digest(got) != workloads.Digest(want) {
				noticed++
			}
		}
		if noticed == 0 {
			t.Errorf("%s: forgotten timers go unnoticed", name)
		}
	}
}

// TestWindowStateIsDropped: after the end no window, list or timer is left.
func TestWindowStateIsDropped(t *testing.T) {
	for _, name := range []string{"nexmark-q5", "nexmark-q8"} {
		w := newWorkload(t, name)
		w.Small()
		d := newDriver(t, graph(t, w, 2, appendSink))
		d.start(0, false)
		d.finish()
		for i, task := range d.tasks {
			if task.State().Sum() != 0 {
				t.Errorf("%s: %s[%d] keeps state after the last window", name, d.infos[i].Name, d.infos[i].Index)
			}
		}
	}
}

func TestKeyedCountSettings(t *testing.T) {
	for _, settings := range [][]string{
		{"emitEvery=0"}, {"emitEvery=7"}, {"emitEvery=1000"}, {"distribution=zipf", "exponent=1.2"},
		{"valueSize=100", "recordBytes=80"}, {"seed=9", "keys=1"}, {"numEvents=0"}, {"numEvents=1"}, {"keys=5000", "valueSize=17"},
	} {
		t.Run(strings.Join(settings, ","), func(t *testing.T) {
			w := newWorkload(t, "keyedcount")
			w.Small()
			for _, s := range settings {
				k, v, _ := strings.Cut(s, "=")
				if err := w.Set(k, v); err != nil {
					t.Fatal(err)
				}
			}
			d := newDriver(t, graph(t, w, 2, twoPhaseSink))
			d.start(0, false)
			d.runTo(50)
			d.snapshot(id.MakeEpoch(1, 1))
			d.start(id.MakeEpoch(1, 1), true)
			compare(t, w, d.finish())
		})
	}
}

// TestAbandonedSnapshotKeepsItsTransaction: the transaction of a snapshot that
// was given up is committed with the next one, though its pre-commit fails first.
func TestAbandonedSnapshotKeepsItsTransaction(t *testing.T) {
	w := newWorkload(t, "keyedcount")
	w.Small()
	d := newDriver(t, graph(t, w, 2, twoPhaseSink))
	d.start(0, false)
	d.runTo(60)
	d.failEvery = 1 // no pre-commit arrives; every second would, but not the first
	for i := range d.tasks {
		d.protos[i].kernel.Begin(id.MakeEpoch(1, 1), 0).Seal()
		d.protos[i].kernel.Abandon(id.MakeEpoch(1, 1))
	}
	d.failEvery = 0
	compare(t, w, d.finish())
}
