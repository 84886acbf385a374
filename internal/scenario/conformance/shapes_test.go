package conformance

import (
	"testing"

	"weir/algorithms"
	"weir/scenario"
)

// TestShapesAreWhatTheySay: without faults every shape gives its reference answer.
func TestShapesAreWhatTheySay(t *testing.T) {
	for _, w := range newShapes() {
		t.Run(w.Name(), func(t *testing.T) {
			w.Small()
			for _, o := range attempts(t, scenario.Config{Algorithm: algorithmNamed(t, "unaligned"), Workload: w, Splits: splitsOf(w)}, 20) {
				if o.Kind != scenario.Fine {
					t.Fatalf("seed %d: %s\n%s", o.Seed, o.Why(), o.Plan)
				}
			}
		})
	}
}

func algorithmNamed(t *testing.T, name string) *algorithms.Spec {
	for _, s := range everyAlgorithm() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no algorithm is called %s", name)
	return nil
}
