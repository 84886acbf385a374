package seed

import (
	"testing"

	"pgregory.net/rapid"
)

// TestNamedReplays: what is loud, read back from its text, replays the same draws.
func TestNamedReplays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tape := tapes().Draw(t, "tape")
		named := tape.Named()
		for i := range named {
			back, column, err := ParseNamed(named[i].String())
			if err != nil {
				t.Fatalf("%s: column %d: %v", &named[i], column, err)
			}
			named[i] = back
		}
		again := new(Tape)
		s := NewReplay(TapeOf(named))
		s.Record(again)
		for _, d := range tape.decisions {
			in := &tape.streams[d.Stream]
			if st := s.Stream(in.name, in.keys...); d.N == 0 {
				st.Uint64()
			} else {
				st.Range(0, int64(d.N-1))
			}
		}
		if !again.Equal(tape) {
			t.Fatalf("recorded\n%sreplayed\n%s", tape, again)
		}
		if first, count := again.Departures(named); first != nil || count != 0 {
			t.Fatalf("%d departures, first %s", count, first)
		}
	})
}

// TestDepartures: a place that is not drawn any more, and one with another bound.
func TestDepartures(t *testing.T) {
	named := []Named{{"a", nil, 0, 5, 3}, {"b", []uint64{7}, 1, 9, 8}, {"a", nil, 2, 5, 1}}
	replay := func(bound int) *Tape {
		again, s := new(Tape), NewReplay(TapeOf(named))
		s.Record(again)
		s.Stream("new").Draw(3) // moves nothing
		for range 3 {
			s.Stream("a").Draw(5)
		}
		s.Stream("b", 7).Draw(9)
		if bound > 0 {
			s.Stream("b", 7).Draw(bound)
		}
		return again
	}
	for bound, want := range map[int]string{0: "b/7 1 8/9 was never drawn", 4: "b/7 1 8/9 was drawn below 4"} {
		if first, count := replay(bound).Departures(named); count != 1 || first.String() != want {
			t.Errorf("bound %d: %d, %s; want %s", bound, count, first, want)
		}
	}
	if first, count := replay(9).Departures(named); first != nil || count != 0 {
		t.Errorf("%d, %s", count, first)
	}
}

func TestNamedErrors(t *testing.T) {
	for text, want := range map[string]int{"": 1, "= 1 1/2": 1, "a": 2, "a x 1/2": 3, "a 4194305 1/2": 3, "a 1": 4, "a 1 5": 5, "a 1 2/2": 5, "a 1 2/x": 7, "a/x 1 1/2": 3} {
		if n, column, err := ParseNamed(text); err == nil || column != want {
			t.Errorf("%q: %v, column %d, %v; want one at column %d", text, n, column, err, want)
		}
	}
}
