package scenario_test

import (
	"fmt"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario/simtest"
	"weir/state/heap"
)

// TestCrashAtEveryEvent crashes a worker, or the coordinator, at the k-th event
// of the protocol, of storage or of the sink, for k = 1, 2, ... until a run ends
// before its crash; in -short for every few k. With -full every worker is a
// victim, with several seeds.
func TestCrashAtEveryEvent(t *testing.T) {
	const records = 48
	stride, seeds := 1, 1
	victims := []faults.Fault{{Target: faults.Worker, Worker: 1}, {Target: faults.Coordinator}}
	switch {
	case simtest.Full():
		seeds, victims = 5, faults.Victims(3)
	case testing.Short():
		stride = 5
	}
	for _, a := range catalog.All() {
		for _, v := range victims {
			v.Kind = faults.Crash
			t.Run(fmt.Sprintf("%s/%s-%d", a.Name, v.Target, v.Worker), func(t *testing.T) {
				w := workload(t, "keyedcount")
				if err := w.SetEvents(records); err != nil {
					t.Fatal(err)
				}
				c := combination(t, a.Name, heap.Name, w)
				if a.Properties().Snapshots != dataflow.NoSnapshots {
					c.Given = dataflow.Given{"checkpoint.interval": "1.5ms"}
				}
				for _, seed := range simtest.Seeds(seeds) {
					n := simtest.Sweep(t, c, v, seed, stride)
					t.Logf("seed %d: %d runs", seed, n)
					if a.Properties().Snapshots != dataflow.NoSnapshots && n*stride < 100 && simtest.Crash() == 0 {
						t.Errorf("seed %d: the run has %d events: the sweep did not reach the protocol", seed, n*stride)
					}
				}
			})
		}
	}
}
