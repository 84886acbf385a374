package bench_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/bench"
	"weir/internal/bench/job"
	"weir/results"
	"weir/results/stat"
)

var (
	measured = flag.Duration("measure", 3*time.Second, "measured time of a repetition of the live benchmarks")
	profiles = flag.String("jobprofile", "", "directory for CPU profiles of the benchmarked jobs")
)

// liveCase is one row of the table of speeds in docs/performance.md.
type liveCase struct {
	name      string
	algorithm string
	state     string
	settings  map[string]string
	interval  time.Duration
	rate      int64 // 0: closed loop
	kill      bool
	cache     int64 // block cache and write caches of Pebble together; 0: the default
}

// In closed loops one record in a thousand, or in twenty, makes a row for the sink,
// whose rows go to disk: what is measured is the exchange and the state, not
// that disk. A row of its own has one row per record.
func keys10k() map[string]string {
	return map[string]string{"keys": "10000", "valueSize": "18", "emitEvery": "1000"}
}

func keys1M() map[string]string {
	return map[string]string{"keys": "1000000", "valueSize": "100", "emitEvery": "20"}
}

// keysWith changes one setting: a paced run makes more rows per record, so that
// every moment has some to measure latency by.
func keysWith(s map[string]string, name, value string) map[string]string {
	s[name] = value
	return s
}

// BenchmarkLiveKeyedCountHeap is source, hash exchange of encoded 34-byte
// records, count and sum per key in memory, sink; each iteration is a repetition
// of -measure in a process of its own, its committed output checked. It reports
// records per CPU-second of the whole process, and the calibration loop beside it.
func BenchmarkLiveKeyedCountHeap(b *testing.B) {
	const fast = 200 * time.Millisecond
	for _, c := range []liveCase{
		{name: "keys=10k", algorithm: "none", settings: keys10k()},
		{name: "keys=10k/emitEvery=1", algorithm: "none", settings: keysWith(keys10k(), "emitEvery", "1")},
		{name: "keys=10k/aligned=200ms", algorithm: "aligned", settings: keys10k(), interval: fast},
		{name: "keys=10k/unaligned=200ms", algorithm: "unaligned", settings: keys10k(), interval: fast},
		{name: "keys=10k/aligned=1s/rate=1M", algorithm: "aligned", settings: keysWith(keys10k(), "emitEvery", "20"), interval: time.Second, rate: 1_000_000},
		{name: "keys=1M", algorithm: "none", settings: keys1M()},
		{name: "keys=1M/aligned=1s", algorithm: "aligned", settings: keys1M(), interval: time.Second},
		{name: "keys=1M/aligned=1s/rate=1M", algorithm: "aligned", settings: keysWith(keys1M(), "emitEvery", "5"), interval: time.Second, rate: 1_000_000},
		{name: "keys=1M/aligned=1s/rate=1M/kill", algorithm: "aligned", settings: keysWith(keys1M(), "emitEvery", "5"), interval: time.Second, rate: 1_000_000, kill: true},
	} {
		c.state = "heap"
		b.Run(c.name, c.run)
	}
}

// BenchmarkLiveKeyedCountPebble is the same over Pebble, values that do not
// compress, incremental snapshots every second.
func BenchmarkLiveKeyedCountPebble(b *testing.B) {
	for _, c := range []liveCase{
		{name: "keys=1M", algorithm: "aligned", interval: time.Second, cache: 1 << 30},
		{name: "keys=1M/unaligned=1s", algorithm: "unaligned", interval: time.Second, cache: 1 << 30},
		{name: "keys=1M/cache=32MiB", algorithm: "aligned", interval: time.Second, cache: 32 << 20},
		{name: "keys=1M/rate=100k", algorithm: "aligned", interval: time.Second, cache: 1 << 30, rate: 100_000},
	} {
		c.state, c.settings = "pebble", keysWith(keys1M(), "emitEvery", "2")
		b.Run(c.name, c.run)
	}
}

func (c *liveCase) run(b *testing.B) {
	r := c.repetition(b)
	values := map[string][]float64{}
	for b.Loop() {
		o, err := r.Run(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if o.Sample.Output == results.OutputWrong {
			b.Fatal(o.Why)
		}
		for name, v := range o.Sample.Metrics {
			values[name] = append(values[name], v.Value)
		}
		values["alone"] = append(values["alone"], o.Sample.CalibrationMS)
		r.Number++
		r.Seed++
	}
	for _, m := range []struct {
		metric, unit string
		factor       float64
	}{
		{"throughput_per_cpu", "rec/cpu-s", 1}, {"throughput", "rec/s", 1}, {"alone", "calibration-alone-ns", 1e6}, {"calibration_ms", "calibration-ns", 1e6},
		{"sync_ms", "checkpoint-sync-ns", 1e6}, {"checkpoint_ms", "checkpoint-total-ns", 1e6}, {"uploaded_bytes", "checkpoint-B", 1},
		{"processing_p50_ms", "p50-ns", 1e6}, {"processing_p99_ms", "p99-ns", 1e6}, {"processing_p999_ms", "p99.9-ns", 1e6},
		{"recovery_ms", "recovery-ns", 1e6}, {"peak_memory_bytes", "peak-B", 1},
	} {
		if v := values[m.metric]; len(v) > 0 {
			b.ReportMetric(stat.Median(v)*m.factor, m.unit)
		}
	}
}

func (c *liveCase) repetition(b *testing.B) *bench.Repetition {
	tuning := job.DefaultTuning()
	if c.cache > 0 { // two stores, for two pipelines, each with a frozen copy of what it is writing out
		tuning.CacheBytes, tuning.WriteBytes = c.cache/2, c.cache/8
	}
	cell := results.Cell{
		Algorithm: c.algorithm, State: c.state, Workload: "keyedcount", Settings: c.settings, IntervalMS: float64(c.interval) / 1e6,
		Load: results.ClosedLoop, Parallelism: 2, Kill: c.kill,
	}
	if c.rate > 0 {
		cell.Load, cell.Rate = results.OpenLoop, float64(c.rate)
	}
	r := &bench.Repetition{Cell: cell, Rate: c.rate, Seed: 1, Dir: b.TempDir(), Warm: 3 * time.Second, Measure: *measured, Tuning: tuning}
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o755); err != nil {
			b.Fatal(err)
		}
		name, err := filepath.Abs(filepath.Join(*profiles, strings.NewReplacer("/", "-", "=", "-").Replace(c.state+"-"+c.name)+".prof"))
		if err != nil {
			b.Fatal(err)
		}
		r.Profile = name
	}
	return r
}
