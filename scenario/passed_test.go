package scenario_test

import (
	"testing"

	"weir/scenario/simtest"
)

// TestPassedRound: after a coordinator stalls, the newer of two triggers reaches
// one source first. The older round is over then, and no task may wait for it:
// these runs stood still until the timeout, two virtual seconds.
func TestPassedRound(t *testing.T) {
	for _, x := range []struct {
		state string
		seed  uint64
	}{{"heap", 213}, {"pebble", 257}} {
		o := runner(t, combination(t, "at-least-once", x.state, workload(t, "nexmark-q5"))).Run(x.seed)
		simtest.Fine(t, o)
		if !o.Struck() {
			t.Errorf("%s, seed %d: no fault struck; another seed is needed", x.state, x.seed)
		}
		if ms := o.Result.Virtual / 1e6; ms > 500 {
			t.Errorf("%s, seed %d: %d ms of virtual time, want what others take", x.state, x.seed, ms)
		}
	}
}
