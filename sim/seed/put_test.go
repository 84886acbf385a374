package seed

import "testing"

// TestPut: an answer that was decided elsewhere stands on the tape as if it had been drawn;
// a replay by those who draw gets it, and the draws around it are those without it.
func TestPut(t *testing.T) {
	var tape Tape
	s := New(5)
	s.Record(&tape)
	var f Family
	f.Begin(s, "family")
	st := s.Stream("a")
	first, put, ranged, last := st.Draw(100), f.Put(3, 10, 7), f.PutRange(3, 50, 60, 54), st.Draw(100)
	if put != 7 || ranged != 54 {
		t.Errorf("put 7 and 54, got %d and %d", put, ranged)
	}
	plain := New(5).Stream("a")
	if a, b := plain.Draw(100), plain.Draw(100); a != first || b != last {
		t.Errorf("the draws around it are %d and %d, %d and %d without it", first, last, a, b)
	}
	r := NewReplay(&tape)
	f.Begin(r, "family")
	if a, b := f.Draw(3, 10), f.Range(3, 50, 60); a != 7 || b != 54 {
		t.Errorf("drawn in a replay: %d and %d", a, b)
	}
	r.Replay(&tape)
	f.Begin(r, "family")
	if a, b := f.Put(3, 10, 1), f.PutRange(3, 50, 60, 51); a != 7 || b != 54 {
		t.Errorf("put in a replay: %d and %d, the tape has 7 and 54", a, b)
	}
	f.Begin(New(5), "family")
	if a, b := f.Put(3, 10, 1), f.PutRange(3, 50, 60, 51); a != 1 || b != 51 {
		t.Errorf("put without a tape: %d and %d", a, b)
	}
}
