package command

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// sim runs the command and returns its exit status and what it wrote.
func sim(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = newProgram("", nil).execute(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

func TestUnknownNamesListTheKnown(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"run --algorithm paxos", "known: " + strings.Join(catalog.Names(), ", ")},
		{"run --state disk", "known: " + strings.Join(statecatalog.Names(), ", ")},
		{"sweep --workload q99", "known: " + strings.Join(workloadcatalog.Names(), ", ")},
		{"run --set cheese=1", "numEvents, keys"},
		{"run --set keys", "want name=value"},
		{"run --bogus", "--algorithm"},
		{"run --driver cloud", "known: sim, live"},
		{"run --mutant robin", "forget-channel"},
		{"run --plan (crash", "line 1, column"},
		{"run --plan (crash_worker=1_at_(nth_1_nonsense))", "barrier-received"},
		{"run --parallelism 0", "at least 1"},
		{"run --parallelism 900", "key groups"},
		{"run --algorithm aligned,none", "use sweep"},
		{"run --reorder", "aligned cannot run this: it declares Channels: FIFO, but source -> count may reorder"},
		{"run --reorder", "these can: none"},
		{"run --victim me --crash 3", "worker=N or coordinator"},
		{"sweep --seeds 9-1", "for example 1-200"},
		{"run --alignment-timeout -1ms", "for example 3ms"},
		{"mutants --only robin", "forget-channel"},
		{"nonsense", "unknown argument"},
	} {
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
		}
		status, stdout, stderr := sim(t, args...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, stdout %q, stderr %q; want status 2 and %q", c.args, status, stdout, stderr, c.want)
		}
	}
}

func TestRunIsRepeatable(t *testing.T) {
	var hashes []string
	for range 2 {
		status, stdout, stderr := sim(t, "run", "--algorithm", "unaligned", "--state", "pebble", "--workload", "nexmark-q5", "--seed", "7", "--json")
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.Verdict != "ok" || *s.Events == 0 {
			t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
		}
		hashes = append(hashes, s.Hash)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("the same seed gave hashes %v", hashes)
	}
}

// TestTheDefaultSeedRecovers: a run for which nobody gave a seed shows a recovery.
func TestTheDefaultSeedRecovers(t *testing.T) {
	for _, args := range [][]string{{}, {"--algorithm", "unaligned", "--sink", "committer", "--workload", "nexmark-q5"}, {"--algorithm", "uncoordinated"}} {
		status, stdout, stderr := sim(t, append([]string{"run", "--json"}, args...)...)
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.Recoveries == 0 {
			t.Errorf("%v: status %d, %v: %s%s", args, status, err, stdout, stderr)
		}
	}
}

// TestGoldenDigests compares input, answer and a run with crashes with the
// digests of dev1k, which other software made.
func TestGoldenDigests(t *testing.T) {
	const input = "6283c7cd78550e2c1c4f33d7c66c20acce1a2d484ce95e9aaa65e4605eb2ce8b"
	answers := map[string]string{
		"nexmark-q0": "b7ea226752a3aa707cc4f016a6758df62a48c9cfea13a38cb59f538c3f5a2f08",
		"nexmark-q1": "76c5cfc95167d5e5c6a0a2187cfcb58fe5516e540bc0279ddebc3722b11f80e5",
		"nexmark-q5": "4f9ce2807b4c08910e247df88ec0d93ea49c38b1167a412080067340cefe329f",
		"nexmark-q8": "04f0cd81ce0f4f273209b47681eee0d6460e5a25ea92fef1f0ad4b88db2f4271",
	}
	if status, _, stderr := sim(t, "input", "--workload", "nexmark-q5", "--events", "1000"); status != 0 || !strings.Contains(stderr, input) {
		t.Errorf("input: status %d, %s", status, stderr)
	}
	for _, w := range []string{"nexmark-q0", "nexmark-q1", "nexmark-q5", "nexmark-q8"} {
		if status, _, stderr := sim(t, "answer", "--workload", w, "--events", "1000"); status != 0 || !strings.Contains(stderr, answers[w]) {
			t.Errorf("answer of %s: status %d, %s", w, status, stderr)
		}
		for _, driver := range []string{"sim", "live"} {
			status, stdout, stderr := sim(t, "run", "--driver", driver, "--algorithm", "unaligned", "--workload", w, "--seed", "4", "--json")
			if status != 0 || !strings.Contains(stdout, answers[w]) {
				t.Errorf("run of %s by %s: status %d: %s%s", w, driver, status, stdout, stderr)
			}
			var s summary
			if err := json.Unmarshal([]byte(stdout), &s); err != nil || s.Crashes+s.Coordinator == 0 {
				t.Errorf("run of %s by %s: nothing crashed: %v, %s", w, driver, err, stdout)
			}
		}
	}
}

// TestExitStatusOfABrokenPromise checks that a planted mistake ends with status 5
// and the command that repeats it.
func TestExitStatusOfABrokenPromise(t *testing.T) {
	status, _, stderr := sim(t, "run", "--algorithm", "aligned", "--mutant", "commit-before-record", "--seed", "1")
	if status != 5 || !strings.Contains(stderr, "replay: go run ./cmd/sim run") || !strings.Contains(stderr, "commit") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestSweepSummary(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--algorithm", "none,at-least-once", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-60", "--json")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), stdout)
	}
	var none, twice, total tally
	for i, v := range []*tally{&none, &twice, &total} {
		if err := json.Unmarshal([]byte(lines[i]), v); err != nil {
			t.Fatal(err)
		}
	}
	if none.Losses == 0 || twice.Duplicates == 0 || total.Runs != 120 || total.Safety != 0 || total.Crashes == 0 || total.Coordinator == 0 || total.Seconds == 0 {
		t.Errorf("none %+v, at-least-once %+v, total %+v", none, twice, total)
	}
	if !strings.Contains(stderr, "at least once") || !strings.Contains(stderr, "lost") {
		t.Errorf("the matrix says nothing: %s", stderr)
	}
}

// TestSweepListsRefused: a pair that cannot be served is a row of the table, and
// does not stop the others; if none is left, nothing was tried.
func TestSweepListsRefused(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--sink", "append,write-ahead", "--algorithm", "aligned,none", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-3", "--json")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 0 || len(lines) != 5 {
		t.Fatalf("status %d, %d lines: %s%s", status, len(lines), stdout, stderr)
	}
	for i, line := range lines[:4] {
		var x tally
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		if no := x.Algorithm == "none" && x.Sink == "write-ahead"; no != (x.Refused != "") || no == (x.Runs == 3) {
			t.Errorf("row %d: %s", i, line)
		}
	}
	status, _, stderr = sim(t, "sweep", "--sink", "two-phase,write-ahead", "--algorithm", "none", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-3")
	if status != 2 || !strings.Contains(stderr, "all 2 combinations are refused") || !strings.Contains(stderr, "it can serve append") {
		t.Errorf("all are refused: status %d: %s", status, stderr)
	}
	status, stdout, stderr = sim(t, "sweep", "--sink", "upsert", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount,sessions", "--seeds", "1", "--json")
	if status != 0 || strings.Count(stdout, `"refused"`) != 1 || !strings.Contains(stdout, "those of sessions do not tell") {
		t.Errorf("rows without keys: status %d: %s%s", status, stdout, stderr)
	}
}
