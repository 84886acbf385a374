package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/scenario/counterexample"
)

func read(t *testing.T, name string) *counterexample.File {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := counterexample.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestShrink: a shrunk file breaks the same and replays; one that breaks nothing
// any more is said so, and nothing is written.
func TestShrink(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	small := strings.TrimSuffix(file, ".weir") + ".small.weir"
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "12", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	if status, _, stderr := sim(t, "shrink", file); status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	was, is := read(t, file), read(t, small)
	if is.Signature() != was.Signature() || len(is.Plan.Faults) >= len(was.Plan.Faults) || 2*len(is.Decisions) > len(was.Decisions) {
		t.Errorf("%s with %d faults and %d decisions; it was %s with %d and %d", is.Signature(), len(is.Plan.Faults), len(is.Decisions), was.Signature(), len(was.Plan.Faults), len(was.Decisions))
	}
	if status, stdout, stderr := sim(t, "replay", small); status != 5 || !strings.HasPrefix(stdout, "reproduced, every event as it was") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	before, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, file, "mutant no-fence\n", "")
	status, _, stderr := sim(t, "shrink", file)
	if after, err := os.ReadFile(small); status != 1 || !strings.Contains(stderr, "nothing was written") || err != nil || string(after) != string(before) {
		t.Errorf("status %d: %s; %v", status, stderr, err)
	}
	for _, args := range [][]string{{"shrink"}, {"shrink", file, "--budget", "0s"}, {"shrink", filepath.Join(t.TempDir(), "none")}} {
		if status, _, _ := sim(t, args...); status != 2 {
			t.Errorf("%q: status %d", args, status)
		}
	}
}

// TestShrinkOutOfTime: what was found until then is written and still breaks the same.
func TestShrinkOutOfTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "12", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	p := newProgram("", nil)
	was, runs := read(t, file), 0
	var last *counterexample.File
	s := counterexample.Shrinker{
		Try:    func(f *counterexample.File) *counterexample.File { return p.try(f, nil) },
		Better: func(f *counterexample.File) { last = f },
		Over:   func() bool { runs++; return runs > 12 },
	}
	best, made := s.Shrink(was)
	if best == nil || last == nil || best != last || made > 13 || best.Signature() != was.Signature() {
		t.Fatalf("%d runs, %v", made, best)
	}
}
