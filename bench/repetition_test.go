package bench_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"weir/bench"
	"weir/internal/bench/job"
	"weir/results"
)

// TestMain lets the test binary be the child that runs jobs.
func TestMain(m *testing.M) {
	if job.IsChild() {
		os.Exit(job.Child())
	}
	os.Exit(m.Run())
}

// small is a repetition over a finite input, fast enough for a test.
func small(t *testing.T, algorithm, state string) *bench.Repetition {
	t.Helper()
	tuning := job.DefaultTuning()
	tuning.BatchRecords, tuning.SourceBatch, tuning.CacheBytes, tuning.WriteBytes = 64, 64, 4<<20, 4<<20
	return &bench.Repetition{
		Cell: results.Cell{
			Algorithm: algorithm, State: state, Workload: "keyedcount", Settings: map[string]string{"keys": "500", "emitEvery": "3"},
			IntervalMS: 10, Load: results.ClosedLoop, Parallelism: 2,
		},
		Seed: 7, Dir: t.TempDir(), Events: 60_000, Tuning: tuning,
	}
}

func measure(t *testing.T, r *bench.Repetition) *bench.Outcome {
	t.Helper()
	o, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestFiniteRepetition(t *testing.T) {
	for _, algorithm := range []string{"none", "aligned", "at-least-once", "unaligned", "uncoordinated"} {
		t.Run(algorithm, func(t *testing.T) {
			o := measure(t, small(t, algorithm, "heap"))
			if o.Sample.Output != results.OutputExact || o.Sample.Metrics["throughput"].Value <= 0 {
				t.Errorf("output %s (%v), metrics %v", o.Sample.Output, o.Why, o.Sample.Metrics)
			}
		})
	}
}

func TestKilledJobCommitsExactlyOnce(t *testing.T) {
	for _, algorithm := range []string{"aligned", "unaligned", "uncoordinated"} {
		for _, state := range []string{"heap", "pebble"} {
			t.Run(algorithm+"/"+state, func(t *testing.T) {
				r := small(t, algorithm, state)
				r.Cell.Kill = true
				o := measure(t, r)
				if o.Sample.Output != results.OutputExact {
					t.Fatalf("output %s: %v", o.Sample.Output, o.Why)
				}
				if o.Sample.Metrics["recovery_ms"].Value <= 0 || o.Sample.Recovery == nil {
					t.Errorf("no recovery was measured: %v", o.Sample.Metrics)
				}
			})
		}
	}
}

func TestTimedOpenLoop(t *testing.T) {
	undisturbed(t, func(to reporter) { timedOpenLoop(t, to) })
}

func timedOpenLoop(t *testing.T, to reporter) {
	r := small(t, "aligned", "heap")
	r.Events, r.Rate, r.Warm, r.Measure = 0, 20_000, time.Second, 500*time.Millisecond
	r.Cell.Load, r.Cell.Rate, r.Cell.IntervalMS = results.OpenLoop, 20_000, 100
	o := measure(t, r)
	m := o.Sample.Metrics
	if o.Sample.Output != results.OutputExact || m["processing_p99_ms"].Value <= 0 || m["visible_p50_ms"].Value <= m["processing_p50_ms"].Value {
		to.Errorf("output %s (%v), metrics %v, warnings %v", o.Sample.Output, o.Why, m, o.Sample.Warnings)
	}
	if o.Processing == nil {
		to.Errorf("no latency: %v", o.Sample.Warnings)
	} else if n := o.Processing.TotalCount(); n < 20_000/2/3*9/10 || n > 20_000/2/3*11/10 {
		to.Errorf("%d rows were measured in half a second of %d records/s, every third of which makes one", n, r.Rate)
	}
}

func TestWrongOutputHasNoNumbers(t *testing.T) {
	r := small(t, "aligned", "heap")
	r.Events = 600_000
	r.Cell.Kill, r.Mutant = true, "release-before-stored"
	for seed := range uint64(100) { // a busy machine kills at other moments
		r.Seed = seed
		o := measure(t, r)
		if o.Sample.Output == results.OutputWrong {
			if len(o.Sample.Metrics) > 0 || o.Why == nil {
				t.Errorf("numbers %v beside %v", o.Sample.Metrics, o.Why)
			}
			return
		}
	}
	t.Error("output that was committed too early was never seen to be wrong")
}

// TestRowsThatDoNotTellHaveNoLatency: such a job is measured all the same, and
// says what to change.
func TestRowsThatDoNotTellHaveNoLatency(t *testing.T) {
	r := small(t, "none", "heap")
	r.Cell.Workload, r.Cell.Settings, r.Cell.IntervalMS = "nexmark-q1", map[string]string{"numEventGenerators": "1"}, 0
	r.Events, r.Rate, r.Warm, r.Measure = 0, 20_000, 300*time.Millisecond, 300*time.Millisecond
	r.Cell.Load, r.Cell.Rate = results.OpenLoop, 20_000
	s := measure(t, r).Sample
	if _, known := s.Metrics["processing_p50_ms"]; known || s.Output != results.OutputExact {
		t.Errorf("output %s, metrics %v", s.Output, s.Metrics)
	}
	if text := strings.Join(s.Warnings, "\n"); !strings.Contains(text, "no latency is given: ") || !strings.Contains(text, "raise numEventGenerators") {
		t.Errorf("warnings %q", s.Warnings)
	}
}
