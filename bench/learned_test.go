package bench

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/bench/job"
	"weir/results"
)

func quickPlan(t *testing.T, workload string) Plan {
	t.Helper()
	g := Grid{
		Algorithms: []string{"aligned", "stop-the-world"}, States: []string{"heap"}, Workloads: []string{workload}, Interval: time.Second, Parallelism: 2, Kill: true,
	}
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	return Plan{Cells: g.Cells(), Repetitions: 3, Quick: true, Warm: 3 * time.Second, Measure: 2 * time.Second}
}

// TestChecksAreInTheEstimate: what checking takes is timed, and a plan takes as
// much longer as its answer costs; reading rows counts.
func TestChecksAreInTheEstimate(t *testing.T) {
	p := quickPlan(t, "nexmark-q0")
	if err := p.TimeChecks(); err != nil {
		t.Fatal(err)
	}
	timed, ok := p.checks[checkKey(&p.Cells[0])]
	if !ok || timed.answer < 1 || timed.read != guessRow { // every record of q0 is a row
		t.Errorf("checks %+v", p.checks)
	}
	p.checks[checkKey(&p.Cells[0])] = checkCost{answer: 1}
	fast := p.Duration()
	p.checks[checkKey(&p.Cells[0])] = checkCost{answer: 1, read: 1000}
	if slow := p.Duration(); slow < fast+18*8*time.Second/2 { // 18 repetitions of some 8 million records
		t.Errorf("%s with a check that takes long, %s without", slow, fast)
	}
	if most := p.MostDuration(); most <= p.Duration() {
		t.Errorf("at most %s, about %s", most, p.Duration())
	}
	wrong := Plan{Cells: []results.Cell{{Workload: "nexmark-q0", Settings: map[string]string{"seed": "x"}}}}
	if err := wrong.TimeChecks(); err == nil {
		t.Error("a workload that cannot be made has been timed")
	}
}

// TestGuessesAreLearned: a cell's own repetitions count first, then those of its
// kind, then all.
func TestGuessesAreLearned(t *testing.T) {
	p := quickPlan(t, "nexmark-q5")
	c := &Campaign{Plan: p, took: map[string]time.Duration{}}
	closed := slices.IndexFunc(p.Cells, isFirst)
	open := slices.IndexFunc(p.Cells, func(c results.Cell) bool { return !isFirst(c) && !c.Kill })
	last := len(p.Cells) - 1 // another algorithm's, killed
	before := c.guess(&p.Cells[last])
	c.learn(&p.Cells[closed], 3*p.estimate(&p.Cells[closed]))
	if got := c.guess(&p.Cells[last]); got < 3*before-10 || got > 3*before+10 {
		t.Errorf("all were three times slower: %s, at first %s", got, before)
	}
	c.learn(&p.Cells[open], p.estimate(&p.Cells[open]))
	other := p.Cells[open]
	other.Algorithm = "unaligned"
	if got, want := c.guess(&other), p.estimate(&other); got < want-10 || got > want+10 {
		t.Errorf("its kind was as estimated: %s, want %s", got, want)
	}
	if got, want := c.guess(&p.Cells[closed]), 3*p.estimate(&p.Cells[closed]); got != want {
		t.Errorf("its own: %s, want %s", got, want)
	}
}

// TestSlowMachineKeepsToItsBudget: what does not fit is left out, and said.
func TestSlowMachineKeepsToItsBudget(t *testing.T) {
	dir := t.TempDir()
	g := Grid{Algorithms: []string{"none"}, States: []string{"heap"}, Workloads: []string{"keyedcount"}, Interval: 10 * time.Millisecond, Parallelism: 2, Events: 20_000}
	c := &Campaign{
		Plan: Plan{Cells: g.Cells(), Repetitions: 3, Quick: true, Seed: 1, Events: g.Events}, Results: filepath.Join(dir, "campaign"), Dir: filepath.Join(dir, "work"),
		Tuning: job.DefaultTuning(), Budget: time.Hour,
	}
	c.Progress = func(done, _ int, _ time.Duration, _ string) {
		if done == 1 { // the machine turns slow
			c.Budget = time.Since(c.began) + time.Millisecond
		}
	}
	if err := c.Run(t.Context()); err != nil && !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	r, err := results.Read(c.Results)
	if err != nil {
		t.Fatal(err)
	}
	said := slices.ContainsFunc(r.Manifest.Warnings, func(w results.Warning) bool { return strings.Contains(w.Text, "1 of 3 repetitions were left out") })
	if len(r.Samples) != 2 || !said {
		t.Errorf("%d samples, %v", len(r.Samples), r.Manifest.Warnings)
	}
}
