package bench_test

import (
	"testing"
	"time"

	"weir/bench"
	"weir/results"
)

// Of the small repetition: every key is there at the end.
const (
	smallKeys  = 500
	entryBytes = 8 + 16
	storeBytes = 3 + entryBytes // in Pebble a key has its table and group before it
)

// TestMetricsOfSnapshots compares the numbers of short runs with what is known
// about them otherwise, and sees that what does not apply is left out.
func TestMetricsOfSnapshots(t *testing.T) {
	for _, c := range []struct{ algorithm, state string }{
		{"none", "heap"}, {"none", "pebble"}, {"aligned", "heap"}, {"aligned", "pebble-full"}, {"unaligned", "pebble"},
		{"uncoordinated", "heap"}, {"uncoordinated", "pebble"},
	} {
		t.Run(c.algorithm+"/"+c.state, func(t *testing.T) {
			undisturbed(t, func(to reporter) {
				r := small(t, c.algorithm, c.state)
				r.Events, r.Warm, r.Measure = 0, 500*time.Millisecond, 400*time.Millisecond
				compareSnapshots(to, r, &measure(t, r).Sample)
			})
		})
	}
}

func compareSnapshots(t reporter, r *bench.Repetition, s *results.Sample) {
	t.Helper()
	m := s.Metrics
	snapshots, pebble, rounds := r.Cell.Algorithm != "none", r.Cell.State != "heap", r.Cell.Algorithm != "uncoordinated"
	bounds(t, s, "state_bytes", snapshots, smallKeys*entryBytes, stateAtMost(pebble))
	bounds(t, s, "logical_change_bytes", snapshots && pebble, storeBytes, smallKeys*storeBytes)
	bounds(t, s, "write_amplification", snapshots && pebble, 1, 50)
	bounds(t, s, "recovery_line_age_ms", snapshots, 0.1, 3e3)
	bounds(t, s, "generator_share", true, 0.001, 1)
	bounds(t, s, "calibration_ms", true, 0.01, 1000)
	bounds(t, s, "useless_checkpoints", snapshots, 0, snapshotsAtMost(r, s))
	bounds(t, s, "log_bytes", !rounds, float64(len(s.Checkpoints)), 1e12)
	if rounds && snapshots && m["checkpoints_failed"].Value == 0 && m["useless_checkpoints"].Value != 0 {
		t.Errorf("%v snapshots were useless though no round was given up", m["useless_checkpoints"].Value)
	}
	if age, took := m["recovery_line_age_ms"].Value, m["checkpoint_ms"].Value; rounds && snapshots && age < took/2 {
		t.Errorf("the newest checkpoint was %g ms old, though one takes %g ms", age, took)
	}
	if overhead := m["overhead_ratio"].Value; (overhead > 0) != snapshots || overhead > 0.5 {
		t.Errorf("overhead_ratio is %g", overhead)
	}
}

// TestLateRecordsAreCounted where there can be any.
func TestLateRecordsAreCounted(t *testing.T) {
	r := small(t, "aligned", "heap")
	r.Events = 2_000
	bounds(t, &measure(t, r).Sample, "late_records", false, 0, 0)
	r = small(t, "aligned", "heap")
	r.Cell.Workload, r.Cell.Settings, r.Events = "sessions", nil, 2_000
	bounds(t, &measure(t, r).Sample, "late_records", true, 1, 200) // one record in twenty
}

// snapshotsAtMost: a task takes one per interval, and a task that was held up may
// be late with one that belongs before the window. How many of them the tasks
// took in step depends on the machine, so that whole rounds say nothing here.
func snapshotsAtMost(r *bench.Repetition, s *results.Sample) float64 {
	tasks := float64(3 * r.Cell.Parallelism) // sources, counters, sinks
	return tasks * (1e3*s.Metrics["duration_s"].Value/r.Cell.IntervalMS + 2)
}

// stateAtMost: the heap's is exact, Pebble's tables have entries several times.
func stateAtMost(pebble bool) float64 {
	if pebble {
		return 100 * smallKeys * storeBytes
	}
	return smallKeys * entryBytes
}

func bounds(t reporter, s *results.Sample, name string, applies bool, least, most float64) {
	t.Helper()
	v, ok := s.Metrics[name]
	switch {
	case ok != applies:
		t.Errorf("%s: known %v, want %v", name, ok, applies)
	case ok && (v.Value < least || v.Value > most):
		t.Errorf("%s is %g, want %g to %g", name, v.Value, least, most)
	}
}
