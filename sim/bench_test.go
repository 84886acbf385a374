package sim_test

import (
	"runtime"
	"syscall"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/sim"
	"weir/state/heap"
	"weir/trace"
	"weir/workloads/keyedcount"
)

// BenchmarkSimEvents measures the driver with real operators and state:
// source(2) -> hash -> keyed count(2) -> two-phase sink(2), content hash on,
// aligned checkpoints. An operation is one event: a step of a task or a callback
// of the coordinator. Allocations are those of whole runs divided by events;
// events/cpu-s divides by processor time, which other work on the machine does not disturb.
func BenchmarkSimEvents(b *testing.B) {
	b.Run("fifo", func(b *testing.B) { benchmarkEvents(b, nil) })
	b.Run("random", func(b *testing.B) { benchmarkEvents(b, &sim.Random{}) })
}

func benchmarkEvents(b *testing.B, policy sim.Policy) {
	const records = 400_000
	spec, err := catalog.Lookup("aligned")
	if err != nil {
		b.Fatal(err)
	}
	w := keyedcount.Defaults()
	w.NumEvents, w.Keys = records, 1000
	graph, err := keyedcount.With(w).Graph(2, func() dataflow.Operator { return &sinks.TwoPhase{} })
	if err != nil {
		b.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.BatchBytes, c.BatchTimeout, c.SourceBatch, c.HashContents = 2, 256, 0, 4, true
	c.Checkpoint.Interval = 100e6
	job := dataflow.Job{Name: "bench", Graph: graph, Algorithm: spec, Backend: heap.Backend{}, Config: c}
	m := sim.DefaultModel()
	m.StepBase, m.StepRecord = 2000, 1000
	s := sim.New()
	var events, turns, checkpoints int64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	cpu := cpuNanos()
	runs := 0
	for events < int64(b.N) {
		ext, err := external.OpenStore(external.StoreConfig{OnCommit: s.Committed})
		if err != nil {
			b.Fatal(err)
		}
		r := s.Run(sim.Config{Seed: uint64(runs), Job: &job, External: ext, Model: m, Policy: policy})
		if r.Verdict != sim.Done || r.RowsCommitted != records {
			b.Fatal(r.Verdict, r.Err, r.RowsCommitted)
		}
		runs++
		events, turns, checkpoints = events+r.Events, turns+r.Turns, checkpoints+r.Counts[trace.Completed]
	}
	b.StopTimer()
	cpu = cpuNanos() - cpu
	runtime.ReadMemStats(&after)
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(events)/seconds, "events/s")
	b.ReportMetric(float64(runs)*records/seconds, "records/s")
	b.ReportMetric(float64(events)*1e9/float64(cpu), "events/cpu-s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(events), "allocs/event")
	b.ReportMetric(float64(turns)/float64(events), "turns/event")
	b.ReportMetric(float64(checkpoints)/float64(runs), "checkpoints/run")
}

// cpuNanos is the processor time of this process: on a machine with other work
// it says what the wall clock cannot.
func cpuNanos() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
