package live_test

import (
	"context"
	"runtime"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/live"
	"weir/state/heap"
	"weir/state/storage"
)

// TestSteadyStateAllocatesNothingPerBuffer compares a run with one that is
// longer by many buffers.
func TestSteadyStateAllocatesNothingPerBuffer(t *testing.T) {
	if testing.Short() {
		t.Skip("processes a million records")
	}
	const batch, more = 16, 40_000
	short, long := mallocs(t, batch, 10_000), mallocs(t, batch, 10_000+more)
	if perBuffer := float64(int64(long)-int64(short)) / more; perBuffer > 0.05 {
		t.Errorf("%.3f allocations per buffer", perBuffer)
	}
}

// mallocs runs a job with so many buffers and returns the allocations it made.
func mallocs(t *testing.T, batch, buffers int) uint64 {
	t.Helper()
	spec, err := catalog.Lookup("none")
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.SourceBatch, c.BatchBytes = batch, batch, 36*batch
	job := &dataflow.Job{Name: "alloc", Graph: benchGraph(2, uint64(batch*buffers), 100), Algorithm: spec, Backend: heap.Backend{}, Config: c}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := live.Run(context.Background(), live.Config{Job: job, Storage: storage.NewMemory(0), External: nowhere{}}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
