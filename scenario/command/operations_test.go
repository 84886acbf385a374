package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/faults"
)

// TestRunWithOperations: a plan changes the job; the run is counted, saved, and
// repeated from its file to the last event.
func TestRunWithOperations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rescaled.weir")
	plan := "(plan (rescale to=3 at (nth 2 completed)) (crash worker=1 at (nth 1 rescaled)) (rescale operator=count to=1 at (nth 5 completed)))"
	status, stdout, stderr := sim(t, "run", "--algorithm", "unaligned", "--plan", plan, "--save", file, "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Rescaled != 2 || s.Crashes != 1 || s.Faults != plan {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	status, stdout, stderr = sim(t, "replay", file, "--json")
	var again replayed
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || status != 0 || !again.Same || again.Hash != s.Hash || again.Faults != plan {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	if _, plain, _ := sim(t, "run", "--algorithm", "unaligned", "--plan", plan); !strings.Contains(plain, "rescaled 2 times") {
		t.Error(plain)
	}
}

// TestChangesThatChangeNothing: a job that is stopped for a change to what it is goes on as it was,
// and that is neither a rescaling nor an upgrade.
func TestChangesThatChangeNothing(t *testing.T) {
	const plan = "(plan (rescale to=2 at (nth 1 completed)) (rescale operator=watch to=2 at (nth 2 completed)) (upgrade to=1 at (nth 3 completed)) (upgrade to=2 at (nth 4 completed)) (upgrade to=2 at (nth 5 completed)))"
	status, stdout, stderr := sim(t, "run", "--workload", "spending", "--set", "version=1", "--parallelism", "2", "--plan", plan, "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Rescaled != 1 || s.Upgraded != 1 {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
}

// TestRunWithEveryOperation: a run with one of each is repeated from its file, and told.
func TestRunWithEveryOperation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "operations.weir")
	var steps string
	for i, k := range drawable {
		for _, with := range []string{" to=2", ""} { // one of them is the kind's form
			if step := fmt.Sprintf("(%s%s at (nth %d completed))", k, with, 2+2*i); parses(step) {
				steps += " " + step
				break
			}
		}
	}
	plan := "(plan" + steps + ")"
	args := []string{"run", "--workload", "spending", "--set", "version=1", "--coordinators", "2", "--parallelism", "3", "--plan", plan, "--save", file, "--json"}
	status, stdout, stderr := sim(t, args...)
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Rescaled != 2 || s.Upgraded != 1 || s.Savepoints == 0 || s.StoppedWith != 1 || s.Failovers == 0 {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	status, stdout, stderr = sim(t, "replay", file, "--json")
	var again replayed
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || status != 0 || !again.Same || again.Hash != s.Hash {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	if status, _, stderr := sim(t, "explain", file, "--html"); status != 0 {
		t.Errorf("explain: status %d: %s", status, stderr)
	}
}

// TestReplayBeginsAsTheRunDid: a run that might have been upgraded has begun as version 1. If no
// upgrade was drawn its plan has none, and its file says so all the same.
func TestReplayBeginsAsTheRunDid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rescaled.weir")
	for seed := 1; seed <= 40; seed++ {
		status, stdout, stderr := sim(t, "run", "--workload", "spending", "--operations", "rescale,upgrade", "--seed", fmt.Sprint(seed), "--save", file, "--force", "--json")
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 {
			t.Fatalf("seed %d: status %d, %v: %s%s", seed, status, err, stdout, stderr)
		}
		if s.Rescaled == 0 || strings.Contains(s.Faults, "(upgrade") {
			continue
		}
		status, stdout, stderr = sim(t, "replay", file, "--json")
		var again replayed
		if err := json.Unmarshal([]byte(stdout), &again); err != nil || status != 0 || !again.Same || again.Hash != s.Hash {
			t.Errorf("seed %d, %s: status %d, %v: %s%s", seed, s.Faults, status, err, stdout, stderr)
		}
		return
	}
	t.Error("every run was upgraded")
}

func parses(plan string) bool {
	_, err := faults.Parse(plan)
	return err == nil
}

// TestQueriesAreCounted: by a run and by a sweep, what was asked and what was answered.
func TestQueriesAreCounted(t *testing.T) {
	status, stdout, stderr := sim(t, "run", "--plan", "(plan (query at (nth 2 completed)) (query at (nth 3 completed)))", "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Queries != 2 || s.Answers < 4 {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	if _, plain, _ := sim(t, "run", "--plan", "(query at (nth 2 completed))"); !strings.Contains(plain, "\n  1 queries, which got ") {
		t.Error(plain)
	}
	if _, plain, _ := sim(t, "run", "--seed", "3", "--calm"); strings.Contains(plain, "queries") {
		t.Error(plain)
	}
	if status, stdout, _ = sim(t, "sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--operations", "query", "--seeds", "1-8"); status != 0 || !strings.Contains(stdout, " queries got ") {
		t.Errorf("status %d: %s", status, stdout)
	}
}

// TestRunWithSavepoints: they are counted, and a run is repeated from its file, savepoints and
// all; what happened is told.
func TestRunWithSavepoints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "saved.weir")
	plan := "(plan (savepoint at (nth 9 emitted)) (crash worker=1 at (nth 1 all-acked)) (stop-with-savepoint at (after (nth 1 savepoint-complete) (nth 6 emitted))))"
	status, stdout, stderr := sim(t, "run", "--algorithm", "uncoordinated", "--plan", plan, "--save", file, "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Savepoints < 2 || s.StoppedWith != 1 || s.Faults != plan {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	status, stdout, stderr = sim(t, "replay", file, "--json")
	var again replayed
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || status != 0 || !again.Same || again.Hash != s.Hash || again.Faults != plan {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	if _, told, _ := sim(t, "explain", file, "--whole"); strings.Count(told, " is complete\n") != s.Savepoints {
		t.Errorf("%.2000s", told)
	}
}

// TestStoppingIsNoCrash: a job that is stopped is taken down, as it is for a rescale, and nobody
// has crashed; who crashes beside that is counted.
func TestStoppingIsNoCrash(t *testing.T) {
	const stop = "(stop-with-savepoint at (time 0s))"
	for _, c := range []struct {
		plan     []string
		crashes  int
		replaced int
	}{
		{plan: []string{"--plan", stop}},
		{plan: []string{"--plan", "(stop coordinator at (nth 2 completed))"}},
		{plan: []string{"--plan", "(rescale to=3 at (nth 2 completed))"}},
		{plan: []string{"--plan", stop, "--coordinators", "2"}},
		{plan: []string{"--plan", "(plan " + stop + " (crash worker=1 at (nth 9 acked)) (crash coordinator at (nth 40 acked)))"}, crashes: 1, replaced: 1},
	} {
		status, stdout, stderr := sim(t, append([]string{"run", "--json"}, c.plan...)...)
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Crashes != c.crashes || s.Coordinator != c.replaced {
			t.Errorf("%q: status %d, %v, %d crashes of workers, %d of the coordinator, want %d and %d: %s", c.plan, status, err, s.Crashes, s.Coordinator, c.crashes, c.replaced, stderr)
		}
	}
}

// TestDeclinedOperations: a savepoint that the job was asked for and did not take is no fault that
// never struck: it is told, with why, and counted; a plan of it is not done all the same.
func TestDeclinedOperations(t *testing.T) {
	const late, never = "(stop-with-savepoint at (nth 40 completed))", "(crash worker=1 at (time 1h0m0s))"
	const why = "source of t0 has finished: only checkpoints have what it had"
	for _, c := range []struct {
		plan   string
		never  int
		says   string
		silent string
	}{
		{late, 0, "the job declined " + late + ": " + why, "never struck"},
		{"(plan " + never + " " + late + ")", 1, "the fault never struck: " + never + "; the job declined " + late + ": " + why, "never struck: " + late},
	} {
		status, stdout, stderr := sim(t, "run", "--json", "--plan", c.plan)
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 1 || len(s.NotStruck) != c.never || len(s.Declined) != 1 || !strings.Contains(s.Declined[0], why) {
			t.Errorf("%s: status %d, %v, %s%s", c.plan, status, err, stdout, stderr)
		}
		if !strings.Contains(stderr, c.says) || strings.Contains(stderr, c.silent) {
			t.Errorf("%s: %q does not say %q, or says %q", c.plan, stderr, c.says, c.silent)
		}
	}
	if _, stdout, _ := sim(t, "run", "--plan", late); !strings.Contains(stdout, "declined "+late+": "+why) {
		t.Errorf("the run does not tell: %s", stdout)
	}
	status, stdout, stderr := sim(t, "sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--seeds", "7", "--plan", "(savepoint at (nth 1 task-left))")
	if status != 1 || !strings.Contains(stdout, "1 operations were declined by the job") || !strings.Contains(stdout+stderr, why) {
		t.Errorf("sweep: status %d, %s%s", status, stdout, stderr)
	}
}

// TestOperationsThatCannotBe: each is refused with the step and why, in a file with its
// place.
func TestOperationsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "--plan", "(rescale to=99)"}, "operation (rescale to=99): "},
		{[]string{"run", "--plan", "(rescale operator=cheese to=3)"}, `no operator "cheese"; it has source`},
		{[]string{"run", "--plan", "(query operator=cheese at (time 5ms))"}, `no operator "cheese" with keyed state; it has count`},
		{[]string{"run", "--plan", "(query operator=source at (time 5ms))"}, `no operator "source" with keyed state; it has count`},
		{[]string{"run", "--workload", "nexmark-q0", "--plan", "(query operator=source at (time 5ms))"}, `no operator "source" with keyed state; it has none`},
		{[]string{"run", "--plan", "(rescale to=0)"}, "line 1, column 2"},
		{[]string{"run", "--workload", "enrichment", "--plan", "(rescale operator=source to=3)"}, "parallelism"},
		{[]string{"run", "--algorithm", "uncoordinated", "--plan", "(rescale to=3)"}, "message logs"},
		{[]string{"run", "--operations", "cheese"}, "known: rescale, failover, query, savepoint, stop-with-savepoint, upgrade, resume, or all"},
		{[]string{"run", "--coordinators", "1", "--plan", "(failover at (nth 9 acked))"}, "give --coordinators 2 or more"},
		{[]string{"sweep", "--coordinators", "1", "--operations", "failover", "--algorithm", "aligned"}, "give --coordinators 2 or more"},
		{[]string{"run", "--coordinators", "-1"}, "--coordinators -1"},
		{[]string{"run", "--coordinators", "2", "--plan", "(drift coordinator=2 by 3)"}, "coordinator processes 0 to 1"},
		{[]string{"sweep", "--coordinators", "2", "--exhaustive"}, "--coordinators does not go with --exhaustive"},
		{[]string{"run", "--algorithm", "aligned-cyclic", "--workload", "reachability", "--plan", "(savepoint)"}, "operation (savepoint): "},
		{[]string{"run", "--plan", "(upgrade to=2)"}, "operation (upgrade to=2): workload keyedcount has no versions"},
		{[]string{"run", "--workload", "spending", "--plan", "(upgrade to=4)"}, "spending has no version 4; there are 1 to 3"},
		{[]string{"run", "--plan", "(upgrade operator=count to=2)"}, "expected to=, at or )"},
		{[]string{"run", "--operations", "all", "--plan", "(rescale to=3)"}, "name them in a --plan"},
		{[]string{"run", "--operations", "all", "--calm"}, "--calm and --operations"},
		{[]string{"sweep", "--operations", "all", "--plan", "(rescale to=3)"}, "--operations draws what --plan says"},
		{[]string{"sweep", "--operations", "all", "--exhaustive"}, "--operations does not go with --exhaustive"},
		{[]string{"run", "--driver", "live", "--operations", "all"}, "--driver live with --operations"},
	} {
		if status, stdout, stderr := sim(t, c.args...); status != 2 || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d, %s%s; want %q", c.args, status, stdout, stderr, c.want)
		}
	}
}

// TestSweepWithOperations: they are drawn and counted, what refuses them is listed, and a
// combination that cannot serve them runs without.
func TestSweepWithOperations(t *testing.T) {
	total := func(args ...string) (rows []tally) {
		t.Helper()
		status, stdout, stderr := sim(t, append([]string{"sweep", "--json"}, args...)...)
		if status != 0 {
			t.Fatalf("%q: status %d: %s%s", args, status, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			var row tally
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		return rows
	}
	rows := total("--algorithm", "unaligned,uncoordinated", "--state", "heap", "--sink", "write-ahead", "--workload", "keyedcount", "--operations", "all", "--seeds", "1-12")
	if rows[0].Rescaled < 10 || rows[1].Rescaled != 0 || rows[2].Rescaled != rows[0].Rescaled || rows[1].Runs != 12 {
		t.Errorf("rescaled %d, %d and %d times", rows[0].Rescaled, rows[1].Rescaled, rows[2].Rescaled)
	}
	rows = total("--algorithm", "unaligned,uncoordinated", "--state", "heap,pebble", "--workload", "spending", "--operations", "upgrade", "--seeds", "1-8")
	for _, row := range rows {
		if row.Upgraded < 5 || row.Rescaled != row.Upgraded {
			t.Errorf("%s on %s: upgraded %d times, %d changes", row.Algorithm, row.State, row.Upgraded, row.Rescaled)
		}
	}
	rows = total("--algorithm", "unaligned,uncoordinated", "--state", "heap", "--workload", "keyedcount", "--plan", "(rescale to=3 at (nth 2 completed))", "--seeds", "1-5")
	if rows[0].Rescaled != 5 || !strings.Contains(rows[1].Refused, "message logs") {
		t.Errorf("rescaled %d times; refused: %s", rows[0].Rescaled, rows[1].Refused)
	}
}

// TestShrinkWithOperations: of a crash and an operation, each of which has the job go on from
// a snapshot, one is left; and the page of the failure has the tasks of every graph.
func TestShrinkWithOperations(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "found.weir")
	plan := "(plan (rescale to=3 at (nth 2 completed)) (crash worker=1 at (after (nth 1 rescaled) (nth 3 completed))))"
	if status, stdout, stderr := sim(t, "run", "--algorithm", "aligned", "--mutant", "forget-channel", "--plan", plan, "--save", file, "--json"); status != 5 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	page := filepath.Join(dir, "found.html")
	if status, stdout, stderr := sim(t, "explain", file, "--html", "-o", page, "--whole"); status != 0 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"sink[1], graph 1", "sink[2], graph 2", "the job goes on with 9 tasks"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	small := filepath.Join(dir, "small.weir")
	if status, stdout, stderr := sim(t, "shrink", file, "--out", small, "--for", "20s"); status != 0 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	if text, err = os.ReadFile(small); err != nil || strings.Contains(string(text), "\nplan (plan") {
		t.Errorf("%v: both are there still:\n%s", err, text)
	}
}

// TestRunWithStandbys: how many coordinator processes there are is part of what a run is repeated by,
// and of what it says.
func TestRunWithStandbys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "standby.weir")
	plan := "(plan (failover at (nth 9 acked)) (failover for 90ms at (nth 40 acked)))"
	status, stdout, stderr := sim(t, "run", "--coordinators", "3", "--plan", plan, "--save", file, "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.Coordinators != 3 || s.Failovers != 2 || s.Faults != plan {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\ncoordinators 3\n") {
		t.Errorf("%v: the file does not say how many:\n%s", err, text)
	}
	status, stdout, stderr = sim(t, "replay", file, "--json")
	var again replayed
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || status != 0 || !again.Same || again.Hash != s.Hash {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	page := filepath.Join(t.TempDir(), "standby.html")
	if status, stdout, stderr := sim(t, "explain", file, "--html", "-o", page, "--whole"); status != 0 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	if text, err = os.ReadFile(page); err != nil || !strings.Contains(string(text), "a coordinator starts in process") || !strings.Contains(string(text), ", after process ") {
		t.Errorf("%v: the page does not say who took over", err)
	}
	if _, plain, _ := sim(t, "run", "--coordinators", "3", "--plan", plan); !strings.Contains(plain, "3 coordinator processes; another one took the lead 2 times, 0 of them while") {
		t.Error(plain)
	}
	status, stdout, stderr = sim(t, "run", "--mutant", "no-fence", "--operations", "failover", "--seed", "4")
	if !strings.Contains(stderr, "--operations failover") && status != 0 || status == 0 && stdout == "" {
		t.Errorf("status %d: the replay command lacks what the run needs: %s%s", status, stdout, stderr)
	}
}

// TestSweepWithFailovers: they are drawn and counted in every row, and in none if nobody asks.
func TestSweepWithFailovers(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--json", "--algorithm", "aligned,uncoordinated,none", "--state", "heap", "--workload", "keyedcount", "--operations", "failover", "--seeds", "1-8")
	if status != 0 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	for line := range strings.Lines(stdout) {
		var row tally
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Failovers == 0 {
			t.Errorf("%v: %s", err, line)
		}
	}
	if _, stdout, _ := sim(t, "sweep", "--json", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-2"); strings.Contains(stdout, "failovers") {
		t.Errorf("failovers in a sweep without: %s", stdout)
	}
}
