package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestStopWithASavepoint: a live job is stopped with a savepoint in the middle, and the command that it
// prints goes on from there; so does another algorithm on another backend with another parallelism. The output as a
// whole is the reference answer.
func TestStopWithASavepoint(t *testing.T) {
	for _, as := range [][]string{nil, {"--algorithm", "uncoordinated", "--state", "pebble", "--parallelism", "3"}} {
		dir := filepath.Join(t.TempDir(), "job")
		status, stdout, stderr := sim(t, "run", "--driver", "live", "--stop-with-savepoint", "--storage", dir, "--workload", "nexmark-q5", "--parallelism", "2", "--json")
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.StoppedWith != 1 || s.Savepoints == 0 || s.Crashes != 0 {
			t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
		}
		if !strings.HasPrefix(s.Savepoint, filepath.Join(dir, "checkpoints", "save")) {
			t.Errorf("the savepoint is in %q", s.Savepoint)
		}
		before := content(t, s.Savepoint)
		_, args, ok := strings.Cut(s.Resume, "sim run ")
		if !ok {
			t.Fatalf("it goes on with %q", s.Resume)
		}
		status, stdout, stderr = sim(t, append(append([]string{"run", "--json"}, strings.Fields(args)...), as...)...)
		s = summary{}
		if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.Verdict != "ok" || s.Crashes != 1 || s.NotJudged != "" {
			t.Errorf("as %q: status %d, %v: %s%s", as, status, err, stdout, stderr)
		}
		unchanged(t, "the savepoint", before, content(t, filepath.Join(dir, "checkpoints", "save")))
	}
}

// TestStopWithASavepointHasItsPlace: flags that contradict it are refused.
func TestStopWithASavepointHasItsPlace(t *testing.T) {
	for _, args := range [][]string{
		{"--stop-with-savepoint"},
		{"--stop-with-savepoint", "--driver", "live"},
		{"--stop-with-savepoint", "--driver", "live", "--storage", t.TempDir(), "--stop"},
	} {
		if status, _, stderr := sim(t, append([]string{"run"}, args...)...); status != 2 || !strings.Contains(stderr, "--stop-with-savepoint") {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
}
