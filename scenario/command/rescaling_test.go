package command

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRescaleLive: a live job is rescaled while records flow, a worker killed before, and its output is the
// reference answer; how long it had none is said.
func TestRescaleLive(t *testing.T) {
	for _, workload := range []string{"nexmark-q5", "keyedcount"} {
		status, stdout, stderr := sim(t, "run", "--driver", "live", "--algorithm", "unaligned", "--workload", workload, "--rescale-to", "3,2,5", "--json")
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.Verdict != "ok" || s.NotJudged != "" || s.Rescaled != 3 || s.Crashes != 1 {
			t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
		}
		if len(s.Changes) != 3 {
			t.Fatalf("changes: %+v", s.Changes)
		}
		for _, c := range s.Changes {
			if c.Tasks == 0 || c.Stopping <= 0 || c.Starting <= 0 || c.WithoutProcessing < 0 || c.WithoutOutput < 0 {
				t.Errorf("a change of %+v", c)
			}
		}
	}
}

// TestRescaleOneOperator: one operator alone, calmly.
func TestRescaleOneOperator(t *testing.T) {
	status, stdout, stderr := sim(t, "run", "--driver", "live", "--calm", "--rescale-to", "count=4", "--parallelism", "2")
	if status != 0 || !strings.Contains(stdout, "rescaled 1 times") || !strings.Contains(stdout, "now 8 tasks: ") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

// TestRescaleHasItsPlace: what cannot be is refused before the job begins.
func TestRescaleHasItsPlace(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "say --driver live"},
		{[]string{"--driver", "live", "--stop", "--storage", t.TempDir()}, "--rescale-to with --stop"},
		{[]string{"--driver", "live", "--rescale-to", "none"}, "want a parallelism"},
		{[]string{"--driver", "live", "--rescale-to", "none=3"}, `no operator "none"; it has`},
		{[]string{"--driver", "live", "--algorithm", "uncoordinated"}, "stop the job with a savepoint"},
	} {
		if status, _, stderr := sim(t, append([]string{"run", "--rescale-to", "3"}, c.args...)...); status != 2 || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d: %s", c.args, status, stderr)
		}
	}
}
