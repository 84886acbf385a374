package command

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"weir/algorithms/catalog"
)

// TestListSaysWhatIsDeclared: every algorithm of the catalog with every property
// in words, and the lists of names beside it that scripts read.
func TestListSaysWhatIsDeclared(t *testing.T) {
	status, stdout, stderr := sim(t, "list", "--json")
	var got struct {
		Algorithms, States, Workloads []string
		Properties                    []map[string]any
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s", status, err, stderr)
	}
	if !slices.Equal(got.Algorithms, catalog.Names()) || len(got.States) == 0 || len(got.Workloads) == 0 {
		t.Errorf("names: %q, %q, %q", got.Algorithms, got.States, got.Workloads)
	}
	if len(got.Properties) != len(got.Algorithms) {
		t.Fatalf("%d algorithms with properties, %d names", len(got.Properties), len(got.Algorithms))
	}
	for i, p := range got.Properties {
		if p["name"] != got.Algorithms[i] {
			t.Errorf("%v stands where %s should", p["name"], got.Algorithms[i])
		}
		for key, v := range p {
			if s, ok := v.(string); ok && strings.TrimSpace(s) == "" {
				t.Errorf("%v: %s is not said", p["name"], key)
			}
		}
	}
}
