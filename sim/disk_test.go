package sim_test

import (
	"testing"

	"weir/sim"
	"weir/state/pebblestate"
)

// TestLocalDisks runs a backend that keeps files on the simulated disks of the
// workers through crashes, each seed twice.
func TestLocalDisks(t *testing.T) {
	backend, err := pebblestate.New(pebblestate.Config{Deterministic: true})
	if err != nil {
		t.Fatal(err)
	}
	s := sim.New()
	for _, name := range exactlyOnce() {
		var crashes, recoveries int
		for n := range uint64(25) {
			var logs [2]sim.EventLog
			var hashes [2]uint64
			for i := range hashes {
				x := newExperiment(t, s, name, testRecords, testKeys, 2)
				x.job.Config.Checkpoint.Interval = 6e5
				x.job.Backend = backend
				c := crashing(n, nil)
				c.LocalDisks, c.Log = true, &logs[i]
				r := x.run(t, c)
				if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
					t.Fatalf("%s, seed %d: %s: %v; %v; last failure of a task: %v\n%s", name, n, r.Verdict, r.Err, err, r.LastFailure, r.Stack)
				}
				hashes[i] = r.Hash
				crashes, recoveries = crashes+r.Crashes, recoveries+r.Recoveries
			}
			if hashes[0] != hashes[1] {
				t.Fatalf("%s, seed %d: hashes %x: %s", name, n, hashes, sim.Difference(&logs[0], &logs[1]))
			}
		}
		if crashes == 0 || recoveries == 0 {
			t.Errorf("%s: %d crashes, %d recoveries: the test shows nothing", name, crashes, recoveries)
		}
	}
}
