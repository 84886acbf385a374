package conformance

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/dataflow"
	"weir/internal/algorithms/algorithmstest"
	"weir/scenario/simtest"
)

func seeds() uint64 {
	if simtest.Full() {
		return 400
	}
	return 16
}

// TestConformance: what every algorithm of the catalog, and every family of
// algorithmstest, declares holds and is shown.
func TestConformance(t *testing.T) {
	for _, s := range everyAlgorithm() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
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

// TestThreeAtOnce: whoever declares that three snapshots are under way at once is let
// have as many.
func TestThreeAtOnce(t *testing.T) {
	s := aligned.Spec()
	s.Declared.MaxConcurrent = 3
	if v := try(t, s); !v.OK() || v.seen.Rounds != 3 {
		t.Error(v.Refuted, v.Idle)
	}
}

func try(t *testing.T, s *algorithms.Spec) *Verdict {
	t.Helper()
	v, err := Try(s, seeds())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d runs: %+v, recoveries by topology %v", v.Runs, v.seen.counts, v.topologies)
	return v
}

// TestLiars: a property that is declared falsely is refuted, or no run shows it.
func TestLiars(t *testing.T) {
	for _, l := range algorithmstest.Liars() {
		t.Run(l.Spec.Name+"/"+l.Property, func(t *testing.T) {
			t.Parallel()
			v := try(t, l.Spec)
			if v.OK() {
				t.Error("believed")
			}
			t.Log(v.Refuted, v.Idle)
		})
	}
}

// TestEveryPropertyHasALiar: TestLiars refutes one for each field of dataflow.Properties.
func TestEveryPropertyHasALiar(t *testing.T) {
	refuted := map[string]bool{}
	for _, l := range algorithmstest.Liars() {
		declared, _, _ := strings.Cut(strings.TrimPrefix(l.Property, "no "), ":")
		for name := range strings.SplitSeq(declared, ", ") {
			refuted[name] = true
		}
	}
	names := fields(reflect.TypeFor[dataflow.Properties](), "")
	missing(t, "property (liar)", names, refuted, nil)
	for name := range refuted {
		if name != "Captures" && !slices.Contains(names, name) {
			t.Errorf("a liar names %s, which is no property", name)
		}
	}
}

func fields(p reflect.Type, prefix string) (names []string) {
	for f := range p.Fields() {
		if f.Type.Kind() == reflect.Struct {
			names = append(names, fields(f.Type, f.Name+".")...)
		} else {
			names = append(names, prefix+f.Name)
		}
	}
	return names
}
