package seed

import "testing"

// about draws from one stream for two purposes: more times for the first than it was recorded
// with.
func about(src *Source, more int) (first, second []int) {
	var f Family
	f.Begin(src, "family")
	for i := range 20 + more {
		f.About(3, 1)
		first = append(first, f.Draw(3, 1000))
		if i < 20 {
			f.About(3, 2)
			second = append(second, int(f.Range(3, 0, 999)))
		}
	}
	return first, second
}

// TestAbout: what draws are about changes none of them; a replay with more about one thing leaves
// those about another, also from the text of its decisions; and a tape that tells nothing
// apart is replayed in its order.
func TestAbout(t *testing.T) {
	var tape Tape
	s := New(5)
	s.Record(&tape)
	first, second := about(s, 0)
	plain, whole := New(5).Stream("family", 3), Tape{}
	for i := range first {
		if a, b := plain.Draw(1000), plain.Draw(1000); a != first[i] || b != second[i] {
			t.Fatalf("pair %d is %d and %d, %d and %d without About", i, first[i], second[i], a, b)
		}
	}
	whole.addStream(identity("family", []uint64{3}), "family", []uint64{3})
	for i := range first {
		whole.decisions = append(whole.decisions, Decision{0, 1000, uint64(first[i])}, Decision{0, 1000, uint64(second[i])})
	}
	for name, replay := range map[string]*Tape{"the tape": &tape, "its text": TapeOf(tape.Named()), "a tape of one stream": &whole} {
		more := 3
		if replay == &whole {
			more = 0
		}
		a, b := about(NewReplay(replay), more)
		for i := range first {
			if a[i] != first[i] || b[i] != second[i] {
				t.Errorf("%s, pair %d: %d and %d, recorded as %d and %d", name, i, a[i], b[i], first[i], second[i])
			}
		}
	}
	s.Redraw(&Tape{}, 5)
	if a, b := about(s, 0); a[19] != first[19] || b[19] != second[19] {
		t.Error("what is drawn anew is not what the seed draws")
	}
}
