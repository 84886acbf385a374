package scenario_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/scenario"
	"weir/scenario/simtest"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	"weir/state/pebblestate"
	workloadcatalog "weir/workloads/catalog"
)

// TestSameSeedSameRun runs seeds twice on one runner, with other seeds in
// between, and once on another.
func TestSameSeedSameRun(t *testing.T) {
	c := combination(t, "unaligned", pebblestate.NameIncremental, workload(t, "nexmark-q5"))
	a, b := runner(t, c), runner(t, c)
	first := map[uint64]uint64{}
	for _, seed := range simtest.Seeds(8) {
		first[seed] = a.Run(seed).Result.Hash
	}
	for _, seed := range simtest.Seeds(8) {
		for name, r := range map[string]*scenario.Runner{"used": a, "fresh": b} {
			if h := r.Run(seed).Result.Hash; h != first[seed] {
				t.Errorf("seed %d on the %s runner: hash %016x, before %016x", seed, name, h, first[seed])
			}
		}
	}
}

// TestSeedsDiffer: 100 seeds give 100 hashes.
func TestSeedsDiffer(t *testing.T) {
	r := runner(t, combination(t, "unaligned", pebblestate.NameIncremental, workload(t, "nexmark-q5")))
	hashes := map[uint64]uint64{}
	for _, seed := range simtest.Seeds(100) {
		h := r.Run(seed).Result.Hash
		if other, same := hashes[h]; same {
			t.Errorf("seeds %d and %d have the same hash %016x", other, seed, h)
		}
		hashes[h] = seed
	}
}

// TestAlgorithmsAgree: under faults, all that promise exactly once commit the
// same answer on every state.
func TestAlgorithmsAgree(t *testing.T) {
	for _, w := range workloadcatalog.Names() {
		digests := map[string]string{}
		for _, a := range exactlyOnce() {
			if spec, err := catalog.Lookup(a); err != nil || !fits(t, spec, w) {
				continue
			}
			for _, st := range statecatalog.Names() {
				r := runner(t, combination(t, a, st, workload(t, w)))
				for _, seed := range simtest.Seeds(2) {
					o := r.Run(seed)
					simtest.Fine(t, o)
					if o.Whole() {
						digests[o.Digest()] = a + "/" + st
					}
				}
			}
		}
		if len(digests) != 1 {
			t.Errorf("%s: answers differ: %v", w, digests)
		}
	}
}

// TestGoldenDigests: calm runs over Beam's default events commit what other
// software computed.
func TestGoldenDigests(t *testing.T) {
	data, err := os.ReadFile("../workloads/nexmark/testdata/dev1k.manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Results map[string]struct{ SHA256 string }
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for name, result := range map[string]string{"nexmark-q0": "q0", "nexmark-q1": "q1", "nexmark-q5": "q5.w10p5", "nexmark-q8": "q8.w10"} {
		want := m.Results[result].SHA256
		if len(want) != 64 {
			t.Fatalf("the manifest has no digest of %s", result)
		}
		for _, a := range catalog.All() {
			w, err := workloadcatalog.New(name)
			if err != nil {
				t.Fatal(err)
			}
			c := combination(t, a.Name, heap.Name, w)
			c.Faults = scenario.NoFaults
			o := runner(t, c).Run(1)
			if simtest.Fine(t, o); o.Digest() != want {
				t.Errorf("%s %s: digest %s, want %s", a.Name, name, o.Digest(), want)
			}
			if o.Result.Crashes+o.Result.CoordinatorCrashes+o.Result.Faults > 0 {
				t.Errorf("%s %s: a calm run with faults", a.Name, name)
			}
		}
	}
}

// TestBadPlans: what is wrong with a plan is said before anything runs.
func TestBadPlans(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	for text, want := range map[string]string{
		"(crash worker=1 at (nth 7 barriers))":           "line 1, column 27",
		"(plan\n  (crash worker=1)\n  (crush worker=0))": "line 3, column 4",
		"(crash worker=1": "line 1, column 16",
	} {
		if err := planError(text); !strings.Contains(err, want) {
			t.Errorf("%q: %s, want one at %s", text, err, want)
		}
	}
	c.Faults = scenario.PlannedFaults
	for text, want := range map[string]string{
		"(crash worker=9 at (nth 1 task-ready))": "workers 0 to 2",
		"(slow link c99 by 3)":                   "channels 0 to 7",
	} {
		c.Plan = mustParse(t, text)
		if _, err := scenario.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
