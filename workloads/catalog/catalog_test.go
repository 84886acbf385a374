package catalog

import (
	"slices"
	"strings"
	"testing"
)

func TestCatalog(t *testing.T) {
	want := []string{"keyedcount", "nexmark-q0", "nexmark-q1", "nexmark-q5", "nexmark-q8", "pipelines"}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range want {
		w, err := New(name)
		if err != nil || w.Name() != name {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := w.Validate(); err != nil {
			t.Errorf("%s: defaults are not valid: %v", name, err)
		}
		w.Small()
		if err := w.Validate(); err != nil || w.Events() != 240 {
			t.Errorf("%s: small is %d events: %v", name, w.Events(), err)
		}
	}
	if _, err := New("wordcount"); err == nil || !strings.Contains(err.Error(), "nexmark-q8") {
		t.Errorf("unknown name: %v", err)
	}
}
