package scenario_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
)

// TestEverySettingHasAnEffect: a setting whose effect no test sees does not exist. Those of
// live jobs are in TestSettingsLive.
func TestEverySettingHasAnEffect(t *testing.T) {
	for _, s := range dataflow.Settings() {
		test := effects[s.Name]
		if test == nil {
			t.Errorf("no test sees the effect of %s", s.Name)
			continue
		}
		t.Run(s.Name, test)
	}
	if n := len(dataflow.Settings()); len(effects) != n {
		t.Errorf("%d effects are looked for, of %d settings", len(effects), n)
	}
}

// effects has a test for each setting.
var effects = map[string]func(t *testing.T){
	"checkpoint.interval":          effectOfInterval,
	"checkpoint.min-pause":         effectOfMinPause,
	"checkpoint.concurrent":        effectOfConcurrent,
	"checkpoint.timeout":           effectOfTimeout,
	"checkpoint.alignment-timeout": effectOfAlignmentTimeout,
	"checkpoint.tolerated":         effectOfTolerated,
	"checkpoint.retain":            effectOfRetain,
	"checkpoint.fallback":          effectOfFallback,
	"checkpoint.on-cancel":         effectOfOnCancel,
	"checkpoint.after-finished":    effectOfAfterFinished,
	"checkpoint.local-recovery":    effectOfLocalRecovery,
	"checkpoint.changelog":         effectOfChangelog,
	"checkpoint.changelog-segment": effectOfChangelogSegment,

	"restart.strategy":                                  effectOfStrategy,
	"restart.failover-strategy":                         effectOfFailover,
	"restart.progress.attempts":                         effectOfProgressAttempts,
	"restart.fixed-delay.attempts":                      effectOfFixedAttempts,
	"restart.fixed-delay.delay":                         effectOfFixedDelay,
	"restart.exponential-delay.initial-backoff":         effectOfInitialBackoff,
	"restart.exponential-delay.max-backoff":             effectOfMaxBackoff,
	"restart.exponential-delay.backoff-multiplier":      effectOfMultiplier,
	"restart.exponential-delay.reset-backoff-threshold": effectOfResetThreshold,
	"restart.exponential-delay.jitter-factor":           effectOfJitter,
	"restart.failure-rate.max-failures-per-interval":    effectOfMaxFailures,
	"restart.failure-rate.failure-rate-interval":        effectOfFailureInterval,
	"restart.failure-rate.delay":                        effectOfFailureDelay,
}

// watched is a run with its events.
type watched struct {
	*scenario.Outcome
	events []trace.Event
}

// run makes a run with settings, given as "name value" pairs without their prefix, under a plan; an
// empty one is a calm run.
func run(t *testing.T, algorithm, plan string, seed uint64, pairs ...string) watched {
	t.Helper()
	c := combination(t, algorithm, heap.Name, workload(t, "keyedcount"))
	c.Given, c.Splits, c.Faults = dataflow.Given{}, 1, scenario.NoFaults
	for i := 0; i < len(pairs); i += 2 {
		if err := c.Given.Put(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if plan != "" {
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
	}
	r := runner(t, c)
	k := &kept{}
	r.Observers = []trace.Observer{k}
	o := r.Run(seed)
	if o.Report == nil {
		t.Fatal(o.Err)
	}
	if n := o.NotStruck(); len(n) > 0 && o.Result.Err == nil {
		t.Fatalf("not struck: %v", n)
	}
	return watched{o, k.events}
}

// kept keeps what tells of the coordinator.
type kept struct{ events []trace.Event }

func (*kept) Wants() trace.Mask {
	return trace.Mask(0).With(trace.Triggered, trace.Completed, trace.Aborted, trace.TimedOut, trace.FailedOver, trace.FellBack, trace.Stopped, trace.PlanExecuted, trace.TaskLeft,
		trace.BarrierReceived, trace.StoreApplied, trace.WorkerCrashed)
}

func (k *kept) Observe(e *trace.Event) {
	if k.Wants().Has(e.Kind) {
		x := *e
		x.Data = nil
		k.events = append(k.events, x)
	}
}

// fine fails the test if the job did not come to its right end.
func (w watched) fine(t *testing.T) watched {
	t.Helper()
	simtest.Fine(t, w.Outcome)
	if w.Result.Err != nil {
		t.Fatal(w.Result.Err)
	}
	return w
}

// gaveUp fails the test if the restart strategy did not end the job, for reasons that are said.
func (w watched) gaveUp(t *testing.T, because ...string) {
	t.Helper()
	if !errors.Is(w.Result.Err, coordinator.ErrGaveUp) || !w.GaveUp() && because[0] != "restart.strategy progress" {
		t.Fatalf("%s, %v", w.Kind, w.Result.Err)
	}
	for _, b := range because {
		if !strings.Contains(w.Result.Err.Error(), b) {
			t.Errorf("%q does not say %q", w.Result.Err, b)
		}
	}
}

func (w watched) count(k trace.Kind) (n int) {
	for i := range w.events {
		if w.events[i].Kind == k {
			n++
		}
	}
	return n
}

// left returns how many objects are in storage whose names begin so.
func (w watched) left(prefix string) int {
	stored := map[string]bool{}
	for i := range w.events {
		if e := &w.events[i]; e.Kind == trace.StoreApplied && strings.HasPrefix(e.Key, prefix) {
			switch e.Op {
			case trace.Put, trace.Create:
				stored[e.Key] = true
			case trace.Delete:
				delete(stored, e.Key)
			default: // nothing comes or goes
			}
		}
	}
	return len(stored)
}

// wait returns the time from the n-th crash of a worker to the plan that answers it.
func (w watched) wait(t *testing.T, n int) time.Duration {
	t.Helper()
	for i := range w.events {
		if w.events[i].Kind == trace.WorkerCrashed {
			n--
		}
		if n == 0 {
			for _, e := range w.events[i:] {
				if e.Kind == trace.PlanExecuted {
					return time.Duration(e.Time - w.events[i].Time)
				}
			}
		}
	}
	t.Fatal("there is no such crash that is answered")
	return 0
}

// longer fails the test unless b takes about so much longer than a: finding out about a crash,
// and making a plan, takes some milliseconds more or less.
func longer(t *testing.T, what string, a, b, by time.Duration) {
	t.Helper()
	if d := b - a - by; d < -10*time.Millisecond || d > 10*time.Millisecond {
		t.Errorf("%s: %s and %s, want them to differ by %s", what, a, b, by)
	}
}

const (
	oneCrash   = "(crash worker=1 at (nth 2 completed))"
	twoCrashes = "(plan (crash worker=1 at (nth 2 completed)) (crash worker=0 at (nth 4 completed)))"
	refusals   = `(fail storage put key="snap/" outcome=refused times=40 at (nth 1 snapshot-begun))`
)

func effectOfInterval(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		short := run(t, algorithm, "", 1, "checkpoint.interval", "2ms").fine(t).Checkpoints()
		long := run(t, algorithm, "", 1, "checkpoint.interval", "40ms").fine(t).Checkpoints()
		if short < 2*long {
			t.Errorf("%s: %d checkpoints every 2 ms, %d every 40 ms", algorithm, short, long)
		}
	}
}

func effectOfMinPause(t *testing.T) {
	pause := func(given string) time.Duration {
		w := run(t, "aligned", "", 1, "checkpoint.interval", "1ms", "checkpoint.min-pause", given).fine(t)
		end, least := int64(0), int64(1e12)
		for _, e := range w.events {
			switch {
			case e.Kind == trace.Completed:
				end = e.Time
			case e.Kind == trace.Triggered && end > 0:
				least, end = min(least, e.Time-end), 0
			}
		}
		return time.Duration(least)
	}
	if a, b := pause("0s"), pause("6ms"); a >= 6*time.Millisecond || b < 6*time.Millisecond {
		t.Errorf("the shortest pause is %s without a minimum, %s with one of 6 ms", a, b)
	}
}

func effectOfConcurrent(t *testing.T) {
	most := func(given string) int {
		w := run(t, "aligned", "", 1, "checkpoint.interval", "500us", "checkpoint.min-pause", "0s", "checkpoint.concurrent", given).fine(t)
		now, most := 0, 0
		for _, e := range w.events {
			switch e.Kind {
			case trace.Triggered:
				now++
			case trace.Completed, trace.Aborted:
				now--
			default:
			}
			most = max(most, now)
		}
		return most
	}
	if a, b := most("1"), most("3"); a != 1 || b != 3 {
		t.Errorf("%d under way at once of 1, %d of 3", a, b)
	}
}

func effectOfTimeout(t *testing.T) {
	const late = `(delay storage put key="snap/" for 60ms times=1 at (nth 2 triggered))`
	if n := run(t, "aligned", late, 1, "checkpoint.timeout", "40ms").fine(t).count(trace.TimedOut); n != 1 {
		t.Errorf("%d rounds timed out after 40 ms", n)
	}
	if n := run(t, "aligned", late, 1, "checkpoint.timeout", "10m").fine(t).count(trace.TimedOut); n != 0 {
		t.Errorf("%d rounds timed out after 10 min", n)
	}
}

func effectOfAlignmentTimeout(t *testing.T) {
	overtaking := func(given string) (n int) {
		for _, e := range run(t, "unaligned-timeout", "", 1, "checkpoint.alignment-timeout", given).fine(t).events {
			if e.Kind == trace.BarrierReceived && e.Way == trace.Overtaking {
				n++
			}
		}
		return n
	}
	if a, b := overtaking("0s"), overtaking("1h"); a == 0 || b != 0 {
		t.Errorf("%d barriers overtake at once, %d within an hour", a, b)
	}
}

func effectOfTolerated(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		none := run(t, algorithm, refusals, 1, "checkpoint.tolerated", "0").fine(t).count(trace.FailedOver)
		any := run(t, algorithm, refusals, 1, "checkpoint.tolerated", "-1").fine(t).count(trace.FailedOver)
		if none == 0 || any != 0 {
			t.Errorf("%s: started again %d times without tolerance, %d times with", algorithm, none, any)
		}
	}
}

func effectOfRetain(t *testing.T) {
	for n, given := range map[int]string{1: "1", 3: "3"} {
		if left := run(t, "aligned", "", 1, "checkpoint.interval", "2ms", "checkpoint.retain", given).fine(t).left(coordinator.RecordPrefix); left != n {
			t.Errorf("%d checkpoints are left of %d", left, n)
		}
	}
}

func effectOfFallback(t *testing.T) {
	const damage = `(plan (corrupt storage key="chk/" at (nth 3 completed)) (crash coordinator at (nth 3 completed)))`
	if n := run(t, "aligned", damage, 1, "checkpoint.retain", "2", "checkpoint.fallback", "true").count(trace.FellBack); n != 1 {
		t.Errorf("the job went back %d times", n)
	}
	if w := run(t, "aligned", damage, 1, "checkpoint.retain", "2", "checkpoint.fallback", "false"); w.Result.Err == nil || !strings.Contains(w.Result.Err.Error(), "checkpoint.fallback") {
		t.Errorf("the job that must not go back ended with %v", w.Result.Err)
	}
}

// effectOfOnCancel: of a job that was stopped, or has ended, nothing is left but its last plan, or
// what it can go on from.
func effectOfOnCancel(t *testing.T) {
	const stop = "(stop coordinator at (nth 2 completed))"
	for _, algorithm := range []string{"aligned", "unaligned", "stop-the-world", "uncoordinated", "cic-hmnr"} {
		when := stop
		if algorithm == "uncoordinated" || algorithm == "cic-hmnr" {
			when = "(stop coordinator at (nth 9 line-advanced))"
		}
		stays := run(t, algorithm, when, 1, "checkpoint.on-cancel", "retain").fine(t)
		if stays.Result.Cancelled || stays.Result.Recoveries == 0 || stays.left("snap/") == 0 {
			t.Errorf("%s: cancelled %v, %d recoveries, %d snapshots left", algorithm, stays.Result.Cancelled, stays.Result.Recoveries, stays.left("snap/"))
		}
		for _, plan := range []string{"", when} {
			gone := run(t, algorithm, plan, 1, "checkpoint.on-cancel", "delete").fine(t)
			if gone.left("snap/")+gone.left("chk/")+gone.left("files/") != 0 || gone.left("plan/") != 1 || gone.Result.Cancelled != (plan != "") || gone.Whole() != (plan == "") {
				t.Errorf("%s under %q: %d snapshots, %d records, %d files and %d plans left; cancelled %v", algorithm, plan, gone.left("snap/"), gone.left("chk/"), gone.left("files/"), gone.left("plan/"), gone.Result.Cancelled)
			}
		}
	}
}

// effectOfAfterFinished: one of two sources has no split and finishes at once.
func effectOfAfterFinished(t *testing.T) {
	after := func(given string) (n int) {
		left := false
		for _, e := range run(t, "aligned", "", 1, "checkpoint.interval", "2ms", "checkpoint.after-finished", given).fine(t).events {
			left = left || e.Kind == trace.TaskLeft
			if left && e.Kind == trace.Triggered {
				n++
			}
		}
		return n
	}
	if on, off := after("true"), after("false"); on < 3 || off != 1 {
		t.Errorf("%d checkpoints began after a task had finished, %d where none may but the last", on, off)
	}
}

func effectOfStrategy(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated", "none"} {
		crash := oneCrash
		if algorithm != "aligned" {
			crash = "(crash worker=1 at (time 10ms))"
		}
		run(t, algorithm, crash, 1, "restart.strategy", "none").gaveUp(t, "restart.strategy none", "a worker was lost")
		run(t, algorithm, crash, 1).fine(t)
		run(t, algorithm, crash, 1, "restart.strategy", "fixed-delay").fine(t)
	}
}

func effectOfProgressAttempts(t *testing.T) {
	given := []string{"checkpoint.tolerated", "0", "restart.strategy", "progress", "restart.progress.attempts"}
	run(t, "aligned", refusals, 1, append(given, "1")...).gaveUp(t, "restart.strategy progress", "2 recoveries in a row", "restart.progress.attempts is 1", "more than the tolerated 0")
	run(t, "aligned", refusals, 1, append(given, "1000")...).fine(t)
}

func effectOfFixedAttempts(t *testing.T) {
	given := []string{"restart.strategy", "fixed-delay", "restart.fixed-delay.delay", "1ms", "restart.fixed-delay.attempts"}
	run(t, "aligned", twoCrashes, 1, append(given, "1")...).gaveUp(t, "restart.strategy fixed-delay", "failure 2", "restart.fixed-delay.attempts is 1")
	run(t, "aligned", twoCrashes, 1, append(given, "2")...).fine(t)
}

func effectOfFixedDelay(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		wait := func(given string) time.Duration {
			return run(t, algorithm, "(crash worker=1 at (time 10ms))", 1, "restart.strategy", "fixed-delay", "restart.fixed-delay.delay", given).fine(t).wait(t, 1)
		}
		longer(t, algorithm, wait("0s"), wait("500ms"), 500*time.Millisecond)
	}
}

// backoff returns how long the n-th of two crashes is waited for.
func backoff(t *testing.T, n int, seed uint64, pairs ...string) time.Duration {
	t.Helper()
	given := append([]string{"restart.strategy", "exponential-delay"}, pairs...)
	return run(t, "aligned", twoCrashes, seed, given...).fine(t).wait(t, n)
}

const (
	initialBackoff = "restart.exponential-delay.initial-backoff"
	maxBackoff     = "restart.exponential-delay.max-backoff"
	multiplier     = "restart.exponential-delay.backoff-multiplier"
	threshold      = "restart.exponential-delay.reset-backoff-threshold"
	jitter         = "restart.exponential-delay.jitter-factor"
)

func effectOfInitialBackoff(t *testing.T) {
	longer(t, "the first", backoff(t, 1, 1, initialBackoff, "1ms", jitter, "0"), backoff(t, 1, 1, initialBackoff, "200ms", jitter, "0"), 199*time.Millisecond)
}

func effectOfMaxBackoff(t *testing.T) {
	given := []string{initialBackoff, "50ms", multiplier, "10", jitter, "0", maxBackoff}
	longer(t, "the second", backoff(t, 2, 1, append(given, "100ms")...), backoff(t, 2, 1, append(given, "1m")...), 400*time.Millisecond)
}

func effectOfMultiplier(t *testing.T) {
	given := []string{initialBackoff, "50ms", jitter, "0", multiplier}
	longer(t, "the second", backoff(t, 2, 1, append(given, "1")...), backoff(t, 2, 1, append(given, "2.5")...), 75*time.Millisecond)
}

func effectOfResetThreshold(t *testing.T) {
	given := []string{initialBackoff, "50ms", multiplier, "10", jitter, "0", threshold}
	longer(t, "the second", backoff(t, 2, 1, append(given, "1us")...), backoff(t, 2, 1, append(given, "1h")...), 450*time.Millisecond)
}

func effectOfJitter(t *testing.T) {
	shortest := func(given string) time.Duration {
		least := time.Hour
		for seed := range uint64(6) {
			least = min(least, backoff(t, 1, seed+1, initialBackoff, "400ms", jitter, given))
		}
		return least
	}
	if a, b := shortest("0"), shortest("1"); a < 400*time.Millisecond || b > 300*time.Millisecond {
		t.Errorf("the shortest of six is %s without jitter, %s with", a, b)
	}
}

func effectOfMaxFailures(t *testing.T) {
	given := []string{"restart.strategy", "failure-rate", "restart.failure-rate.failure-rate-interval", "1h", "restart.failure-rate.delay", "1ms", "restart.failure-rate.max-failures-per-interval"}
	run(t, "aligned", twoCrashes, 1, append(given, "1")...).gaveUp(t, "restart.strategy failure-rate", "2 failures within the interval", "max-failures-per-interval is 1")
	run(t, "aligned", twoCrashes, 1, append(given, "2")...).fine(t)
}

func effectOfFailureInterval(t *testing.T) {
	given := []string{"restart.strategy", "failure-rate", "restart.failure-rate.delay", "1ms", "restart.failure-rate.failure-rate-interval"}
	run(t, "aligned", twoCrashes, 1, append(given, "1h")...).gaveUp(t, "restart.strategy failure-rate")
	run(t, "aligned", twoCrashes, 1, append(given, "1us")...).fine(t)
}

func effectOfFailureDelay(t *testing.T) {
	wait := func(given string) time.Duration {
		return run(t, "aligned", oneCrash, 1, "restart.strategy", "failure-rate", "restart.failure-rate.delay", given).fine(t).wait(t, 1)
	}
	longer(t, "a restart", wait("0s"), wait("500ms"), 500*time.Millisecond)
}
