package sinks_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/external/sinks"
)

// TestNames: every sink is found under its name, and no two have one.
func TestNames(t *testing.T) {
	for _, name := range sinks.Names() {
		if s, err := sinks.Lookup(name); err != nil || s.Name != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(sinks.Names()))); len(sorted) != len(sinks.Names()) {
		t.Errorf("two sinks have one name: %v", sinks.Names())
	}
	if _, err := sinks.Lookup("no-" + strings.Join(sinks.Names(), "-")); err == nil || !strings.Contains(err.Error(), strings.Join(sinks.Names(), ", ")) {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestDefaultIsServed: what an algorithm gets unless it is told it can serve, and
// a refusal says what else it can.
func TestDefaultIsServed(t *testing.T) {
	for _, p := range []dataflow.Properties{
		{State: dataflow.AtMostOnce, Output: dataflow.AtMostOnce},
		{State: dataflow.AtLeastOnce, Output: dataflow.AtLeastOnce, Snapshots: dataflow.Rounds},
		{State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Snapshots: dataflow.LocalSnapshots, NonDeterminism: dataflow.Tolerated},
	} {
		promise, err := sinks.For(p).Promise(p, true)
		if err != nil || promise.Output != p.Output {
			t.Errorf("%+v: %v, %v", p, promise, err)
		}
		for _, s := range sinks.All() {
			_, err := s.Promise(p, true)
			var r *sinks.Refusal
			if err != nil && (!errors.As(err, &r) || r.Sink != s.Name || !slices.Contains(r.Others, sinks.For(p).Name)) {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}
