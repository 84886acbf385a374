package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/faults"
	"weir/scenario/counterexample"
)

// TestFound replays every pin of this repository: each comes to what stands in it.
func TestFound(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", pinDir, "*"+extension))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pins: %v", err)
	}
	p := newProgram("", nil)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), extension), func(t *testing.T) {
			pin, _, err := p.open(name)
			if err != nil {
				t.Fatalf("the pin can no longer be read: %v", err)
			}
			if pin.Expect == counterexample.NoPin {
				t.Fatal("no line \"expect\"")
			}
			if wrong, err := p.judgePin(pin); wrong != "" || err != nil {
				t.Errorf("%s %v\nreplay: %s replay %s", wrong, err, p.call, filepath.Join(pinDir, filepath.Base(name)))
			}
		})
	}
}

// shrunk returns the name of a small counterexample of a mutant.
func shrunk(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "found.weir")
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	if status, _, stderr := sim(t, "shrink", file); status != 0 {
		t.Fatal(stderr)
	}
	return strings.TrimSuffix(file, extension) + ".small" + extension
}

// TestPin: a pin says what is expected, and one that is no longer what it was is
// told by what changed.
func TestPin(t *testing.T) {
	small, dir := shrunk(t), filepath.Join(t.TempDir(), "pins")
	status, stdout, stderr := sim(t, "pin", small, "--dir", dir)
	name, _, _ := strings.Cut(stdout, "\n")
	if status != 0 || !strings.Contains(stdout, "expected: failing") || filepath.Dir(name) != dir {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	p, pin := newProgram("", nil), read(t, name)
	judge := func(edit func(f *counterexample.File)) (string, error) {
		f := *pin
		edit(&f)
		return p.judgePin(&f)
	}
	if wrong, err := judge(func(*counterexample.File) {}); wrong != "" || err != nil {
		t.Errorf("%s %v", wrong, err)
	}
	if wrong, _ := judge(func(f *counterexample.File) { f.Plan = faults.Plan{} }); !strings.Contains(wrong, "not reproduced, and must be seen with no-fence; what changed:\n") || !strings.Contains(wrong, "verdict was safety violation (contiguity), is ok") {
		t.Errorf("without its faults: %s", wrong)
	}
	if wrong, _ := judge(func(f *counterexample.File) { f.Where = "step=end" }); !strings.Contains(wrong, "it was step=end, is step=task-failed") {
		t.Errorf("elsewhere: %s", wrong)
	}
	if wrong, err := judge(func(f *counterexample.File) { f.Mutant, f.Expect = "", counterexample.StaysMended }); wrong != "" || err != nil {
		t.Errorf("mended: %s %v", wrong, err)
	}
	if wrong, _ := judge(func(f *counterexample.File) { f.Expect = counterexample.StaysMended }); !strings.Contains(wrong, "it must be fine") {
		t.Errorf("back: %s", wrong)
	}
	damaged, err := faults.Parse("(plan (corrupt storage at (nth 1 completed)) (crash coordinator at (nth 1 completed)) (crash worker=0 at (nth 1 completed)))")
	if err != nil {
		t.Fatal(err)
	}
	if wrong, _ := judge(func(f *counterexample.File) { f.Plan = damaged }); !strings.Contains(wrong, "fails without no-fence too") {
		t.Errorf("it fails anyhow: %s", wrong)
	}
	if status, _, stderr := sim(t, "pin", small, "--dir", dir); status != 1 || !strings.Contains(stderr, "pinned already") {
		t.Errorf("twice: status %d: %s", status, stderr)
	}
}

// TestPinOfAMendedFailure: a failure without a mutant is expected to be mended, and
// a pin that tries nothing is refused.
func TestPinOfAMendedFailure(t *testing.T) {
	small, dir := shrunk(t), t.TempDir()
	edit(t, small, "mutant no-fence\n", "")
	if status, stdout, stderr := sim(t, "pin", small, "--dir", dir); status != 0 || !strings.Contains(stdout, "expected: ok") || strings.Contains(stderr, "until it is mended") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	edit(t, small, "plan "+read(t, small).Plan.String(), "plan (plan (crash worker=0 at (nth 900000 completed)))")
	if status, _, stderr := sim(t, "pin", small, "--dir", t.TempDir()); status != 1 || !strings.Contains(stderr, "none of its faults strikes any more") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestBadPins: what cannot be pinned is refused, and nothing is written.
func TestBadPins(t *testing.T) {
	dir := t.TempDir()
	fine, large, gone := filepath.Join(dir, "fine.weir"), filepath.Join(dir, "large.weir"), shrunk(t)
	if status, _, stderr := sim(t, "run", "--save", fine); status != 0 {
		t.Fatal(stderr)
	}
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", large); status != 5 {
		t.Fatal(stderr)
	}
	edit(t, gone, "mutant no-fence", "mutant forget-timers")
	pins := filepath.Join(dir, "pins")
	for _, c := range []struct {
		file, want string
		status     int
	}{
		{fine, "shows no failure", 2}, {large, "make it smaller first", 2}, {gone, "does not show safety violation (contiguity)", 1}, {filepath.Join(dir, "none"), "no such file", 2},
	} {
		if status, _, stderr := sim(t, "pin", c.file, "--dir", pins); status != c.status || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d: %s", c.file, status, stderr)
		}
	}
	if _, err := os.Stat(pins); err == nil {
		t.Error("something was pinned")
	}
}
