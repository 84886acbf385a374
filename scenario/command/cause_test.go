package command

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"weir/results/stat"
	"weir/scenario/counterexample"
)

// aPin returns the name of the pin of a mutant.
func aPin(t *testing.T, mutant string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", pinDir, "*_"+mutant+"_*"+extension))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v: %q", err, files)
	}
	return files[0]
}

// TestCause: a job whose timers do not come back is safe as long as no checkpoint that
// has them is complete before the crash, and lost once one is: the turn is where the
// checkpoint's record becomes durable. The same command says the same again.
func TestCause(t *testing.T) {
	args := []string{"cause", aPin(t, "forget-timers"), "--runs", "600", "--json"}
	status, stdout, stderr := sim(t, args...)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 0 || len(lines) < prefixes {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	var points []counterexample.Point
	for _, line := range lines[:len(lines)-1] {
		var p counterexample.Point
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		if p.Rate != stat.RateOf(p.Hits, 19) { // of 600 runs for 30 prefixes and the first
			t.Errorf("%s", line)
		}
		points = append(points, p)
	}
	var s curveSummary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil || s.Turn == nil || s.Before == nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if !slices.IsSortedFunc(points, func(a, b counterexample.Point) int { return a.Decisions - b.Decisions }) || points[0].Decisions != 0 {
		t.Error("the points are not in order from the start")
	}
	if s.Runs > 600 || s.Runs != 1+19*len(points) {
		t.Errorf("%d runs for %d points", s.Runs, len(points))
	}
	if !strings.Contains(s.Turn.What, `"create chk/`) || s.Turn.Rate.Rate != 1 || s.Before.Hi > s.Turn.Lo || s.Before.Decisions >= s.Turn.Decisions {
		t.Errorf("turn %+v, before %+v", s.Turn, s.Before)
	}
	for _, p := range points {
		if p.Decisions >= s.Turn.Decisions && p.Rate.Rate < 0.95 {
			t.Errorf("after the turn: %+v", p)
		}
	}
	if _, again, _ := sim(t, args...); again != stdout {
		t.Errorf("again:\n%s\nfirst:\n%s", again, stdout)
	}
	if status, text, _ := sim(t, "cause", aPin(t, "forget-timers"), "--runs", "600"); status != 0 || !strings.Contains(text, fmt.Sprintf("was near certain from event %d on", s.Turn.Event)) {
		t.Errorf("status %d: %s", status, text)
	}
}

// TestNoCause: what shows nothing has none, and bounds that cannot be kept are said.
func TestNoCause(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fine.weir")
	if status, _, stderr := sim(t, "run", "--save", file); status != 0 {
		t.Fatal(stderr)
	}
	gone := shrunk(t)
	edit(t, gone, "mutant no-fence\n", "")
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{file}, 2, "shows no failure"}, {[]string{gone}, 1, "does not show safety violation"},
		{[]string{aPin(t, "no-fence"), "--runs", "30"}, 2, "take at least 31"}, {nil, 2, "takes one file"},
	} {
		if status, stdout, stderr := sim(t, append([]string{"cause"}, c.args...)...); status != c.status || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d: %s%s", c.args, status, stdout, stderr)
		}
	}
}
