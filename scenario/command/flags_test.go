package command

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"weir/dataflow"
)

// TestContradictions: what would be ignored is refused before anything runs.
func TestContradictions(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "--crash", "40", "--plan", "(crash worker=1 at (nth 7 barrier-received))"}, "--plan and --crash"},
		{[]string{"run", "--calm", "--plan", "(plan)"}, "--plan and --calm"},
		{[]string{"run", "--calm", "--crash", "3"}, "--calm and --crash"},
		{[]string{"run", "--victim", "coordinator"}, "there is no --crash"},
		{[]string{"run", "--crash", "0"}, "count from 1"},
		{[]string{"run", "--crash", "-1"}, "count from 1"},
		{[]string{"run", "--plan", ""}, "--plan is empty"},
		{[]string{"run", "--plan", " "}, "--plan is empty"},
		{[]string{"run", "--interval", "0s"}, "3ms"},
		{[]string{"run", "--interval", "-1ms"}, "3ms"},
		{[]string{"run", "--splits", "-1"}, "--splits -1; a source has 1 to 4096"},
		{[]string{"run", "--splits", "4097"}, "--splits 4097; a source has 1 to 4096"},
		{[]string{"sweep", "--splits", "1000000"}, "1 to 4096"},
		{[]string{"run", "--driver", "live", "--splits", "4097"}, "1 to 4096"},
		{[]string{"run", "--alignment-timeout", "1ms"}, "checkpoint.alignment-timeout (--alignment-timeout) means nothing to aligned: it is read by algorithms whose barriers turn: unaligned-timeout"},
		{[]string{"sweep", "--algorithm", "aligned,unaligned", "--alignment-timeout", "1ms"}, "means nothing to aligned, unaligned: it is read by"},
		{[]string{"run", "--driver", "live", "--alignment-timeout", "1ms"}, "whose barriers turn: unaligned-timeout"},
		{[]string{"run", "--algorithm", "none", "--retain", "2"}, "checkpoint.retain (--retain) means nothing to none: it is read by algorithms with job-wide checkpoints: aligned,"},
		{[]string{"run", "--algorithm", "uncoordinated", "--after-finished=false"}, "checkpoint.after-finished (--after-finished) means nothing to uncoordinated"},
		{[]string{"run", "--fallback", "--retain", "1"}, "checkpoint.fallback goes back to an older checkpoint, and with checkpoint.retain 1 there is none"},
		{[]string{"run", "--driver", "live", "--fallback"}, "with checkpoint.retain 1 there is none"},
		{[]string{"run", "--restart-fixed-attempts", "2"}, "setting restart.fixed-delay.attempts is of restart.strategy fixed-delay, and restart.strategy is progress"},
		{[]string{"run", "--restart-strategy", "none", "--restart-failure-delay", "1s"}, "setting restart.failure-rate.delay is of restart.strategy failure-rate, and restart.strategy is none"},
		{[]string{"run", "--restart-strategy", "exponential-delay", "--restart-initial-backoff", "2m"}, "restart.exponential-delay.initial-backoff is above restart.exponential-delay.max-backoff"},
		{[]string{"run", "--algorithm", "stop-the-world", "--concurrent", "2"}, "checkpoint.concurrent is 2"},
		{[]string{"run", "--config", "no-such.yaml"}, "no-such.yaml"},
		{[]string{"run", "--groups", "-1"}, "--groups -1"},
		{[]string{"run", "--groups", "32769"}, "1 to 32768"},
		{[]string{"run", "--parallelism", "17"}, "--groups 17 or more"},
		{[]string{"sweep", "--parallelism", "9", "--groups", "8"}, "--parallelism 9"},
		{[]string{"run", "--driver", "live", "--parallelism", "129"}, "the 128 key groups"},
		{[]string{"run", "--groups", "0"}, "without --groups there are 16 in the simulator"},
		{[]string{"sweep", "--groups", "0"}, "--groups 0"},
		{[]string{"run", "--driver", "live", "--groups", "0"}, "128 live"},
		{[]string{"run", "--driver", "live", "--crash", "3"}, "--driver live with --crash: it counts events"},
		{[]string{"run", "--driver", "live", "--plan", "(plan)"}, "--driver live with --plan: its faults strike at events"},
		{[]string{"run", "--driver", "live", "--mutant", "no-fence"}, "--driver live with --mutant: live has no oracles"},
		{[]string{"run", "--driver", "live", "--trace"}, "--driver live with --trace: "},
		{[]string{"run", "--driver", "live", "--reorder"}, "--driver live with --reorder: the channels"},
		{[]string{"run", "--driver", "live", "--trace", "--mutant", "no-fence"}, "--driver live with --trace: "},
		{[]string{"sweep", "--crashes", "2"}, "--crashes is for --exhaustive"},
		{[]string{"sweep", "--exhaustive", "--seeds", "1-5"}, "--seeds does not go with --exhaustive"},
		{[]string{"sweep", "--exhaustive", "--crashes", "5"}, "0 to 4 crashes"},
		{[]string{"sweep", "--exhaustive", "--events", "5"}, "with 1 to 4"},
		{[]string{"sweep", "--exhaustive", "--mutant", "never-forced"}, "nothing that would run has this mistake"},
		{[]string{"sweep", "--plan", ""}, "--plan is empty"},
		{[]string{"sweep", "--plan", "(crash worker=1"}, "--plan: "},
		{[]string{"sweep", "--algorithm", "aligned", "--plan", "(crash worker=7 at (nth 1 completed))"}, "workers 0 to 2"},
		{[]string{"sweep", "--mutant", "no-such"}, "no-such"},
		{[]string{"run", "--algorithm", "aligned", "--mutant", "never-forced"}, "nothing that would run has this mistake; it is in the algorithms cic-"},
		{[]string{"sweep", "--algorithm", "aligned,none", "--mutant", "never-forced"}, "it is in the algorithms cic-"},
		{[]string{"sweep", "--algorithm", "aligned", "--state", "heap", "--mutant", "reuse-table-name"}, "with the states pebble, pebble-full"},
		{[]string{"sweep", "--budget", "-5s"}, "above zero"},
		{[]string{"--budget", "-5s"}, "above zero"},
		{[]string{"sweep", "--jobs", "0"}, "at least 1"},
		{[]string{"run", "--faults", "(plan)"}, "--plan"},
		{[]string{"run", "--no-faults"}, "--calm"},
		{[]string{"run", "--canary", "no-fence"}, "--mutant"},
		{[]string{"canaries"}, "unknown argument"},
	} {
		status, stdout, stderr := sim(t, c.args...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d, stdout %q, stderr %q; want status 2 and %q", c.args, status, stdout, stderr, c.want)
		}
	}
}

// TestSettingsBeyondTheirBounds: what is beyond a bound of any setting is bad input, and never
// a run that makes no progress.
func TestSettingsBeyondTheirBounds(t *testing.T) {
	for _, s := range dataflow.Settings() {
		beyond := []int64{s.Least - 1}
		if s.Most != 0 {
			beyond = append(beyond, s.Most+1)
		}
		for _, v := range beyond {
			text := "none of its names"
			switch s.Type() {
			case "duration":
				text = time.Duration(v).String()
			case "decimal":
				text = fmt.Sprint(float64(v) / 100)
			case "int":
				text = fmt.Sprint(v)
			}
			args := []string{"run", "--" + s.Flag + "=" + text}
			if s.Of != "" {
				args = append(args, "--restart-strategy", string(s.Of))
			}
			status, stdout, stderr := sim(t, args...)
			if status != 2 || stdout != "" || !strings.Contains(stderr, s.Name) || strings.Count(strings.TrimSpace(stderr), "\n") > 1 {
				t.Errorf("%q: status %d, stdout %q, stderr %q; want status 2, one error, and %q in it", args, status, stdout, stderr, s.Name)
			}
		}
	}
}

// TestRefusedSweep: a single combination that cannot run is bad input, said once.
func TestRefusedSweep(t *testing.T) {
	status, stdout, stderr := sim(t, "sweep", "--algorithm", "aligned", "--workload", "reachability", "--state", "heap", "--seeds", "1-2")
	if status != 2 || stdout != "" || strings.Count(stderr, "usage:") != 1 || !strings.Contains(stderr, "aligned cannot run this") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// TestFaultThatNeverStrikes: what was asked for and did not happen is not fine.
func TestFaultThatNeverStrikes(t *testing.T) {
	for _, args := range [][]string{
		{"--crash", "100000"},
		{"--plan", "(crash worker=1 at (time 1h))"},
		{"--plan", "(corrupt storage key=\"nobody/\" at (nth 1 completed))"},
		{"--plan", "(fail storage put key=\"nobody/\" outcome=not-applied at (nth 1 completed))"},
		{"--plan", "(plan (crash worker=1 at (nth 7 barrier-received)) (crash worker=1 at (nth 100000 completed)))"},
	} {
		status, stdout, stderr := sim(t, append([]string{"run", "--json"}, args...)...)
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 1 || s.Verdict != "error" || len(s.NotStruck) != 1 || !strings.Contains(stderr, "the fault never struck: ") {
			t.Errorf("%q: status %d, %v, %s%s", args, status, err, stdout, stderr)
		}
	}
	if status, stdout, stderr := sim(t, "run", "--crash", "40"); status != 0 || !strings.Contains(stdout, "1 crashes of workers") {
		t.Errorf("a crash that strikes: status %d: %s%s", status, stdout, stderr)
	}
}

// TestSweepTakesPlans: every run gets the plan and the mistake, the replay has
// both, and a plan that nothing came of is not fine.
func TestSweepTakesPlans(t *testing.T) {
	sweep := func(args ...string) (int, tally, string) {
		status, stdout, stderr := sim(t, append([]string{"sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-10", "--json"}, args...)...)
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		var total tally
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &total); err != nil {
			t.Fatalf("%q: %v: %s%s", args, err, stdout, stderr)
		}
		return status, total, stderr
	}
	if status, total, _ := sweep("--plan", "(crash worker=1 at (nth 3 triggered))"); status != 0 || total.Crashes != 10 || total.Runs != 10 || total.Coordinator != 0 {
		t.Errorf("status %d, %+v", status, total)
	}
	const never = "(crash worker=1 at (nth 100000 completed))"
	if status, total, stderr := sweep("--plan", never); status != 1 || total.NotStruck != 10 || !strings.Contains(stderr, "in none of 10 runs did all of the plan strike; in the last one not: "+never) {
		t.Errorf("status %d, %+v, %s", status, total, stderr)
	}
	const plan = "(crash worker=0 at (nth 2 completed))"
	status, total, _ := sweep("--mutant", "forget-channel", "--plan", plan)
	if status != 5 || total.Safety == 0 || !strings.Contains(total.Replay, "--plan '"+plan+"'") || !strings.Contains(total.Replay, "--mutant forget-channel") {
		t.Errorf("status %d, %+v", status, total)
	}
}

// TestNoProgressSaysWhoWaits checks the status, and that a reader learns why.
func TestNoProgressSaysWhoWaits(t *testing.T) {
	status, stdout, stderr := sim(t, "run", "--json", "--plan", "(stall worker=1 for 400s at (nth 2 completed))")
	var s summary
	err := json.Unmarshal([]byte(stdout), &s)
	if err != nil || status != 4 || s.Verdict != "no progress" || len(s.Standstill) != 8 {
		t.Errorf("status %d, %v: %s", status, err, stdout)
	}
	for _, want := range []string{"checkpoints completed of ", "stalled until ", "records handed out, at offset ", "the coordinator runs", "replay: "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("nothing says %q: %s", want, stderr)
		}
	}
}

// TestTablesAreStdout: what a person asked for can be redirected.
func TestTablesAreStdout(t *testing.T) {
	for _, args := range []string{
		"sweep --algorithm aligned --state heap --workload keyedcount --seeds 1-5", "--algorithm aligned --state heap --workload keyedcount --seeds 1-5",
		"mutants --only forget-channel", "list", "run",
	} {
		status, stdout, stderr := sim(t, strings.Fields(args)...)
		if status != 0 || !strings.Contains(stdout, "aligned") || strings.Contains(stderr, "exactly once") {
			t.Errorf("%s: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// TestLastSeeds: the largest seed there is ends a sweep too.
func TestLastSeeds(t *testing.T) {
	done := make(chan string)
	go func() {
		var all []string
		for _, r := range []string{fmt.Sprintf("%d-%d", uint64(math.MaxUint64-5), uint64(math.MaxUint64)), fmt.Sprint(uint64(math.MaxUint64))} {
			status, _, stderr := sim(t, "sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--json", "--seeds", r)
			all = append(all, fmt.Sprint(status, strings.Count(stderr, " runs in ")))
		}
		done <- strings.Join(all, ", ")
	}()
	select {
	case got := <-done:
		if got != "0 1, 0 1" {
			t.Error(got)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on and on")
	}
}

// TestSeedRanges takes ranges apart without a sum that wraps.
func TestSeedRanges(t *testing.T) {
	for _, whole := range []seedRange{{1, 1}, {1, 5}, {1, 6}, {0, 12}, {math.MaxUint64 - 7, math.MaxUint64}, {math.MaxUint64, math.MaxUint64}} {
		next, left := whole.first, whole
		for more := true; more; {
			var p seedRange
			p, more = left.part()
			if p.first != next || p.last < p.first || p.last-p.first >= chunk || more != (p.last < whole.last) {
				t.Fatalf("%v: part %v, more %v", whole, p, more)
			}
			next = p.last + 1
		}
		if next != whole.last+1 {
			t.Errorf("%v: ends before %d", whole, next)
		}
	}
	if n := (seedRange{0, math.MaxUint64}).runs(75); n != -1 {
		t.Errorf("%d runs", n)
	}
}

// TestGroups: key groups do not change the answer.
func TestGroups(t *testing.T) {
	digests := map[string]bool{}
	for _, args := range []string{"--calm", "--calm --groups 3", "--groups 1024 --parallelism 20", "--driver live --groups 40 --parallelism 3"} {
		status, stdout, stderr := sim(t, append([]string{"run", "--json"}, strings.Fields(args)...)...)
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); err != nil || status != 0 {
			t.Fatalf("%s: status %d, %v: %s", args, status, err, stderr)
		}
		digests[s.OutputDigest] = true
	}
	if len(digests) != 1 {
		t.Errorf("answers differ: %v", digests)
	}
}
