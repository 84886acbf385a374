package seed

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// play makes a mixed sequence of draws on three streams and prints it.
func play(s *Source, steps int) []string {
	var out []string
	for i := range steps {
		a, b := s.Stream("a"), s.Stream("link", uint64(i%3), 9)
		out = append(out, fmt.Sprintf("a %d %v", a.Draw(2+i%5), a.Chance(1, 4)))
		out = append(out, fmt.Sprintf("link/%d %d", i%3, b.Range(-3, 40)))
		if i%4 == 0 {
			out = append(out, fmt.Sprintf("any %d", s.Stream("any thing").Uint64()))
		}
	}
	return out
}

func record(seed uint64, steps int) (*Tape, []string) {
	s, tape := New(seed), new(Tape)
	s.Record(tape)
	return tape, play(s, steps)
}

func sameLines(t failer, what string, got, want []string) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: step %d is %q, want %q", what, i, got[i], want[i])
		}
	}
}

func TestRecordingChangesNothing(t *testing.T) {
	_, recorded := record(1, 50)
	sameLines(t, "recorded run", recorded, play(New(1), 50))
}

func TestReplayIsIdentical(t *testing.T) {
	tape, want := record(2, 50)
	s, again := NewReplay(tape), new(Tape)
	s.Record(again)
	sameLines(t, "replay", play(s, 50), want)
	if !again.Equal(tape) {
		t.Error("the tape of the replay differs from the tape replayed")
	}
}

func TestTruncatedTapeEndsQuietly(t *testing.T) {
	tape, want := record(3, 50)
	tape.Truncate(40)
	got := play(NewReplay(tape), 50)
	sameLines(t, "before the cut", got[:27], want[:27])
	quiet := play(NewReplay(new(Tape)), 50)
	sameLines(t, "after the cut", got[28:], quiet[28:])
	if quiet[0] != "a 0 false" || quiet[1] != "link/0 -3" || quiet[2] != "any 0" {
		t.Errorf("an empty tape is not quiet: %q", quiet[:3])
	}
}

func TestRecordingStartedLate(t *testing.T) {
	s, tape := New(4), new(Tape)
	st := s.Stream("a")
	st.Draw(5)
	s.Record(tape)
	want := draws(st, 10)
	s.Record(nil)
	st.Draw(5)
	if tape.Len() != 10 {
		t.Fatalf("%d decisions on the tape, want 10", tape.Len())
	}
	equal(t, "replay", draws(NewReplay(tape).Stream("a"), 10), want)
}

// Dropping decisions of one stream must move nothing in another.
func TestDeletionStaysWithinItsStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tape, _ := record(rapid.Uint64().Draw(t, "seed"), 20)
		i := rapid.IntRange(0, tape.Len()-1).Draw(t, "position")
		d := tape.At(i)
		shrunk := tape.Clone()
		if rapid.Bool().Draw(t, "delete") {
			shrunk.Delete(i, i+1)
		} else {
			shrunk.Set(i, d.Value+1)
		}
		s, r := NewReplay(shrunk), NewReplay(tape)
		for k := range int32(len(tape.streams)) {
			if k == d.Stream {
				continue
			}
			id := tape.streams[k]
			equal(t, tape.StreamName(k), draws(s.Stream(id.name, id.keys...), 30), draws(r.Stream(id.name, id.keys...), 30))
		}
	})
}

func TestValuesAreReducedToTheBoundAskedFor(t *testing.T) {
	tape, err := ParseTape("weir-tape 1\na 17/20\na 1/2\na 9/10\n")
	if err != nil {
		t.Fatal(err)
	}
	s := NewReplay(tape).Stream("a")
	if a, b, c := s.Draw(5), s.Draw(1), s.Chance(1, 1000); a != 2 || b != 0 || !c {
		t.Errorf("17 below 5, 1 below 1, 9 as a chance gave %d, %d, %v; want 2, 0, true", a, b, c)
	}
}

func TestTrimKeepsTheRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tape, _ := record(rapid.Uint64().Draw(t, "seed"), 20)
		i := rapid.IntRange(0, tape.Len()).Draw(t, "from")
		tape.Quiet(i, tape.Len())
		want := play(NewReplay(tape), 20)
		trimmed := tape.Clone()
		trimmed.Trim()
		sameLines(t, "trimmed", play(NewReplay(trimmed), 20), want)
		if trimmed.Len() > i || trimmed.Loud() != tape.Loud() {
			t.Errorf("trimmed to %d decisions, %d loud; want at most %d, %d loud", trimmed.Len(), trimmed.Loud(), i, tape.Loud())
		}
	})
}
