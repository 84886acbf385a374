package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunResumes: a job ends with a savepoint, another one begins from it, and both are repeated from their
// file.
func TestRunResumes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resumed.weir")
	plan := "(plan (stop-with-savepoint at (nth 3 completed)) (resume algorithm=uncoordinated state=pebble to=3) (crash worker=1 at (nth 9 acked)))"
	status, stdout, stderr := sim(t, "run", "--workload", "nexmark-q5", "--plan", plan, "--save", file, "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 || s.StoppedWith != 1 || s.Resumed != 1 || s.Crashes != 1 || s.NotJudged != "" {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	status, stdout, stderr = sim(t, "replay", file, "--json")
	var again replayed
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || status != 0 || !again.Same || again.Hash != s.Hash {
		t.Errorf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	if status, stdout, stderr := sim(t, "explain", file, "--text", "--whole"); status != 0 || !strings.Contains(stdout, "(resume algorithm=uncoordinated state=pebble to=3)") {
		t.Errorf("explain: status %d: %s", status, stderr)
	}
}

// TestSweepResumes: it is drawn when it is asked for, and counted.
func TestSweepResumes(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--operations", "resume", "--seeds", "1-10", "--json")
	if status != 0 || !strings.Contains(stdout, `"resumed":`) {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}
