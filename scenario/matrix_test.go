package scenario_test

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	"weir/scenario/simtest"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	workloadcatalog "weir/workloads/catalog"
)

// add sums up what the runs of one algorithm have been through.
func add(s *check.Stats, r *check.Report) {
	s.Duplicates += r.Duplicates
	s.Losses += r.Losses
	s.Crashes += r.Crashes
	s.CoordinatorCrashes += r.CoordinatorCrashes
	s.Recoveries += r.Recoveries
	s.InputBuffers += r.InputBuffers
	s.OutputBuffers += r.OutputBuffers
	s.LogRecords += r.LogRecords
	s.CommitsRetried += r.CommitsRetried
}

// TestMatrix runs every algorithm on every state and every workload under drawn
// faults, and demands that what makes the runs worth something has happened.
func TestMatrix(t *testing.T) {
	for _, a := range catalog.All() {
		t.Run(a.Name, func(t *testing.T) {
			var s check.Stats
			for _, st := range statecatalog.Names() {
				n := 3
				if st == heap.Name {
					n = 12
				}
				if simtest.Full() {
					n *= 20
				}
				for _, w := range workloadcatalog.Names() {
					if !fits(t, a, w) {
						t.Logf("%s is refused", w)
						continue
					}
					t.Run(st+"/"+w, func(t *testing.T) {
						r := runner(t, combination(t, a.Name, st, workload(t, w)))
						for _, seed := range simtest.Seeds(n) {
							o := r.Run(seed)
							simtest.Fine(t, o)
							if o.Whole() {
								add(&s, o.Report)
							}
						}
					})
				}
			}
			t.Logf("%+v", s)
			if !simtest.SeedsGiven() && !t.Failed() {
				sometimes(t, a.Properties(), &s)
			}
		})
	}
}

// sometimes demands that things happened, and that others never do.
func sometimes(t *testing.T, p dataflow.Properties, s *check.Stats) {
	for _, c := range []struct {
		what     string
		happened bool
		should   bool
	}{
		{"a worker crashed", s.Crashes > 0, true},
		{"the coordinator crashed", s.CoordinatorCrashes > 0, true},
		{"recovery from a snapshot", s.Recoveries > 0, p.Snapshots != dataflow.NoSnapshots},
		{"duplicates", s.Duplicates > 0, p.State == dataflow.AtLeastOnce},
		{"losses", s.Losses > 0, p.State == dataflow.AtMostOnce},
		{"input buffers restored", s.InputBuffers > 0, p.Captures.Inputs},
		{"output buffers restored", s.OutputBuffers > 0, p.Captures.Outputs},
		{"commits retried", s.CommitsRetried > 0, p.Snapshots != dataflow.NoSnapshots},
		{"log records replayed", s.LogRecords > 0, p.Logs},
	} {
		if c.happened != c.should {
			t.Errorf("%s: seen %v, want %v", c.what, c.happened, c.should)
		}
	}
}
