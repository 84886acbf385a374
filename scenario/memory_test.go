package scenario_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"weir/scenario/simtest"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	workloadcatalog "weir/workloads/catalog"
)

const kib, mib = 1 << 10, 1 << 20

// TestMemoryStays: what a runner holds does not grow with the number of runs.
func TestMemoryStays(t *testing.T) {
	warm, most := 1000, 10_000
	for _, algorithm := range []string{"unaligned", "uncoordinated"} {
		if testing.Short() || algorithm != "unaligned" && !simtest.Full() {
			warm, most = 300, 1500
		}
		w := workload(t, "keyedcount")
		if err := w.SetEvents(40); err != nil {
			t.Fatal(err)
		}
		r := runner(t, combination(t, algorithm, heap.Name, w))
		var before, after uint64
		for seed := range most {
			if seed == warm {
				before = live()
			}
			r.Run(uint64(seed))
		}
		after = live()
		t.Logf("%s: %d KiB in use after %d runs, %d KiB after %d", algorithm, before/kib, warm, after/kib, most)
		// Slack: buffers keep the size of the largest run so far.
		if after > before+before/4+256*kib {
			t.Errorf("%s: %d bytes in use after %d runs, %d after %d", algorithm, before, warm, after, most)
		}
	}
}

// TestMemoryOfALongRunIsLetGo: a job that restarts for ever leaves a runner as it was.
func TestMemoryOfALongRunIsLetGo(t *testing.T) {
	c := combination(t, "unaligned", heap.Name, workload(t, "keyedcount"))
	if err := c.Workload.SetEvents(40); err != nil {
		t.Fatal(err)
	}
	r := runner(t, c)
	r.MostEvents = 400_000
	for seed := range uint64(100) {
		r.Run(seed)
	}
	before := live()
	if o := r.Run(1957); o.Result.Events < 200_000 {
		t.Fatalf("%d events: this seed has no job that restarts for ever any more", o.Result.Events)
	}
	r.Run(1)
	after := live()
	t.Logf("%d KiB in use before, %d KiB after", before/kib, after/kib)
	if after > before+before/4+256*kib {
		t.Errorf("%d bytes in use before, %d after", before, after)
	}
}

// live is the memory in use after a collection.
func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryOfARun: with the collector off, so that the bound holds for whatever
// a run has in use at once, a runner and its run stay below 64 MiB.
func TestMemoryOfARun(t *testing.T) {
	for _, name := range workloadcatalog.Names() {
		for _, st := range statecatalog.Names() {
			base := live()
			old := debug.SetGCPercent(-1)
			r := runner(t, combination(t, "unaligned", st, workload(t, name)))
			r.Run(7)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			debug.SetGCPercent(old)
			if used := m.HeapAlloc - base; used > 64*mib {
				t.Errorf("%s on %s: %d MiB allocated by one run", name, st, used/mib)
			} else {
				t.Logf("%s on %s: %d KiB", name, st, used/kib)
			}
		}
	}
}
