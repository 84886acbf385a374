package catalog

import (
	"strings"
	"testing"

	"weir/algorithms"
	"weir/dataflow"
)

// TestNames: every algorithm is found under its name, and no two have one.
func TestNames(t *testing.T) {
	for _, name := range Names() {
		if s, err := Lookup(name); err != nil || s.Name != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Lookup("no-" + strings.Join(Names(), "-")); err == nil || !strings.Contains(err.Error(), strings.Join(Names(), ", ")) {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestNameTwice: one entry must not stand in the shadow of another.
func TestNameTwice(t *testing.T) {
	all := append(All(), &algorithms.Spec{Name: Names()[0]})
	if s, err := all.Lookup(Names()[0]); err == nil || !strings.Contains(err.Error(), "2 algorithms are called "+Names()[0]) {
		t.Errorf("%v, %v", s, err)
	}
}

// TestNoVacuousPromise: without a cycle no snapshot is useless, whatever an
// algorithm does; see dataflow.Properties.
func TestNoVacuousPromise(t *testing.T) {
	for _, s := range All() {
		if s.Declared.NoneUseless && s.Declared.Topologies == dataflow.Acyclic {
			t.Errorf("%s declares NoneUseless, and runs no graph in which a snapshot could be", s.Name)
		}
	}
}
