package dataflow

import (
	"testing"

	"pgregory.net/rapid"
)

// TestInputSetAgainstNaive: the set answers as a scan over all inputs does.
func TestInputSetAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inputs := rapid.IntRange(1, 200).Draw(t, "inputs")
		s, in := newInputSet(inputs), make([]bool, inputs)
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			i := rapid.IntRange(0, inputs-1).Draw(t, "input")
			if in[i] {
				s.remove(i)
			} else {
				s.add(i)
			}
			in[i] = !in[i]
			last := rapid.IntRange(0, inputs-1).Draw(t, "last")
			var members []int // in the order of the rotation
			for k := 1; k <= inputs; k++ {
				if j := (last + k) % inputs; in[j] {
					members = append(members, j)
				}
			}
			if s.n != len(members) {
				t.Fatalf("%d members, want %d", s.n, len(members))
			}
			for k, want := range members {
				if got := s.after(last, k); got != want {
					t.Fatalf("member %d after %d: %d, want %d", k, last, got, want)
				}
			}
		}
	})
}
