package command

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPairwise: every pair of the product is in what is run, which is much less.
func TestPairwise(t *testing.T) {
	c := choice{known: newProgram("", nil), algorithm: "all", state: "all", sink: "all", workload: "all", parallelism: 2, events: -1, defaultGroups: 16}
	all, _, err := c.product(true)
	if err != nil {
		t.Fatal(err)
	}
	selected, err := c.combinations(true)
	if err != nil {
		t.Fatal(err)
	}
	chosen := selected.cfgs
	if len(all) <= mostWhole || 3*len(chosen) > len(all) || selected.pairwiseOf != len(all) {
		t.Errorf("%d of %d combinations, %d as it says", len(chosen), len(all), selected.pairwiseOf)
	}
	for i := range chosen {
		if err := chosen[i].Refused(); err != nil {
			t.Errorf("%s, %s, %s: %v", chosen[i].Algorithm.Name, chosen[i].SinkName(), chosen[i].Workload.Name(), err)
		}
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

// TestSweepOfEverythingSaysPairwise: whatever is in the catalogs, and its summary too.
func TestSweepOfEverythingSaysPairwise(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--algorithm", "all", "--state", "all", "--sink", "all", "--workload", "all", "--seeds", "1", "--budget", "1ns", "--json")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var total tally
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &total); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s", status, err, stderr)
	}
	if total.PairwiseOf <= len(lines) || !strings.Contains(stderr, "pairwise of ") || strings.Contains(stdout, `"refused"`) {
		t.Errorf("%d lines, pairwise of %d: %.300s", len(lines), total.PairwiseOf, stderr)
	}
}
