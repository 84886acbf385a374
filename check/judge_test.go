package check

import (
	"slices"
	"strings"
	"testing"
)

// mustFire fails the test unless exactly the given oracles fired, the first of
// them with the given words.
func mustFire(t *testing.T, r *Report, words string, oracles ...Oracle) {
	t.Helper()
	found := words == ""
	for _, v := range r.Violations {
		if v.Oracle == oracles[0] && strings.Contains(v.String(), words) {
			found = true
		}
	}
	if !found {
		t.Errorf("no violation of %s mentions %q", oracles[0], words)
	}
	for o, n := range r.Counts {
		if want := slices.Contains(oracles, Oracle(o)); want != (n > 0) {
			t.Errorf("%s: %d violations, fired: want %v", Oracle(o), n, want)
		}
	}
	if t.Failed() {
		for _, v := range r.Violations {
			t.Log(v)
		}
	}
}

func mustPass(t *testing.T, r *Report) {
	t.Helper()
	for _, v := range r.Violations {
		t.Errorf("%s", v)
	}
}

// contains reports whether an oracle has said words.
func contains(r *Report, o Oracle, words string) bool {
	return slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Oracle == o && strings.Contains(v.Text, words) })
}
