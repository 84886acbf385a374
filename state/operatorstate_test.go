package state_test

import (
	"fmt"
	"testing"

	"weir/state"
)

// TestWhatAddsUpOutlivesARescaling: two tasks become three and one; the sum without
// what stands apart is that of all items of Split lists, whoever has which.
func TestWhatAddsUpOutlivesARescaling(t *testing.T) {
	task := func(i, of int, handles ...state.Handle) *state.OperatorState {
		s := state.NewOperatorState(state.Open{Instance: i, Instances: of})
		for name, mode := range map[string]state.Redistribution{"split": state.Split, "union": state.Union, "rules": state.Broadcast} {
			if _, err := s.List(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.RestoreOperator(handles); err != nil {
			t.Fatal(err)
		}
		return &s
	}
	fill := func(s *state.OperatorState, name string, mode state.Redistribution, items ...string) {
		l, err := s.List(name, mode)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			l.Items = append(l.Items, []byte(item))
		}
	}
	sum := func(tasks ...*state.OperatorState) (sum uint64) {
		for _, s := range tasks {
			sum += s.SumOperator() - s.SumApart()
		}
		return sum
	}
	a, b := task(0, 2), task(1, 2)
	for i, s := range []*state.OperatorState{a, b} {
		fill(s, "union", state.Union, fmt.Sprint("u", i))
		fill(s, "rules", state.Broadcast, "rule")
	}
	if sum(a, b) != 0 {
		t.Error("lists that each task has whole add up to something")
	}
	fill(a, "split", state.Split, "1", "2", "3")
	fill(b, "split", state.Split, "4", "5")
	want := sum(a, b)
	old := []state.Handle{{Operator: a.AppendOperator(nil)}, {Operator: b.AppendOperator(nil)}}
	if got := sum(task(0, 3, old...), task(1, 3, old...), task(2, 3, old...)); got != want || want == 0 {
		t.Errorf("three tasks: %#x, want %#x", got, want)
	}
	if got := sum(task(0, 1, old...)); got != want {
		t.Errorf("one task: %#x, want %#x", got, want)
	}
	if got := sum(task(0, 3, old...), task(1, 3, old...)); got == want {
		t.Error("an instance is missing, and nothing is seen")
	}
}
