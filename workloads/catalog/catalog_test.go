package catalog

import (
	"strings"
	"testing"
)

// TestCatalog holds for whatever the catalog lists: a name of its own, and
// settings that are valid, also those of a sweep, which are smaller.
func TestCatalog(t *testing.T) {
	for _, name := range Names() {
		w, err := New(name)
		if err != nil || w.Name() != name {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := w.Validate(); err != nil {
			t.Errorf("%s: defaults are not valid: %v", name, err)
		}
		whole := w.Events()
		w.Small()
		if err := w.Validate(); err != nil || w.Events() < 1 || w.Events() >= whole {
			t.Errorf("%s: %d events, small %d: %v", name, whole, w.Events(), err)
		}
	}
	if _, err := New("no-" + strings.Join(Names(), "-")); err == nil || !strings.Contains(err.Error(), strings.Join(Names(), ", ")) {
		t.Errorf("unknown name: %v", err)
	}
}

// TestNameTwice: one entry must not stand in the shadow of another.
func TestNameTwice(t *testing.T) {
	all := append(Constructors(), Constructors()[0])
	if w, err := all.New(Names()[0]); err == nil || !strings.Contains(err.Error(), "2 workloads are called "+Names()[0]) {
		t.Errorf("%v, %v", w, err)
	}
}
