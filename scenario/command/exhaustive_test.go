package command

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// lastSearched is the last line of a search's output.
func lastSearched(t *testing.T, stdout string) (total searched) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &total); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return total
}

// TestExhaustiveComplete: a job small enough is searched to the end, which is said.
func TestExhaustiveComplete(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--exhaustive", "--algorithm", "none", "--events", "1", "--crashes", "1", "--json")
	total := lastSearched(t, stdout)
	if status != 0 || !total.Complete || total.Share != 1 || total.Violations != 0 || total.Executions == 0 || total.Distinct == 0 || total.Pruned == 0 || total.CrashPoints == 0 {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if !strings.Contains(stderr, "complete, kept") {
		t.Errorf("%s", stderr)
	}
	again := func() string {
		_, stdout, _ := sim(t, "sweep", "--exhaustive", "--algorithm", "none", "--events", "1", "--crashes", "1", "--json")
		now := lastSearched(t, stdout)
		now.Seconds = total.Seconds
		if now != total {
			t.Errorf("%+v, and again %+v", total, now)
		}
		return stdout
	}
	again()
}

// TestExhaustiveFinds: a mistake is found, its file replays to the same hash, and
// without the mistake it shows nothing.
func TestExhaustiveFinds(t *testing.T) {
	dir := t.TempDir()
	status, stdout, stderr := sim(t, "sweep", "--exhaustive", "--mutant", "release-before-stored", "--save", dir, "--json")
	total := lastSearched(t, stdout)
	if status != 5 || total.Violations == 0 || total.Complete || !strings.Contains(total.First, "commit") {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	files, err := filepath.Glob(filepath.Join(dir, "commit_aligned_heap_two-phase_keyedcount_release-before-stored_*.weir"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v: %q: %s", err, files, stderr)
	}
	if status, stdout, stderr := sim(t, "replay", files[0]); status != 5 || !strings.HasPrefix(stdout, "reproduced, every event as it was: safety violation") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	edit(t, files[0], "mutant release-before-stored\n", "")
	if status, stdout, stderr := sim(t, "replay", files[0]); status != 0 {
		t.Errorf("without the mistake: status %d: %s%s", status, stdout, stderr)
	}
}

// TestExhaustiveInterrupted: what was searched so far is not called complete.
func TestExhaustiveInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&interrupt{syscall.SIGINT})
	var out, err bytes.Buffer
	status := newProgram("", nil).execute(ctx, []string{"sweep", "--exhaustive", "--json"}, &out, &err)
	if total := lastSearched(t, out.String()); status != 130 || total.Complete || !total.Interrupted || !strings.Contains(err.String(), "not complete, share so far 0.0000") {
		t.Errorf("status %d: %s%s", status, out.String(), err.String())
	}
	if status, stdout, stderr := sim(t, "sweep", "--exhaustive", "--budget", "1ms", "--json"); status != 0 || lastSearched(t, stdout).Complete || !strings.Contains(stderr, "NOT COMPLETE") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}
