package scenario_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// goldenOf returns the digests of NEXMark's answers that other software computed.
func goldenOf(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../workloads/nexmark/testdata/dev1k.manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Results map[string]struct{ SHA256 string }
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"nexmark-q5": m.Results["q5.w10p5"].SHA256, "nexmark-q8": m.Results["q8.w10"].SHA256}
}

// TestGoldenDigestsWhileRescaled: NEXMark, 2 -> 3 -> 2 -> 5, with in-flight data in its
// checkpoints and crashes around every change, commits the golden results.
func TestGoldenDigestsWhileRescaled(t *testing.T) {
	for name, want := range goldenOf(t) {
		w, err := workloadcatalog.New(name)
		if err != nil {
			t.Fatal(err)
		}
		c := combination(t, "unaligned", heap.Name, w)
		draw := runner(t, c)
		c.Faults = scenario.PlannedFaults
		changes := mustParse(t, "(plan (rescale to=3 at (nth 2 completed)) (rescale to=2 at (nth 5 completed)) (rescale to=5 at (nth 8 completed)))").Faults
		c.Plan = faults.Plan{Faults: changes}
		r := runner(t, c)
		buffers, crashes := 0, 0
		for _, seed := range simtest.Seeds(20) {
			d := draw.Draw(seed)
			// Nothing that may end the job before its third change: that has tests of its own.
			d.Plan.Faults = append(slices.DeleteFunc(d.Plan.Faults, func(f faults.Fault) bool { return f.Damages() || f.Outcome == faults.Refused }), changes...)
			d.Settings.Job.Restart, d.Settings.Job.Checkpoint.OnCancel = dataflow.DefaultConfig().Restart, dataflow.RetainOnCancel
			o := r.Replay(seed, &d)
			simtest.Fine(t, o)
			if o.Whole() && o.Digest() != want || want == "" {
				t.Errorf("%s, seed %d: digest %s, golden %s", name, seed, o.Digest(), want)
			}
			if n := o.Result.Counts[trace.Rescaled]; n != 3 {
				t.Errorf("%s, seed %d: rescaled %d times; not struck: %v", name, seed, n, o.NotStruck())
			}
			buffers += o.Report.InputBuffers + o.Report.OutputBuffers
			crashes += o.Result.Crashes + o.Result.CoordinatorCrashes
		}
		t.Logf("%s: %d buffers restored, %d crashes", name, buffers, crashes)
		if buffers == 0 || crashes == 0 {
			t.Errorf("%s: %d buffers restored, %d crashes", name, buffers, crashes)
		}
	}
}
