package conformance

import (
	"testing"

	"weir/algorithms"
	"weir/algorithms/algorithmstest"
	"weir/algorithms/catalog"
	"weir/scenario/simtest"
)

func seeds() uint64 {
	if simtest.Full() {
		return 400
	}
	return 25
}

// TestConformance: what every algorithm of the catalog, and every family of
// algorithmstest, declares holds and is shown.
func TestConformance(t *testing.T) {
	for _, s := range append(catalog.All(), algorithmstest.LaiYang(), algorithmstest.StrongProductions(), algorithmstest.Causal()) {
		t.Run(s.Name, func(t *testing.T) {
			v := try(t, s)
			for _, r := range v.Refuted {
				t.Errorf("refuted: %s", r)
			}
			for _, r := range v.Idle {
				t.Errorf("idle: %s", r)
			}
		})
	}
}

func try(t *testing.T, s *algorithms.Spec) *Verdict {
	t.Helper()
	v, err := Try(s, seeds())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d runs: %+v", v.Runs, v.seen.counts)
	return v
}

// TestLiars: a property that is declared falsely is refuted, or no run shows it.
func TestLiars(t *testing.T) {
	for _, l := range algorithmstest.Liars() {
		t.Run(l.Spec.Name+"/"+l.Property, func(t *testing.T) {
			v := try(t, l.Spec)
			if v.OK() {
				t.Error("believed")
			}
			t.Log(v.Refuted, v.Idle)
		})
	}
}
