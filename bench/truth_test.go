package bench_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/internal/bench/job"
	"weir/results"
)

// These tests compare what a repetition reports with what the test itself knows:
// how long it took, how many records there were, how long the job stood still.

// TestThroughputIsRecordsOverTime: a finite run reports all its records, in
// no more time than the test has seen go by.
func TestThroughputIsRecordsOverTime(t *testing.T) {
	r := small(t, "aligned", "heap")
	r.Events = 300_000
	began := time.Now()
	m := measure(t, r).Sample.Metrics
	seconds := m["duration_s"].Value
	if records := m["throughput"].Value * seconds; math.Abs(records-float64(r.Events)) > 1 {
		t.Errorf("%g records, want %d", records, r.Events)
	}
	if took := time.Since(began).Seconds(); seconds > took || seconds < 0.001 {
		t.Errorf("%g s measured of a test that took %g s", seconds, took)
	}
	cpu := m["cpu_user_s"].Value + m["cpu_system_s"].Value
	if got := m["throughput_per_cpu"].Value * cpu; math.Abs(got-float64(r.Events)) > 1 {
		t.Errorf("%g records by CPU time, want %d", got, r.Events)
	}
}

// waiting is a workload in an open loop with a stall, and what is known of its rows.
type waiting struct {
	workload string
	settings map[string]string
	perRow   float64 // records for each row, or for each time that rows come
	ties     bool    // several rows may come at a time
}

// TestStallIsChargedToTheRecordsThatWaited stops the job's process for a while:
// the longest latency is that long, one record in five waited for more than half
// of it, the timeline shows it, and no record is missing. Rows of windows are
// late by what let them fire, not by when their records came.
func TestStallIsChargedToTheRecordsThatWaited(t *testing.T) {
	windows := func(more ...string) map[string]string { // of 200 events, every 100 events
		s := map[string]string{"windowSizeSec": "2", "windowPeriodSec": "1"}
		for i := 0; i < len(more); i += 2 {
			s[more[i]] = more[i+1]
		}
		return s
	}
	for _, c := range []waiting{
		{"keyedcount", map[string]string{"keys": "500", "emitEvery": "3"}, 3, false},
		{"nexmark-q0", nil, 1, false},
		{"nexmark-q1", nil, 50. / 46, false},
		{"nexmark-q5", windows("hotAuctionRatio", "1"), 100, true},
		{"nexmark-q8", windows("numActivePeople", "2", "hotSellersRatio", "1"), 200, true},
	} {
		t.Run(c.workload, func(t *testing.T) { undisturbed(t, func(to reporter) { c.stall(t, to) }) })
	}
}

const stallRate = 20_000

func (c *waiting) stall(t *testing.T, to reporter) {
	const stall, measured = 400 * time.Millisecond, time.Second
	r := small(t, "none", "heap")
	r.Cell.Workload, r.Cell.Settings, r.Cell.IntervalMS = c.workload, c.settings, 0
	r.Events, r.Rate, r.Warm, r.Measure = 0, stallRate, time.Second, measured
	r.Cell.Load, r.Cell.Rate = results.OpenLoop, stallRate
	stalled := false
	r.Watch = func(c *job.Counters) {
		if c.Phase() != job.Measuring || stalled {
			return
		}
		stalled = true
		child := childOf(t, os.Getpid())
		_ = syscall.Kill(child, syscall.SIGSTOP)
		time.Sleep(stall)
		_ = syscall.Kill(child, syscall.SIGCONT)
	}
	o := measure(t, r)
	m := o.Sample.Metrics
	if o.Processing == nil {
		to.Errorf("no latency: %v", o.Sample.Warnings)
		return
	}
	// Rows come every so many ms: the first that waited may have come that much later.
	between := 1e3 * c.perRow / stallRate
	longest, least := m["processing_max_ms"].Value, float64(stall.Milliseconds())
	if longest < least-20-between || longest > least+300 {
		to.Errorf("the longest latency is %g ms after a stall of %g ms", longest, least)
	}
	if p99 := m["processing_p99_ms"].Value; p99 < 0.8*longest {
		to.Errorf("the 99th percentile is %g ms, though two records in five waited, the first of them for %g ms", p99, longest)
	}
	if p50 := m["processing_p50_ms"].Value; p50 > least/4 {
		to.Errorf("the median is %g ms, though three records in five did not wait", p50)
	}
	if got := shareAbove(o.Processing, stall/2); got < 0.15 || got > 0.35 {
		to.Errorf("%.0f %% of the rows waited for more than half of the stall, want 20 %% and what was behind them", 100*got)
	}
	want, got := stallRate*measured.Seconds()/c.perRow, float64(o.Processing.TotalCount())
	if got < want*0.95 || got > want*1.05 && !c.ties {
		to.Errorf("%g rows have a latency, want %g", got, want)
	}
	top := 0.0
	for _, p := range o.Sample.Timeline {
		top = max(top, p.Max)
	}
	if math.Abs(top-longest) > longest/20 {
		to.Errorf("the timeline comes to %g ms, the longest latency is %g ms", top, longest)
	}
}

// shareAbove returns the share of the values above one.
func shareAbove(h *hdrhistogram.Histogram, least time.Duration) float64 {
	n := int64(0)
	for _, b := range h.Distribution() {
		if b.From > least.Nanoseconds() {
			n += b.Count
		}
	}
	return float64(n) / float64(h.TotalCount())
}

// childOf finds the process that a process has started.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		text := string(data)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if fields[1] == strconv.Itoa(parent) {
			var pid int
			_, _ = fmt.Sscan(text, &pid)
			return pid
		}
	}
	t.Fatal("/proc does not show the job's process")
	return 0
}

// TestUploadedBytesAreThoseOfTheState: a heap snapshot uploads the whole state
// and little else.
func TestUploadedBytesAreThoseOfTheState(t *testing.T) {
	undisturbed(t, func(to reporter) {
		r := small(t, "aligned", "heap")
		r.Cell.Settings = map[string]string{"keys": "20000", "valueSize": "100", "emitEvery": "20"}
		r.Cell.IntervalMS = 100
		r.Events, r.Warm, r.Measure = 0, 2*time.Second, 600*time.Millisecond
		m := measure(t, r).Sample.Metrics
		const entry = 8 + 100
		size, up := m["state_bytes"].Value, m["uploaded_bytes"].Value
		if size != 20_000*entry { // every key has been there when the measured time began
			to.Errorf("state of %g bytes, want %d", size, 20_000*entry)
		}
		if up < size || up > 1.1*size {
			to.Errorf("%g bytes uploaded for a state of %g", up, size)
		}
	})
}

// TestRecoveryIsByOneClock: the moments of a recovery come in order, and the
// metrics are the distances between them, from before the signal is sent.
func TestRecoveryIsByOneClock(t *testing.T) {
	undisturbed(t, func(to reporter) { recoveryByOneClock(t, to) })
}

func recoveryByOneClock(t *testing.T, to reporter) {
	r := small(t, "aligned", "heap")
	r.Events, r.Rate, r.Warm, r.Measure = 0, 50_000, time.Second, time.Second
	r.Cell.Load, r.Cell.Rate, r.Cell.IntervalMS, r.Cell.Kill = results.OpenLoop, 50_000, 300, true
	began := time.Now()
	s := measure(t, r).Sample
	at, m := s.Recovery, s.Metrics
	if at == nil {
		to.Errorf("no recovery: %v", s.Warnings)
		return
	}
	// The first new row is not always behind the last task that is ready: a source,
	// a counter and the sink that are ready may process while others still restore.
	if at.KilledMS > at.StartedMS || at.StartedMS > min(at.RestoredMS, at.FirstNewMS) || max(at.RestoredMS, at.FirstNewMS) > at.CaughtUpMS {
		to.Errorf("moments out of order: %+v", *at)
	}
	near := func(name string, want float64) {
		if got := m[name].Value; math.Abs(got-want) > 0.01 {
			to.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	near("recovery_ms", at.FirstNewMS-at.KilledMS)
	near("restore_ms", at.RestoredMS-at.StartedMS)
	near("caught_up_ms", at.CaughtUpMS-at.KilledMS)
	near("lost_work_records", float64(at.LostRecords))
	if took := float64(time.Since(began).Milliseconds()); at.CaughtUpMS > took || m["recovery_ms"].Value < 1 {
		to.Errorf("caught up after %g ms of a test that took %g ms", at.CaughtUpMS, took)
	}
	// What is lost was handed out after the newest checkpoint: at most about an
	// interval and the duration of a checkpoint.
	if lost := at.LostRecords; lost < 1 || float64(lost) > 50_000*1.5 {
		to.Errorf("%d records were processed again", lost)
	}
}
