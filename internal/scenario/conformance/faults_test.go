package conformance

import (
	"os"
	"strings"
	"testing"

	"weir/faults"
	"weir/scenario"
	"weir/trace"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// strike is a fault, or several, with what comes of it: a row of docs/faults.md.
type strike struct {
	row        string // its first column
	plan       string
	algorithms []string // nil: one of each family
	workload   string   // "": keyedcount
	// shows says that the fault had its consequence, beside the same seed without it.
	shows func(o, calm *scenario.Outcome) bool
	// fails, if not "", is in the error of a job that may fail, and that does so in some run.
	fails string
	// breaks, if not "", is in the violation that some run shows: the fault is outside
	// of what Weir relies on.
	breaks string
}

func recovered(o, _ *scenario.Outcome) bool {
	return o.Result.Crashes > 0 && o.Result.Recoveries > 0
}
func succeeded(o, _ *scenario.Outcome) bool {
	return o.Result.CoordinatorCrashes > 0 && o.Result.Plans > 1
}
func replaced(o, _ *scenario.Outcome) bool {
	return o.Result.Crashes == 0 && o.Result.Counts[trace.TaskFailed] > 0 && o.Result.Plans > 1
}
func later(o, calm *scenario.Outcome) bool   { return o.Result.Virtual > calm.Result.Virtual }
func another(o, calm *scenario.Outcome) bool { return o.Result.Hash != calm.Result.Hash }
func storedAgain(o, _ *scenario.Outcome) bool {
	return o.Result.StoreRetried > 0
}
func sentAgain(o, _ *scenario.Outcome) bool { return o.Result.ExtRetried > 0 }
func declined(o, _ *scenario.Outcome) bool {
	return o.Result.Counts[trace.SnapshotFailed] > 0
}

// strikes are all kinds of faults on all that they can hit, with every outcome,
// and what comes together.
func strikes() []strike {
	rounds, logged := []string{"aligned", "unaligned"}, []string{"uncoordinated", "cic-bcs"}
	return []strike{
		{row: "crash worker", plan: `(crash worker=1 at (nth 9 acked))`, shows: recovered},
		{row: "crash coordinator", plan: `(crash coordinator at (nth 4 acked))`, shows: succeeded},
		{row: "stop coordinator", plan: `(stop coordinator at (nth 9 acked))`, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Counts[trace.Stopped] > 0 && o.Result.Plans > 1
		}},
		{row: "crash storage", plan: `(crash storage at (nth 5 store-issued))`, shows: storedAgain},
		{row: "crash sink", plan: `(crash sink at (nth 9 ext-issued))`, shows: func(o, c *scenario.Outcome) bool {
			return sentAgain(o, c) && o.Result.Counts[trace.TaskFailed] > 0 // rows of no transaction yet are lost
		}},
		{row: "wipe worker", plan: `(wipe worker=1 at (nth 9 acked))`, shows: recovered},
		{row: "suspect worker", plan: `(suspect worker=1 for 8ms at (nth 4 snapshot-begun))`, shows: replaced},
		{row: "suspect coordinator", plan: `(suspect coordinator for 15ms at (nth 9 acked))`, shows: succeeded},
		{row: "stall worker", plan: `(stall worker=1 for 60ms at (nth 4 snapshot-begun))`, shows: later},
		{row: "stall coordinator", plan: `(stall coordinator for 60ms at (nth 4 snapshot-begun))`, shows: later},
		{row: "stall storage", plan: `(stall storage for 60ms at (nth 1 store-issued))`, shows: later},
		{row: "stall source", plan: `(stall source for 60ms at (nth 1 task-ready))`, shows: later},
		{row: "stall sink", plan: `(stall sink for 60ms at (nth 1 ext-issued))`, shows: later},
		{row: "stall link", plan: `(stall link c1 for 60ms at (nth 1 task-ready))`, shows: later},
		{row: "fail storage outcome=not-applied", plan: `(fail storage outcome=not-applied times=3 at (nth 4 acked))`, shows: storedAgain},
		{row: "fail storage outcome=applied", plan: `(fail storage outcome=applied times=3 at (nth 4 acked))`, shows: storedAgain},
		{row: "fail storage outcome=torn", plan: `(fail storage put outcome=torn times=2 at (nth 1 snapshot-begun))`, shows: storedAgain},
		{row: "fail storage outcome=refused", plan: `(fail storage put outcome=refused at (nth 2 snapshot-begun))`, shows: declined},
		{row: "fail storage outcome=refused, a record", plan: `(fail storage create key="chk/" outcome=refused times=2 at (nth 2 triggered))`, algorithms: rounds, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Counts[trace.Aborted] > 0
		}},
		{row: "fail storage outcome=refused, a plan", plan: `(plan (fail storage create key="plan/" outcome=refused at (nth 3 acked)) (crash worker=1 at (nth 3 acked)))`, shows: another, fails: `create "plan/`},
		{row: "fail storage outcome=refused, a log", plan: `(fail storage append outcome=refused at (nth 3 acked))`, algorithms: logged, shows: another, fails: `append "log/`},
		{row: "fail storage outcome=refused, a listing", plan: `(plan (fail storage list key="chk/" outcome=refused at (nth 3 completed)) (crash coordinator at (nth 3 completed)))`, algorithms: rounds, shows: another, fails: `list "chk/`},
		{row: "fail storage outcome=forgotten", plan: `(plan (fail storage put key="snap/" outcome=forgotten times=3 at (nth 4 snapshot-begun)) (crash worker=1 at (nth 2 completed)))`,
			algorithms: []string{"aligned"}, shows: recovered, fails: `get "snap/`},
		{row: "fail storage outcome=misdirected", plan: `(plan (fail storage put key="snap/" outcome=misdirected times=2 at (nth 4 snapshot-begun)) (crash worker=1 at (nth 2 completed)))`,
			algorithms: []string{"aligned"}, shows: recovered, fails: `get "snap/`},
		{row: "fail storage outcome=stale", plan: `(plan (fail storage list key="chk/" outcome=stale at (nth 3 completed)) (crash coordinator at (nth 3 completed)))`,
			algorithms: rounds, shows: succeeded, breaks: "although the output of epoch 1.3 is visible"},
		{row: "fail sink outcome=not-applied", plan: `(fail sink outcome=not-applied times=3 at (nth 4 acked))`, shows: sentAgain},
		{row: "fail sink outcome=applied", plan: `(fail sink outcome=applied times=3 at (nth 4 acked))`, shows: sentAgain},
		{row: "delay storage", plan: `(plan (delay storage put key="snap/" for 40ms at (nth 2 snapshot-begun)) (crash worker=1 at (nth 6 snapshot-begun)))`, shows: replayed},
		{row: "delay sink", plan: `(plan (delay sink for 40ms at (nth 4 acked)) (crash worker=1 at (nth 6 acked)))`, shows: replayed},
		{row: "delay control", plan: `(delay control=1 times=4 for 20ms at (nth 4 snapshot-begun))`, shows: later},
		{row: "slow worker", plan: `(slow worker=1 by 20 at (nth 1 task-ready))`, shows: later},
		{row: "slow storage", plan: `(slow storage by 20 at (nth 1 task-ready))`, shows: later},
		{row: "slow sink", plan: `(slow sink by 20 at (nth 1 task-ready))`, shows: later},
		{row: "slow link", plan: `(slow link c1 by 80 at (nth 1 task-ready))`, shows: later},
		{row: "corrupt storage key=snap/", plan: `(plan (corrupt storage key="snap/" at (nth 1 completed)) (crash worker=1 at (nth 1 completed)))`,
			algorithms: rounds, shows: recovered, fails: `corrupt: get "snap/`},
		{row: "corrupt storage key=chk/", plan: `(plan (corrupt storage key="chk/" at (nth 2 completed)) (crash coordinator at (nth 2 completed)))`,
			algorithms: rounds, shows: another, fails: `get "chk/`},
		{row: "corrupt storage key=log/", plan: `(plan (corrupt storage key="log/" at (nth 30 acked)) (crash worker=1 at (nth 30 acked)))`,
			algorithms: logged, shows: recovered, fails: `corrupt: read log "log/`},
		{row: "cut link", plan: `(cut link c1 at (nth 9 acked))`, shows: replaced},
		{row: "cut control", plan: `(cut control=1 at (nth 9 acked))`, shows: replaced},
		{row: "cut control up", plan: `(cut control=1 up at (nth 9 acked))`, shows: replaced},
		{row: "cut control down", plan: `(cut control=1 down at (nth 9 acked))`, shows: replaced},
		{row: "repeat control", plan: `(repeat control=1 times=200 at (time 0s))`, shows: another},
		{row: "abort sink", plan: `(abort sink at (nth 1 all-acked))`, algorithms: rounds, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Counts[trace.TaskFailed] > 0
		}, fails: "the external store does not know a transaction that must be committed"},
		{row: "jump worker", plan: `(jump worker=2 by 30ms at (nth 1 acked))`, workload: "sampling", shows: another},
		{row: "jump worker, back", plan: `(jump worker=2 by -3ms at (nth 9 acked))`, workload: "sampling", shows: another},
		{row: "drift worker", plan: `(drift worker=2 by 5 at (nth 1 acked))`, workload: "sampling", shows: another},

		{row: "several workers", plan: `(plan (crash worker=0 at (nth 9 acked)) (crash worker=1 at (nth 9 acked)))`, shows: recovered},
		{row: "all workers", plan: `(plan (crash worker=0 at (nth 9 acked)) (crash worker=1 at (nth 9 acked)) (crash worker=2 at (nth 9 acked)))`, shows: recovered},
		{row: "everything", plan: `(plan (crash worker=0 at (nth 9 acked)) (crash worker=1 at (nth 9 acked)) (crash worker=2 at (nth 9 acked))
			(crash coordinator at (nth 9 acked)) (crash storage at (nth 9 acked)) (crash sink at (nth 9 acked)))`, shows: recovered},
		{row: "query job", plan: `(query at (nth 40 delivered))`, shows: func(o, _ *scenario.Outcome) bool { return o.Result.Counts[trace.Queried] > 0 }},
		{row: "rescale job", plan: `(rescale to=3 at (nth 2 completed))`, algorithms: []string{"aligned", "unaligned"}, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Counts[trace.Rescaled] == 1 && o.Result.Crashes+o.Result.CoordinatorCrashes == 0
		}},
		{row: "upgrade job", plan: `(upgrade to=2 at (nth 1 completed))`, workload: "spending", algorithms: []string{"aligned", "unaligned"}, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Upgraded == 1 && o.Result.Crashes+o.Result.CoordinatorCrashes == 0
		}},
		{row: "savepoint job", plan: `(savepoint at (nth 9 emitted))`, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Counts[trace.Saved] == 1 && o.Result.Counts[trace.Stopped] == 0
		}},
		{row: "stop-with-savepoint job", plan: `(stop-with-savepoint at (nth 9 emitted))`, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Counts[trace.Saved] > 0 && o.Result.Counts[trace.Stopped] == 1
		}},
		{row: "resume job", plan: `(plan (stop-with-savepoint at (nth 9 emitted)) (resume to=3))`, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Resumed == 1 && o.Result.Counts[trace.JobDone] == 1
		}},
		{row: "failover job", plan: `(plan (failover at (nth 9 acked)) (failover for 90ms at (after (nth 2 coordinator-started) (nth 2 task-ready))))`, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Failovers == 2 && o.Result.Rivals == 0
		}},
		{row: "drift process", plan: `(plan (failover at (nth 30 acked)) (drift coordinator=1 by 4 at (time 0s)))`, shows: func(o, _ *scenario.Outcome) bool {
			return o.Result.Failovers > 0
		}},
		{row: "a second crash before the first is noticed", plan: `(plan (crash worker=1 at (nth 9 acked)) (crash worker=2 at (after (nth 9 acked) (time 200us))))`, shows: recovered},
		{row: "a crash in a recovery", plan: `(plan (crash worker=1 at (nth 9 acked)) (crash worker=2 at (after (nth 1 worker-crashed) (nth 2 task-starting))))`, shows: recovered},
		{row: "the coordinator in a recovery", plan: `(plan (crash worker=1 at (nth 9 acked)) (crash coordinator at (after (nth 1 worker-crashed) (nth 1 plan-durable))))`, shows: succeeded},
		{row: "a crash in a commit", plan: `(crash worker=1 at (nth 5 ext-issued text="commit"))`, shows: recovered},
		{row: "a crash in a deletion", plan: `(crash coordinator at (nth 2 store-issued text="delete snap/"))`, shows: succeeded},
		{row: "a zombie whose successor crashes", plan: `(plan (suspect worker=1 for 9ms at (nth 9 acked)) (crash worker=2 at (after (nth 1 task-failed) (nth 2 task-ready))))`, shows: recovered},
	}
}

// replayed: what was held back took effect, or would have, behind a crash.
func replayed(o, _ *scenario.Outcome) bool { return o.Result.Crashes > 0 && o.Result.Plans > 1 }

// TestEveryFaultKindIsExercised: each strikes, has its consequence, and what comes of
// the job is what docs/faults.md says.
func TestEveryFaultKindIsExercised(t *testing.T) {
	for _, c := range strikes() {
		t.Run(c.row, func(t *testing.T) {
			plan, err := faults.Parse(c.plan)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range c.of() {
				c.judge(t, name, plan)
			}
		})
	}
}

func (c *strike) of() []string {
	if c.algorithms != nil {
		return c.algorithms
	}
	return []string{"aligned", "unaligned", "uncoordinated"}
}

func (c *strike) judge(t *testing.T, algorithm string, plan faults.Plan) {
	t.Helper()
	config := scenario.Config{Algorithm: algorithmNamed(t, algorithm), State: "heap", Workload: smallWorkload(t, c.workload), Faults: scenario.PlannedFaults}
	calm := runnerOf(t, config)
	config.Plan = plan
	hit := runnerOf(t, config)
	struck, shown, failed, broken := 0, 0, 0, 0
	for seed := uint64(1); seed <= strikeSeeds; seed++ {
		o := hit.Run(seed)
		if len(o.NotStruck()) == 0 {
			struck++
			if c.shows(o, calm.Run(seed)) {
				shown++
			}
		}
		switch why := o.Why(); {
		case o.Kind == scenario.Fine:
		case o.Kind == scenario.Broken && c.fails != "" && strings.Contains(why, c.fails):
			failed++
		case o.Kind == scenario.Unsafe && c.breaks != "" && strings.Contains(why, c.breaks):
			broken++
		default:
			t.Errorf("%s, seed %d: %s: %s", algorithm, o.Seed, o.Kind, why)
		}
	}
	if struck == 0 || shown == 0 {
		t.Errorf("%s: of %d runs it struck in %d and had its consequence in %d", algorithm, strikeSeeds, struck, shown)
	}
	if (failed == 0) != (c.fails == "") || (broken == 0) != (c.breaks == "") {
		t.Errorf("%s: %d jobs failed, which is wanted with %q; %d runs broke a promise, which is wanted with %q", algorithm, failed, c.fails, broken, c.breaks)
	}
}

func runnerOf(t *testing.T, c scenario.Config) *scenario.Runner {
	t.Helper()
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// strikeSeeds is how many runs of an algorithm a row gets.
const strikeSeeds = 12

// TestFaultsAreDocumented: docs/faults.md has a row for each strike and no other, and
// no kind, target or outcome is without a row.
func TestFaultsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			row, _, _ := strings.Cut(rest, "`")
			documented[row] = true
		}
	}
	shown := map[string]bool{}
	for _, c := range strikes() {
		if shown[c.row] = true; !documented[c.row] {
			t.Errorf("docs/faults.md has no row `%s`", c.row)
		}
	}
	for row := range documented {
		if !shown[row] {
			t.Errorf("docs/faults.md has a row `%s` that no run shows", row)
		}
	}
	for k := faults.Crash; k < faults.Kinds; k++ {
		for _, g := range k.Targets() {
			if what := k.String() + " " + g.String(); !begins(shown, what) {
				t.Errorf("no run shows what comes of %s", what)
			}
		}
	}
	for o := faults.NotApplied; o < faults.Outcomes; o++ {
		if what := "fail storage outcome=" + o.String(); !shown[what] {
			t.Errorf("no run shows what comes of %s", what)
		}
	}
}

func begins(rows map[string]bool, what string) bool {
	for row := range rows {
		if row == what || strings.HasPrefix(row, what+" ") {
			return true
		}
	}
	return false
}

func smallWorkload(t *testing.T, name string) workloads.Workload {
	t.Helper()
	if name == "" {
		name = "keyedcount"
	}
	w, err := workloadcatalog.New(name)
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	return w
}
