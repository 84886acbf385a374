package command

import (
	"slices"
	"testing"

	"weir/algorithms/catalog"
	"weir/results"
	"weir/scenario/mutants"
	statecatalog "weir/state/catalog"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// TestNamesAreDistinct: whatever is chosen by a name is chosen by one of its own.
func TestNamesAreDistinct(t *testing.T) {
	var events, metrics []string
	for k := range trace.Kinds {
		events = append(events, k.String())
	}
	for _, m := range results.Metrics() {
		metrics = append(metrics, m.Name)
	}
	for what, names := range map[string][]string{
		"algorithms": catalog.Names(), "workloads": workloadcatalog.Names(), "states": statecatalog.Names(),
		"mutants": mutants.Names(), "events": events, "metrics": metrics,
	} {
		sorted := slices.Sorted(slices.Values(names))
		if len(names) == 0 || len(slices.Compact(sorted)) != len(names) || slices.Contains(names, "") {
			t.Errorf("%s: a name is empty or stands twice: %q", what, names)
		}
	}
	for _, w := range workloadcatalog.All() {
		names := w.SettingNames()
		if len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
			t.Errorf("settings of %s: %q", w.Name(), names)
		}
	}
}
