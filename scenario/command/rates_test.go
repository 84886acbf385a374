package command

import (
	"encoding/json"
	"strings"
	"testing"

	"weir/results/stat"
)

// TestSweepSaysHowOften: each kind of failure has its rate with an interval, in the
// table and in JSON, by combination and in the summary; without any the bound is said.
func TestSweepSaysHowOften(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--algorithm", "aligned,unaligned", "--state", "heap", "--workload", "keyedcount", "--mutant", "empty-is-pending", "--seeds", "1-60", "--json")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 5 || len(lines) != 3 {
		t.Fatalf("status %d, %d lines: %s", status, len(lines), stderr)
	}
	var rows [3]tally
	for i := range lines {
		if err := json.Unmarshal([]byte(lines[i]), &rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	kinds := 0
	for _, row := range rows[:2] {
		failed := int64(0)
		kinds += len(row.Failures)
		for _, f := range row.Failures {
			failed += f.Hits
			if want := stat.RateOf(f.Hits, 60); f.Rate != want || f.CleanRuns != want.CleanRuns() || f.Hits == 0 || f.Mutant != "empty-is-pending" || f.Algorithm != row.Algorithm || !strings.HasPrefix(f.Where, "step=") {
				t.Errorf("%+v, want %+v", f, want)
			}
		}
		if failed == 0 || failed > row.Safety+row.Progress+row.Errors {
			t.Errorf("%s: %d failed runs of %+v", row.Algorithm, failed, row)
		}
	}
	if len(rows[2].Failures) != kinds || !strings.Contains(stderr, "clean runs") || !strings.Contains(stderr, " of 60  ") {
		t.Errorf("%d kinds in the rows, %d in the summary: %s", kinds, len(rows[2].Failures), stderr)
	}
	status, stdout, _ = sim(t, "sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-60")
	if status != 0 || !strings.Contains(stdout, "0 of 60 runs failed: the rate of all failures together is below 6.02 %") {
		t.Errorf("status %d: %s", status, stdout)
	}
}
