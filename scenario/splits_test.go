package scenario_test

import (
	"encoding/json"
	"os"
	"testing"

	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	workloadcatalog "weir/workloads/catalog"
)

// TestSplitsChangeNoAnswer: under faults, the answer of a workload is the same
// however many splits its input has, and under each algorithm.
func TestSplitsChangeNoAnswer(t *testing.T) {
	for _, name := range workloadcatalog.Names() {
		digests := map[string]int{}
		for n, algorithm := range exactlyOnce() {
			c := combination(t, algorithm, heap.Name, workload(t, name))
			if !fits(t, c.Algorithm, name) {
				continue
			}
			c.Splits = 1 + n%5
			r := runner(t, c)
			for _, seed := range simtest.Seeds(4) {
				o := r.Run(seed)
				if o.Kind != scenario.Fine || o.Splits != c.Splits {
					t.Fatal(simtest.Message(t, o))
				}
				if o.Whole() {
					digests[o.Digest()] = c.Splits
				}
			}
		}
		if len(digests) != 1 {
			t.Errorf("%s: %d answers: %v", name, len(digests), digests)
		}
	}
}

// TestGoldenDigestsWithSplits: NEXMark over three splits, which two instances
// read unevenly, commits the golden results.
func TestGoldenDigestsWithSplits(t *testing.T) {
	b, err := os.ReadFile("../workloads/nexmark/testdata/dev1k.manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Results map[string]struct{ SHA256 string }
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for query, result := range map[string]string{"q0": "q0", "q1": "q1", "q5": "q5.w10p5", "q8": "q8.w10"} {
		w, err := workloadcatalog.New("nexmark-" + query)
		if err != nil {
			t.Fatal(err)
		}
		for _, algorithm := range []string{"aligned", "unaligned", "uncoordinated"} {
			c := combination(t, algorithm, heap.Name, w)
			c.Parallelism, c.Splits = 2, 3
			r := runner(t, c)
			o := r.Run(1)
			for seed := uint64(2); o.Kind == scenario.Fine && !o.Whole(); seed++ {
				o = r.Run(seed)
			}
			if want := golden.Results[result].SHA256; o.Kind != scenario.Fine || o.Digest() != want || want == "" {
				t.Errorf("%s, %s: digest %s, golden %s; %s", query, algorithm, o.Digest(), want, o.Why())
			}
		}
	}
}

// TestSplitsAreDrawn: the default sweep has every kind of number, and the command
// of a run repeats it.
func TestSplitsAreDrawn(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	r := runner(t, c)
	seen := map[int]int{}
	for _, seed := range simtest.Seeds(40) {
		seen[r.Run(seed).Splits]++
	}
	for _, n := range []int{1, 2, 3, 4} {
		if seen[n] == 0 {
			t.Errorf("no run of %v had %d splits", seen, n)
		}
	}
	if c.Faults = scenario.NoFaults; runner(t, c).Run(1).Splits != 2 {
		t.Error("a calm run has other splits than a source for each")
	}
}
