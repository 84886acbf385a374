package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/scenario/explore"
)

// lastScore decodes the last line of what a command printed.
func lastScore(t *testing.T, stdout string) (s scoreSummary) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return s
}

// TestScore: every policy has a line in the summary, the searches are in the directory, and
// the same command finds them there.
func TestScore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	args := []string{"mutants", "--policy", "all", "--only", "ack-before-durable,never-trimmed", "--searches", "2", "--budget", "12", "--json", "--dir", dir}
	status, stdout, stderr := sim(t, args...)
	s := lastScore(t, stdout)
	if status != 0 || s.Applicable != 2 || s.Found == 0 || s.MedianRuns == nil || s.Best == "" || !s.Finished || s.Budget != 12 || s.Searches != 2 {
		t.Fatalf("status %d: %+v\n%s", status, s, stderr)
	}
	if n := strings.Count(stdout, "\n"); n != 1+2*len(explore.Names()) {
		t.Errorf("%d lines:\n%s", n, stdout)
	}
	for _, p := range explore.Names() {
		l, ok := s.Policies[p]
		if !ok || l.Applicable != 2 || l.MeanRuns == nil || p == "random" && l.AgainstRandom != nil {
			t.Errorf("%s: %+v", p, l)
		}
		text, err := os.ReadFile(filepath.Join(dir, p+".jsonl"))
		if err != nil || strings.Count(string(text), "\n") != 4 {
			t.Errorf("%s: %v\n%s", p, err, text)
		}
	}
	status, again, stderr := sim(t, args...)
	if status != 0 || again != stdout || !strings.Contains(stderr, fmt.Sprint(4*len(explore.Names()), " are there")) {
		t.Errorf("the second time: status %d\n%s%s", status, again, stderr)
	}
	if status, _, stderr := sim(t, "mutants", "--policy", "storm", "--left-of", dir); status != 2 || !strings.Contains(stderr, "has found all of them") {
		t.Errorf("what is left of it: status %d, %s", status, stderr)
	}
	args[6] = "3"
	if status, _, stderr := sim(t, args...); status != 2 || !strings.Contains(stderr, "another campaign") {
		t.Errorf("with other searches: status %d, %s", status, stderr)
	}
}

func TestUnknownPolicyListsTheKnown(t *testing.T) {
	for _, args := range []string{"mutants --policy robin", "mutants --policy swarm,robin --quick"} {
		status, stdout, stderr := sim(t, strings.Fields(args)...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, "known: "+strings.Join(explore.Names(), ", ")) {
			t.Errorf("%s: status %d, %s%s", args, status, stdout, stderr)
		}
	}
	for args, want := range map[string]string{"mutants --quick": "--quick goes with --policy", "mutants --policy swarm --limit 3": "there is --budget"} {
		if status, _, stderr := sim(t, strings.Fields(args)...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
	if status, _, stderr := sim(t, "mutants", "--policy", "swarm", "--budget", "-1"); status != 2 || !strings.Contains(stderr, "at least 1") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// TestSweepByPolicy: what another policy finds is saved, and its replay gives the same
// verdict with the same hash.
func TestSweepByPolicy(t *testing.T) {
	for _, policy := range explore.Names() {
		dir := t.TempDir()
		status, _, stderr := sim(t, "sweep", "--policy", policy, "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--mutant", "ack-before-durable", "--seeds", "1-120", "--save", dir)
		found, err := filepath.Glob(filepath.Join(dir, "*"+extension))
		if status != 5 || err != nil || len(found) == 0 {
			t.Errorf("%s: status %d, saved %v, %v\n%s", policy, status, found, err, stderr)
			continue
		}
		for _, name := range found {
			if status, stdout, stderr := sim(t, "replay", name, "--json"); status == 0 || status == 2 || !strings.Contains(stdout, `"same":true`) {
				t.Errorf("%s: replay of %s: status %d, %s", policy, name, status, stderr)
			}
		}
	}
	for args, want := range map[string]string{
		"sweep --policy robin": "known: fifo", "sweep --policy all": "a sweep has one", "sweep --policy pct --plan (crash_worker=1_at_(time_1ms))": "--plan says what strikes",
	} {
		words := strings.Fields(args)
		for i := range words[1:] {
			words[1+i] = strings.ReplaceAll(words[1+i], "_", " ")
		}
		if status, _, stderr := sim(t, words...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
}

// TestWhatIsLeft: a second campaign is about the mistakes that the best policy of the first
// has missed.
func TestWhatIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	status, stdout, stderr := sim(t, "mutants", "--policy", "fifo", "--only", "ack-before-durable,never-trimmed", "--searches", "1", "--budget", "2", "--json", "--dir", dir)
	if s := lastScore(t, stdout); status != 0 || s.Applicable != 2 || s.Found != 1 {
		t.Fatalf("status %d, %+v, %s", status, s, stderr)
	}
	status, stdout, stderr = sim(t, "mutants", "--policy", "swarm", "--searches", "1", "--budget", "40", "--left-of", dir, "--json")
	if s := lastScore(t, stdout); status != 0 || s.Applicable != 1 || !strings.Contains(stdout, `"mutant":"never-trimmed"`) {
		t.Errorf("status %d, %+v, %s", status, s, stderr)
	}
}
