package dataflow

import (
	"testing"

	"weir/id"
	"weir/trace"
)

// TestCompletion: a round counts when it is complete or gone back to, a line when all tasks are on it.
func TestCompletion(t *testing.T) {
	const a, b = id.Epoch(1<<20 | 1), id.Epoch(1<<20 | 2)
	for _, c := range []struct {
		what string
		said []trace.Event
		want Complete
	}{
		{"nothing was said", nil, Complete{}},
		{"a plan that begins from nothing", []trace.Event{{Kind: trace.PlanExecuted}}, Complete{}},
		{"rounds", []trace.Event{{Kind: trace.Completed, Epoch: a}, {Kind: trace.Triggered, Epoch: b}}, Complete{Epoch: a}},
		{"a recovery that goes back", []trace.Event{{Kind: trace.Completed, Epoch: b}, {Kind: trace.PlanExecuted, Epoch: a}}, Complete{Epoch: a}},
		{"half a line", []trace.Event{{Kind: trace.LineAdvanced, Task: 1, Epoch: a}, {Kind: trace.LineAdvanced, Task: 1, Epoch: b}}, Complete{}},
		{"a line", []trace.Event{{Kind: trace.LineAdvanced, Task: 1, Epoch: b}, {Kind: trace.LineAdvanced, Epoch: a}, {Kind: trace.PlanExecuted}}, Complete{Line: []id.Epoch{a, b}}},
	} {
		var x Completion
		for i := range c.said {
			x.Note(c.said[i].Kind, 2, c.said[i].Task, c.said[i].Epoch)
		}
		got := x.Newest()
		if !got.Equal(&c.want) || got.None() != c.want.None() || got.Name() != c.want.Name() {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
		if again := x.Newest(); len(got.Line) > 0 {
			if got.Line[0] = 0; again.Line[0] == 0 {
				t.Errorf("%s: what was returned is shared", c.what)
			}
		}
	}
}
