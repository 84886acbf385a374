package seed

import "testing"

// TestFamilyIsStreams: a family draws what the streams of its name draw, with and
// without a tape, from which it replays, and also when recording begins late.
func TestFamilyIsStreams(t *testing.T) {
	const keys, draws = 5, 40
	draw := func(src *Source, f *Family) (all []int64) {
		f.Begin(src, "delay")
		for i := range draws {
			key := i * i % keys
			all = append(all, f.Range(key, 3, int64(10+i)), int64(f.Draw(key, 1+i)))
		}
		return all
	}
	want := func() (all []int64) {
		src := New(7)
		for i := range draws {
			st := src.Stream("delay", uint64(i*i%keys))
			all = append(all, st.Range(3, int64(10+i)), int64(st.Draw(1+i)))
		}
		return all
	}()
	same := func(what string, got []int64) {
		t.Helper()
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: draw %d is %d, want %d", what, i, got[i], want[i])
			}
		}
	}
	var f Family
	same("plain", draw(New(7), &f))
	same("in used memory", draw(New(7), &f))
	var tape Tape
	src := New(7)
	src.Record(&tape)
	same("recorded", draw(src, &f))
	same("replayed", draw(NewReplay(&tape), &f))

	src = New(7)
	f.Begin(src, "delay")
	first := f.Range(2, 3, 10)
	src.Record(&tape)
	second := f.Range(2, 3, 10)
	st := New(7).Stream("delay", 2)
	if a, b := st.Range(3, 10), st.Range(3, 10); first != a || second != b {
		t.Errorf("a late tape: %d and %d, want %d and %d", first, second, a, b)
	}
	if len(tape.decisions) != 1 {
		t.Errorf("the late tape has %d decisions", len(tape.decisions))
	}
}
