package command

import (
	"encoding/json"
	"strings"
	"testing"

	"weir/scenario"
	"weir/scenario/mutants"
)

// lastLine returns the summary of a sweep with --json.
func lastLine(t *testing.T, stdout string) tally {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var total tally
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &total); err != nil {
		t.Fatalf("%v: %s", err, lines[len(lines)-1])
	}
	return total
}

// TestASweepDraws: without lists the seeds are those of all runs, whatever the number
// of runs at once; marks are counted; and what is given of a shape is not drawn.
func TestASweepDraws(t *testing.T) {
	var first tally
	for _, jobs := range []string{"1", "3"} {
		status, stdout, stderr := sim(t, "sweep", "--seeds", "11-50", "--json", "--jobs", jobs)
		total := lastLine(t, stdout)
		if status != 0 || total.Runs != 40 || total.DrawnFrom < 1000 || !strings.Contains(stderr, "of which each run draws one") {
			t.Fatalf("status %d, %+v\n%s", status, total, stderr)
		}
		came := map[string]int64{}
		for _, m := range total.Marks {
			came[m.Name] = m.Runs
		}
		if came["triggered"] < 20 || came["triggered"] > 40 || came["task-failed: panic"] != 0 {
			t.Errorf("marks %v", came)
		}
		if first.Runs > 0 && (first.Events != total.Events || first.Crashes != total.Crashes || len(first.Marks) != len(total.Marks)) {
			t.Errorf("%+v with %s jobs, and %+v with one", total, jobs, first)
		}
		first = total
	}
	c := choice{known: newProgram("", nil), algorithm: "all", state: "all", workload: "all", parallelism: 3, splits: 5, events: -1, defaultGroups: 16}
	chosen, err := c.cells(func(flag string) bool { return flag == "parallelism" })
	if err != nil {
		t.Fatal(err)
	}
	cells, workers := chosen.cells(), map[int]bool{}
	for s := range uint64(100) {
		cell := cells.Draw(s)
		workers[cell.Workers] = true
		if cell.Parallelism != 3 || cell.Splits != 5 {
			t.Errorf("seed %d: parallelism %d, %d splits", s, cell.Parallelism, cell.Splits)
		}
	}
	if len(workers) < 3 {
		t.Errorf("workers %v", workers)
	}
}

// TestASweepOperates: a sweep that draws its cells has every operation, and settings that are given;
// with --operations none, or a list, none or these.
func TestASweepOperates(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--seeds", "1-160", "--json")
	total := lastLine(t, stdout)
	for what, n := range map[string]int64{
		"rescaled": total.Rescaled, "failovers": total.Failovers, "answers": total.Answers,
		"savepoints": total.Savepoints, "stopped with one": total.StoppedWith, "local copies": total.CopiesTaken,
	} {
		if status != 0 || n == 0 {
			t.Errorf("status %d, %d %s\n%s", status, n, what, stderr)
		}
	}
	status, stdout, stderr = sim(t, "sweep", "--seeds", "1-60", "--operations", "none", "--json")
	if total = lastLine(t, stdout); status != 0 || total.Rescaled+total.Failovers+total.Queries+total.Savepoints > 0 {
		t.Errorf("none: status %d, %+v\n%s", status, total, stderr)
	}
	status, stdout, stderr = sim(t, "sweep", "--seeds", "1-40", "--operations", "query,upgrade", "--json")
	if total = lastLine(t, stdout); status != 0 || total.Failovers+total.Savepoints > 0 || total.Queries < 20 || total.Upgraded == 0 || total.Upgraded != total.Rescaled {
		t.Errorf("query,upgrade: status %d, %+v\n%s", status, total, stderr)
	}
}

// TestDrawnCellsAreFoundAgain: a mistake is found by a sweep that draws, both numbers of
// runs are given, and the command that repeats the run names all of its cell.
func TestDrawnCellsAreFoundAgain(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--mutant", "forget-channel", "--seeds", "1-120", "--json")
	total := lastLine(t, stdout)
	if status != 5 || total.Find == nil || total.First == "" {
		t.Fatalf("status %d, %+v\n%s", status, total, stderr)
	}
	mistake, err := mutants.Lookup("forget-channel")
	if err != nil {
		t.Fatal(err)
	}
	c := choice{known: newProgram("", nil), algorithm: "all", state: "all", workload: "all", parallelism: 2, events: -1, defaultGroups: 16}
	chosen, err := c.cells(func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	cells, with := chosen.cells(), uint64(0)
	for s := uint64(1); s <= total.Find.Seed; s++ {
		if cell := cells.Draw(s); mistake.Has(cell.Algorithm.Name, cell.State, cell.SinkName()) {
			with++
		}
	}
	if f := total.Find; f.Runs != f.Seed || f.RunsWith != with || with == 0 || 5*with > f.Runs+5 {
		t.Errorf("%+v, want %d with the mistake", f, with)
	}
	args := strings.Fields(strings.TrimPrefix(total.Replay, scenario.DefaultProgram+" "))
	for _, flag := range []string{"--parallelism", "--workers", "--splits", "--sink", "--workload"} {
		if !strings.Contains(total.Replay, flag+" ") {
			t.Errorf("%s is not in %s", flag, total.Replay)
		}
	}
	if status, _, stderr := sim(t, args...); status != 5 || !strings.Contains(stderr, strings.Split(total.First, "\n")[0]) {
		t.Errorf("%s: status %d\n%s\nwant %s", total.Replay, status, stderr, total.First)
	}
}

// TestListsAreProducts: any list, or a plan, and every combination runs every seed.
func TestListsAreProducts(t *testing.T) {
	for _, flag := range []string{"algorithm", "state", "sink", "workload", "plan"} {
		if draws(func(f string) bool { return f == flag }) {
			t.Errorf("--%s, and cells are drawn", flag)
		}
	}
	if !draws(func(f string) bool { return f == "seeds" }) {
		t.Error("no list, and nothing is drawn")
	}
}
