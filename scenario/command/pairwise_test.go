package command

import "testing"

// TestPairwise: every pair of the product is in what is run, which is much less.
func TestPairwise(t *testing.T) {
	c := choice{known: newProgram("", nil), algorithm: "all", state: "all", sink: "all", workload: "all", parallelism: 2, events: -1, defaultGroups: 16}
	all, _, err := c.product(true)
	if err != nil {
		t.Fatal(err)
	}
	chosen, _, err := c.combinations(true)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) <= mostWhole || 3*len(chosen) > len(all) {
		t.Errorf("%d of %d combinations", len(chosen), len(all))
	}
	have := map[[3]string]bool{}
	for i := range chosen {
		for _, p := range pairs(&chosen[i]) {
			have[p] = true
		}
	}
	for i := range all {
		for _, p := range pairs(&all[i]) {
			if !have[p] {
				t.Fatalf("%v is in no combination", p)
			}
		}
	}
}
