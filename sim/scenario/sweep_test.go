package scenario_test

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/faults"
	"weir/sim/simtest"
	"weir/state/heap"
)

// TestCrashAtEveryEvent crashes a worker, or the coordinator, at the k-th event
// of the protocol, of storage or of the sink, until a run ends before its crash:
// for every k with -full, else for every few.
func TestCrashAtEveryEvent(t *testing.T) {
	const records, stride = 48, 5
	for _, a := range catalog.All() {
		for name, victim := range map[string]faults.Fault{
			"worker":      {Kind: faults.Crash, Target: faults.Worker, Worker: 1},
			"coordinator": {Kind: faults.Crash, Target: faults.Coordinator},
		} {
			t.Run(a.Name+"/"+name, func(t *testing.T) {
				w := workload(t, "keyedcount")
				if err := w.SetEvents(records); err != nil {
					t.Fatal(err)
				}
				c := combination(t, a.Name, heap.Name, w)
				c.Interval = 1_500_000
				for _, seed := range simtest.Seeds(1) {
					n := simtest.Sweep(t, c, victim, seed, stride)
					t.Logf("%d runs", n)
					if a.Properties().Snapshots && n < 20 && simtest.Crash() == 0 {
						t.Errorf("%d runs only: the sweep did not reach the protocol", n)
					}
				}
			})
		}
	}
}
