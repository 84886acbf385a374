package scenario_test

import (
	"strings"
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/simtest"
)

// TestCanaries: every deliberate mistake is caught by the default sweep within
// the limit, and the same runs without it are fine.
func TestCanaries(t *testing.T) {
	for c := dataflow.NoCanary + 1; c < dataflow.Canaries; c++ {
		told := 0
		r, err := scenario.HuntCanary(c, scenario.CanaryLimit, func(runs int) bool { told = runs; return true })
		if err != nil {
			t.Fatalf("%s: %v", c, err)
		}
		t.Logf("%-26s %3d runs of %s/%s/%s, caught by %s", c, r.Runs, r.Algorithm, r.State, r.Workload, r.Oracle)
		switch {
		case !r.Caught:
			t.Errorf("%s: not caught in %d runs", c, r.Runs)
		case !r.TwinClean:
			t.Errorf("%s: the unbroken twin fails: %s", c, r.Twin)
		case r.Oracle == check.Progress && !r.Stalls:
			t.Errorf("%s: caught as a loss of progress only: %s", c, r.Violation)
		case told != 2*r.Runs || r.Seed != uint64(r.Runs):
			t.Errorf("%s: %d runs, seed %d; told of %d", c, r.Runs, r.Seed, told)
		case r.Violation == "" || !strings.HasSuffix(r.Replay, "--mutant "+c.String()):
			t.Errorf("%s: violation %q, replay %q", c, r.Violation, r.Replay)
		}
	}
}

func TestUnknownCanary(t *testing.T) {
	if _, err := scenario.HuntCanary(dataflow.NoCanary, 1, nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("error %v", err)
	}
}

// TestCanaryCombinations: whatever the table says can show a mistake does show it.
func TestCanaryCombinations(t *testing.T) {
	if !simtest.Full() {
		t.Skip("thousands of runs; with -full")
	}
	for _, k := range scenario.Canaries() {
		for _, a := range k.Algorithms {
			for _, st := range k.States {
				for _, w := range k.Workloads {
					if (a != k.Algorithms[0]) && (st != k.States[0] || w != k.Workloads[0]) {
						continue
					}
					if runs, ok := hunt(t, k, a, st, w); !ok {
						t.Errorf("%s in %s/%s/%s: not caught in %d runs", k.Canary, a, st, w, runs)
					} else {
						t.Logf("%s in %s/%s/%s: %d runs", k.Canary, a, st, w, runs)
					}
				}
			}
		}
	}
}

func hunt(t *testing.T, k scenario.CanaryCase, a, st, w string) (runs int, caught bool) {
	c := combination(t, a, st, workload(t, w))
	c.Canary = k.Canary
	r := runner(t, c)
	for runs = 1; runs <= scenario.CanaryLimit; runs++ {
		if o := r.Run(uint64(runs)); o.Kind == scenario.Unsafe || k.Stalls && o.Kind == scenario.NoProgress {
			return runs, true
		}
	}
	return runs, false
}
