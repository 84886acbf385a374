package scenario_test

import (
	"fmt"
	"testing"

	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// workload returns a workload with its settings for sweeps.
func workload(t testing.TB, name string) workloads.Workload {
	t.Helper()
	w, err := workloadcatalog.New(name)
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	return w
}

// combination returns a configuration with drawn faults.
func combination(t testing.TB, algorithm, state string, w workloads.Workload) scenario.Config {
	t.Helper()
	a, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return scenario.Config{Algorithm: a, State: state, Workload: w}
}

// runner returns a runner that is closed when the test ends.
func runner(t testing.TB, c scenario.Config) *scenario.Runner {
	t.Helper()
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// fits reports that an algorithm can run a workload, by what it declares.
func fits(t testing.TB, a *algorithms.Spec, name string) bool {
	t.Helper()
	g, err := workload(t, name).Graph(2, func() dataflow.Operator { return nil })
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	return catalog.Fit(a, g, &c) == nil
}

// exactlyOnce returns the names of the algorithms that promise exactly once.
func exactlyOnce() []string {
	var names []string
	for _, a := range catalog.All() {
		if p := a.Properties(); p.State == dataflow.ExactlyOnce && p.Output == dataflow.ExactlyOnce {
			names = append(names, a.Name)
		}
	}
	return names
}

func mustParse(t testing.TB, text string) faults.Plan {
	t.Helper()
	p, err := faults.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// planError returns what is said about a plan that does not parse.
func planError(text string) string {
	_, err := faults.Parse(text)
	return fmt.Sprint(err)
}
