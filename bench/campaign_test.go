package bench_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/bench"
	"weir/dataflow"
	"weir/internal/bench/job"
	"weir/results"
)

// tiny is a campaign of two cells and a twin over a finite input.
func tiny(t *testing.T) *bench.Campaign {
	t.Helper()
	dir := t.TempDir()
	g := bench.Grid{
		Algorithms: []string{"none", "aligned"}, States: []string{"heap"}, Workloads: []string{"keyedcount"}, Interval: 10 * time.Millisecond,
		Parallelism: 2, Events: 20_000, Twin: true,
	}
	return &bench.Campaign{
		Plan:    bench.Plan{Cells: g.Cells(), Repetitions: 2, Quick: true, Seed: 1, Events: g.Events},
		Results: filepath.Join(dir, "campaign"), Dir: filepath.Join(dir, "work"), Tuning: job.DefaultTuning(),
	}
}

func read(t *testing.T, c *bench.Campaign) *results.Results {
	t.Helper()
	r, err := results.Read(c.Results)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCampaign(t *testing.T) {
	c := tiny(t)
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := read(t, c)
	if len(r.Samples) != 6 || r.Manifest.Finished == nil || len(r.Manifest.Validity.AA) == 0 {
		t.Errorf("%d samples, finished %v, validity %+v", len(r.Samples), r.Manifest.Finished, r.Manifest.Validity)
	}
	for _, s := range r.Samples {
		if s.Output != results.OutputExact || s.OutputDigest != r.Samples[0].OutputDigest || s.CalibrationMS <= 0 {
			t.Errorf("%s: output %s %s, calibration %v", s.Cell.Key(), s.Output, s.OutputDigest, s.CalibrationMS)
		}
	}
	e := r.Manifest.Environment
	if e.GoVersion == "" || e.Cores == 0 || e.Disk.FsyncP50MS <= 0 || e.Disk.WriteBytesPerSecond <= 0 {
		t.Errorf("environment %+v", e)
	}
	if left, err := os.ReadDir(c.Dir); err == nil {
		t.Errorf("the jobs left %v behind", left)
	}
}

func TestInterruptedCampaignGoesOn(t *testing.T) {
	c := tiny(t)
	c.Tuning.BatchRecords, c.Tuning.BatchTimeout, c.Tuning.Transfers = 64, 250*time.Microsecond, 3
	c.Plan.Given = dataflow.Given{"checkpoint.retain": "3", "restart.strategy": "fixed-delay", "restart.fixed-delay.delay": "5ms"}
	ctx, cancel := context.WithCancel(t.Context())
	c.Progress = func(done, _ int, _ time.Duration, _ string) {
		if done == 3 {
			cancel()
		}
	}
	if err := c.Run(ctx); !errors.Is(err, job.ErrInterrupted) {
		t.Fatalf("error %v", err)
	}
	r := read(t, c)
	if len(r.Samples) != 3 || r.Manifest.Finished != nil {
		t.Fatalf("%d samples were kept, finished %v", len(r.Samples), r.Manifest.Finished)
	}
	if s := r.Manifest.Environment.Settings; s["checkpoint.retain"] != "3" || s["checkpoint.timeout"] != "10m0s" || s["restart.strategy"] != "fixed-delay" {
		t.Errorf("the manifest has the settings %v", s)
	}
	again, err := bench.Resume(c.Results)
	if err != nil {
		t.Fatal(err)
	}
	if again.Tuning != c.Tuning || again.Dir != c.Dir || again.Plan.Events != c.Plan.Events || !maps.Equal(again.Plan.Given, c.Plan.Given) {
		t.Errorf("it goes on with %+v", again)
	}
	if err := again.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := read(t, c); len(r.Samples) != 6 || r.Manifest.Finished == nil {
		t.Errorf("%d samples after going on, finished %v", len(r.Samples), r.Manifest.Finished)
	}
}

func TestDiskThatFillsUp(t *testing.T) {
	c := tiny(t)
	c.RunBytes = 200 << 10
	err := c.Run(t.Context())
	if !errors.Is(err, bench.ErrNoRoom) || !strings.Contains(err.Error(), "--resume") || !strings.Contains(err.Error(), "last words") {
		t.Errorf("error %v", err)
	}
	read(t, c)
}

func TestNoRoomIsSaidBeforeTheStart(t *testing.T) {
	c := tiny(t)
	for i := range c.Plan.Cells {
		c.Plan.Cells[i].Settings = map[string]string{"keys": "268435456", "valueSize": "1048576"}
	}
	err := c.Run(t.Context())
	if !errors.Is(err, bench.ErrNoRoom) || !strings.Contains(err.Error(), "MB are free") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(c.Results); err == nil {
		t.Error("results were begun")
	}
}

func TestDirectoryThatCannotBeUsed(t *testing.T) {
	c := tiny(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Dir = filepath.Join(file, "below")
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("error %v", err)
	}
}

func TestWrongOutputEndsTheCampaign(t *testing.T) {
	c := tiny(t)
	c.Reference = map[string]string{"seed": "2"} // the answer to another input
	if err := c.Run(t.Context()); !errors.Is(err, bench.ErrWrongOutput) {
		t.Errorf("error %v", err)
	}
	if r := read(t, c); r.Manifest.Validity.State != results.Invalid || slices.ContainsFunc(r.Samples, func(s results.Sample) bool { return len(s.Metrics) > 0 }) {
		t.Errorf("validity %+v, or numbers", r.Manifest.Validity)
	}
}

func TestRateAboveCapacityIsSaid(t *testing.T) {
	r := small(t, "none", "heap")
	r.Cell.Settings = map[string]string{"keys": "500", "emitEvery": "1000"}
	r.Events, r.Rate, r.Warm, r.Measure = 0, 200_000_000, 200*time.Millisecond, 300*time.Millisecond
	r.Cell.Load, r.Cell.Rate, r.Cell.IntervalMS = results.OpenLoop, 200_000_000, 0
	o := measure(t, r)
	if !slices.ContainsFunc(o.Sample.Warnings, func(w string) bool { return strings.Contains(w, "above capacity") }) {
		t.Errorf("warnings %v, metrics %v", o.Sample.Warnings, o.Sample.Metrics)
	}
}

func TestJobThatDiesSaysWhy(t *testing.T) {
	r := small(t, "aligned", "heap")
	r.Tuning.Queue = -1
	_, err := r.Run(t.Context())
	var child *job.ChildError
	if !errors.As(err, &child) || child.LastWords == "" {
		t.Errorf("error %v", err)
	}
}

func TestInterruptLeavesACheckpoint(t *testing.T) {
	for _, algorithm := range []string{"aligned", "unaligned", "uncoordinated"} {
		t.Run(algorithm, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := small(t, algorithm, "heap")
			r.Events = 4_000_000 // far more than it takes before the interrupt
			r.Watch = func(c *job.Counters) {
				if n, _ := c.Emitted(2); c.Get(job.CounterDurable) > 0 && n > 10_000 {
					cancel()
				}
			}
			if _, err := r.Run(ctx); !errors.Is(err, job.ErrInterrupted) {
				t.Fatalf("error %v", err)
			}
			r.Watch, r.GoOn = nil, true
			o := measure(t, r)
			if o.Sample.Output != results.OutputExact {
				t.Errorf("going on from the checkpoint: %s, %v", o.Sample.Output, o.Why)
			}
			if n := o.Sample.Metrics["duration_s"]; n.Value <= 0 {
				t.Errorf("metrics %v", o.Sample.Metrics)
			}
		})
	}
}

func TestTooFewRecordsToKill(t *testing.T) {
	r := small(t, "aligned", "heap")
	r.Events, r.Cell.Kill, r.Cell.IntervalMS = 1, true, 60_000 // the moment of the kill is within an interval
	if _, err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "before it could be killed: give it more records") {
		t.Errorf("error %v", err)
	}
}

func TestIntervalShorterThanACheckpointIsSaid(t *testing.T) {
	r := small(t, "aligned", "heap")
	r.Cell.Settings, r.Cell.IntervalMS, r.Events = map[string]string{"keys": "50000", "valueSize": "100"}, 1, 400_000
	o := measure(t, r)
	if !slices.ContainsFunc(o.Sample.Warnings, func(w string) bool { return strings.Contains(w, "shorter than a checkpoint") }) {
		t.Errorf("warnings %v, metrics %v", o.Sample.Warnings, o.Sample.Metrics)
	}
}
