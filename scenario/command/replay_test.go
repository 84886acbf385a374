package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/external/sinks"
	"weir/scenario"
	"weir/scenario/explore"
)

// TestSaveAndReplay: a failure is saved, as run and as sweep find it, and
// replays to the same hash and exit status.
func TestSaveAndReplay(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "found.weir")
	status, stdout, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--json", "--save", file)
	var was summary
	if err := json.Unmarshal([]byte(stdout), &was); err != nil || status != 5 || !strings.Contains(stderr, "replay: go run ./cmd/sim replay "+file) {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	status, stdout, stderr = sim(t, "replay", file, "--json")
	var is replayed
	if err := json.Unmarshal([]byte(stdout), &is); err != nil || status != 5 || !is.Same || is.Hash != was.Hash || is.Why != was.Why || len(is.Changed) > 0 {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	found := filepath.Join(dir, "sweep")
	sweep := func() string {
		status, _, stderr := sim(t, "sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--mutant", "empty-is-pending", "--seeds", "1-40", "--save", found)
		if status != 5 {
			t.Fatalf("status %d: %s", status, stderr)
		}
		return stderr
	}
	sweep()
	files, err := filepath.Glob(filepath.Join(found, "*_aligned_heap_two-phase_keyedcount_empty-is-pending_*.weir"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %q", err, files)
	}
	for _, f := range files {
		verdict := 5
		if strings.HasPrefix(filepath.Base(f), "progress_") {
			verdict = 4 // the job gives up, where no fault has taken what it misses
		}
		if status, stdout, stderr := sim(t, "replay", f); status != verdict || !strings.HasPrefix(stdout, "reproduced, every event as it was: ") {
			t.Errorf("%s: status %d: %s%s", f, status, stdout, stderr)
		}
	}
	if stderr := sweep(); strings.Contains(stderr, "saved "+found) {
		t.Errorf("files that were there are written again: %s", stderr)
	}
}

// TestFixedReplay: without the mistake the file's run is fine, which is said, and
// so is where another build departs from it.
func TestFixedReplay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	edit(t, file, "mutant no-fence\n", "")
	status, stdout, stderr := sim(t, "replay", file)
	if status != 0 || !strings.HasPrefix(stdout, "not reproduced: ok, hash ") || !strings.Contains(stdout, "verdict was safety violation (") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	edit(t, file, "end\n", "decision operator/99 5 1/7\nend\n")
	edit(t, file, "go go", "go go0.")
	if _, stdout, _ := sim(t, "replay", file); !strings.Contains(stdout, "decisions no longer apply, the first: ") || !strings.Contains(stdout, "go was go0.") {
		t.Errorf("%s", stdout)
	}
}

func edit(t *testing.T, file, old, now string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%q stands %d times", old, strings.Count(string(text), old))
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBadReplays: status 2, with the place and the known names.
func TestBadReplays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	for _, c := range []struct{ old, now, want string }{
		{"weir 1\n", "weir 9\n", "line 1, column 1: version \"9\""},
		{"end\n", "", "cut off"},
		{"algorithm aligned", "algorithm paxos", "column 11: unknown algorithm \"paxos\"; known: none, aligned"},
		{"workload keyedcount", "workload q99", "column 10: unknown workload \"q99\"; known: "},
		{"state heap", "state disk", "column 7: unknown state \"disk\"; known: heap"},
		{"sink two-phase", "sink drain", "column 6: unknown sink \"drain\"; known: "},
		{"end\n", "decision dice 0 1/6\nend\n", "unknown stream \"dice\"; known: delay.link"},
		{"verdict ok\n", "verdict ok\nmutant robin\n", "column 8: "},
		{"verdict ok\n", "verdict ok\nset cheese=1\n", "column 5: "},
		{"crash worker=1", "crash worker=9", "column 6: fault (crash worker=9 at (nth 7 barrier-received)): the run has workers 0 to 2"},
		{"barrier-received", "barrier-received task=77", "column 6: fault (crash worker=1 at (nth 7 barrier-received task=77)) waits for task 77: the job has tasks 0 to 5"},
		{"plan (crash worker=1 at (nth 7 barrier-received))", `plan (plan (stall worker=1 for 1ms at (nth 1 triggered text=")(\"("))  (crash worker=2 at (nth 1 sealed channel=c99)))`, "column 72: fault (crash worker=2 at (nth 1 sealed channel=c99)) waits for channel c99"},
		{"parallelism 2", "parallelism 200", "key groups"},
		{"workers 3", "workers 1", "column 6: fault (crash worker=1 at (nth 7 barrier-received)): the run has workers 0 to 0"},
	} {
		if status, _, stderr := sim(t, "run", "--plan", "(crash worker=1 at (nth 7 barrier-received))", "--save", file, "--force"); status != 0 {
			t.Fatal(stderr)
		}
		edit(t, file, c.old, c.now)
		for _, command := range []string{"replay", "shrink", "pin", "cause"} {
			if status, stdout, stderr := sim(t, command, file); status != 2 || stdout != "" || !strings.Contains(stderr, c.want) {
				t.Errorf("%s, %q: status %d: %s%s; want %q", command, c.now, status, stdout, stderr, c.want)
			}
		}
	}
	for _, args := range [][]string{{"replay"}, {"replay", "a", "b"}, {"replay", filepath.Join(t.TempDir(), "none")}, {"replay", "/dev/zero"}, {"run", "--driver", "live", "--save", file}} {
		if status, stdout, _ := sim(t, args...); status != 2 || stdout != "" {
			t.Errorf("%q: status %d, %s", args, status, stdout)
		}
	}
}

// TestSaveWritesOverNothing: what is there stays, and nothing is run, unless --force says otherwise.
func TestSaveWritesOverNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	if status, _, stderr := sim(t, "run", "--save", file); status != 0 {
		t.Fatal(stderr)
	}
	was := read(t, file)
	status, stdout, stderr := sim(t, "run", "--seed", "8", "--save", file)
	if now := read(t, file); status != 2 || stdout != "" || !strings.Contains(stderr, file+": the file is there") || now.Seed != was.Seed {
		t.Errorf("status %d, seed %d: %s%s", status, now.Seed, stdout, stderr)
	}
	if status, _, stderr := sim(t, "run", "--seed", "8", "--save", file, "--force"); status != 0 || read(t, file).Seed != 8 {
		t.Errorf("with --force: status %d: %s", status, stderr)
	}
	if status, _, stderr := sim(t, "run", "--force"); status != 2 || !strings.Contains(stderr, "there is no --save") {
		t.Errorf("--force alone: status %d: %s", status, stderr)
	}
}

// TestFullDisk: a file that cannot be written takes no verdict away.
func TestFullDisk(t *testing.T) {
	full := "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	status, stdout, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", full)
	if status != 5 || !strings.Contains(stdout, "safety violation") || !strings.Contains(stderr, "was not saved") || !strings.Contains(stderr, "replay: go run ./cmd/sim run ") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if status, stdout, stderr = sim(t, "run", "--save", full); status != 1 || !strings.Contains(stdout, "seed 7: ok") || !strings.Contains(stderr, "was not saved") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if status, stdout, stderr = sim(t, "shrink", aPin(t, "no-fence"), "--out", full); status != 1 || !strings.Contains(stdout, "faults: (plan)") || !strings.Contains(stderr, "was not saved") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	c := choice{known: newProgram("", nil), algorithm: "aligned", state: "heap", sink: defaultSink, workload: "keyedcount", events: -1, parallelism: 2, defaultGroups: scenario.DefaultGroups}
	cfgs, _, err := c.product(true)
	if err != nil {
		t.Fatal(err)
	}
	cfgs[0].Mutant = sinks.MutantEmptyIsPending
	found, err := newArchive(filepath.Join(t.TempDir(), "gone"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(found.dir); err != nil {
		t.Fatal(err)
	}
	rows, err := sweep(t.Context(), cfgs, seedRange{1, 40}, 0, 1, explore.Default, found)
	if err != nil || rows[0].Runs != 40 || rows[0].Safety == 0 || found.failed == nil || len(found.saved) > 0 {
		t.Errorf("%v: %+v, failed %v, saved %q", err, rows[0], found.failed, found.saved)
	}
}
