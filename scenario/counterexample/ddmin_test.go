package counterexample

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestDdmin: of a list in which certain elements are needed together, these are
// left, in their order; and fewer tests are made than elements are tried one by one
// where few of many are needed.
func TestDdmin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		needed := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, min(n, 5), rapid.ID[int]).Draw(t, "needed")
		slices.Sort(needed)
		list, tests := make([]int, n), 0
		for i := range list {
			list[i] = i
		}
		got := ddmin(list, func() bool { return false }, func(kept []int) ([]int, bool) {
			tests++
			for _, x := range needed {
				if !slices.Contains(kept, x) {
					return nil, false
				}
			}
			return kept, true
		})
		if !slices.Equal(got, needed) {
			t.Fatalf("kept %v, needed %v", got, needed)
		}
		if most := 40 + 40*len(needed); tests > most {
			t.Errorf("%d tests for %d of %d; at most %d", tests, len(needed), n, most)
		}
	})
}

// TestDdminIsMinimal: whatever the test, nothing that is left can be left out alone.
func TestDdminIsMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, key := rapid.IntRange(1, 40).Draw(t, "n"), rapid.Uint64().Draw(t, "key")
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		fails := func(kept []int) bool { // any, but the same for the same list
			h := key
			for _, x := range kept {
				h = (h ^ uint64(x+1)) * 0x100000001b3
			}
			return len(kept) == n || h>>33%5 == 0
		}
		got := ddmin(list, func() bool { return false }, func(kept []int) ([]int, bool) { return kept, fails(kept) })
		if !fails(got) {
			t.Fatalf("%v is not accepted", got)
		}
		for i := range got {
			if less := slices.Delete(slices.Clone(got), i, i+1); fails(less) {
				t.Fatalf("of %v %v is enough", got, less)
			}
		}
	})
}

// TestDdminOutOfTime: what was accepted until then is returned.
func TestDdminOutOfTime(t *testing.T) {
	tests, last := 0, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	got := ddmin(last, func() bool { return tests >= 6 }, func(kept []int) ([]int, bool) {
		tests++
		ok := slices.Contains(kept, 7)
		if ok {
			last = kept
		}
		return kept, ok
	})
	if tests > 6 || !slices.Equal(got, last) || len(got) == 10 {
		t.Errorf("%d tests, %v; last accepted %v", tests, got, last)
	}
}
