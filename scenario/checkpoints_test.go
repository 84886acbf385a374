package scenario_test

import (
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state/heap"
	"weir/trace"
)

// TestCheckpointsFailByThemselves: over a hundred seeds rounds take too long and are
// declined, more fail in a row than are tolerated, and jobs are stopped; and all jobs
// go on to the right end.
func TestCheckpointsFailByThemselves(t *testing.T) {
	ofRounds := trace.Mask(0).With(trace.TimedOut, trace.FellBack)
	for _, algorithm := range []string{"aligned", "unaligned", "chandy-lamport", "stop-the-world", "uncoordinated"} {
		r := runner(t, combination(t, algorithm, heap.Name, workload(t, "keyedcount")))
		var runs, events [trace.Kinds]int64
		checkpoints := 0
		for seed := uint64(1); seed <= 100; seed++ {
			o := r.Run(seed)
			simtest.Fine(t, o)
			checkpoints += o.Checkpoints()
			for k, n := range o.Result.Counts {
				if events[k] += n; n > 0 {
					runs[k]++
				}
			}
		}
		for _, k := range []trace.Kind{trace.TimedOut, trace.Declined, trace.FailedOver, trace.FellBack, trace.Stopped} {
			t.Logf("%-15s %-11s %3d in %2d of 100 runs", algorithm, k, events[k], runs[k])
			if runs[k] < 2 && (!ofRounds.Has(k) || algorithm != "uncoordinated") {
				t.Errorf("%s: %s in %d of 100 runs", algorithm, k, runs[k])
			}
		}
		t.Logf("%-15s %d checkpoints", algorithm, checkpoints)
	}
}

// TestSettingsOfCheckpointsAreDrawn: each takes the values that matter.
func TestSettingsOfCheckpointsAreDrawn(t *testing.T) {
	r := runner(t, combination(t, "aligned", heap.Name, workload(t, "keyedcount")))
	seen := map[string]int{}
	note := func(what string, yes bool) {
		if yes {
			seen[what]++
		}
	}
	const runs = 200
	for seed := uint64(1); seed <= runs; seed++ {
		s := r.Run(seed).Drawn().Settings
		k := &s.Job.Checkpoint
		note("an interval within the jitter of messages", int64(k.Interval) <= s.Model.Message.Jitter)
		note("an interval of some", k.Interval < scenario.DefaultInterval/2)
		note("a short timeout", k.Timeout < 1e9)
		note("a timeout longer than any round", k.Timeout > 1e9)
		note("no failure tolerated", k.Tolerated == 0)
		note("some failures tolerated", k.Tolerated > 0)
		note("any number of failures tolerated", k.Tolerated < 0)
		note("three rounds at once", k.MaxConcurrent == 3)
		note("four rounds at once", k.MaxConcurrent == 4)
		note("one round at once", k.MaxConcurrent == 1)
		note("a pause longer than the interval", k.MinPause > k.Interval)
		note("no pause", k.MinPause == 0)
		note("an older checkpoint will do", k.Fallback && k.Retain > 1)
		note("only the newest checkpoint will do", !k.Fallback)
		note("one checkpoint kept", k.Retain == 1)
		note("three checkpoints kept", k.Retain == 3)
	}
	if len(seen) != 16 {
		t.Errorf("of 16 only %d were drawn: %v", len(seen), seen)
	}
	for what, n := range seen {
		if t.Logf("%3d of %d: %s", n, runs, what); n < runs/50 {
			t.Errorf("%s in %d of %d runs", what, n, runs)
		}
	}
}

// TestGivenSettingsAreNotDrawn: what is given holds in every run, with or without
// faults, and stands in the command that repeats it.
func TestGivenSettingsAreNotDrawn(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	c.Given = dataflow.Given{
		"checkpoint.timeout": "40ms", "checkpoint.min-pause": "1ns", "checkpoint.tolerated": "7", "checkpoint.retain": "5", "checkpoint.concurrent": "6", "checkpoint.fallback": "true",
		"checkpoint.on-cancel": "retain", "restart.strategy": "exponential-delay", "restart.exponential-delay.max-backoff": "5s",
	}
	for _, mode := range []scenario.FaultMode{scenario.RandomFaults, scenario.NoFaults} {
		c.Faults = mode
		r := runner(t, c)
		for seed := uint64(1); seed <= 10; seed++ {
			k := r.Run(seed).Drawn().Settings.Job.Checkpoint
			if k.Timeout != 40_000_000 || k.MinPause != 1 || k.Tolerated != 7 || k.Retain != 5 || k.MaxConcurrent != 6 || !k.Fallback {
				t.Errorf("seed %d has %+v", seed, k)
			}
			if x := r.Run(seed).Drawn().Settings.Job.Restart; x.Strategy != dataflow.RestartExponential || x.MaxBackoff != 5e9 {
				t.Errorf("seed %d has %+v", seed, x)
			}
		}
	}
	if text := c.Command(1); !strings.Contains(text, " --min-pause=1ns --concurrent=6 --checkpoint-timeout=40ms --tolerated=7 --retain=5 --fallback=true --on-cancel=retain --restart-strategy=exponential-delay --restart-max-backoff=5s") {
		t.Error(text)
	}
}

// TestStoppedJobGoesOn: it ends with a last checkpoint, everything is taken down, and
// it starts again from there: nothing is done twice.
func TestStoppedJobGoesOn(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, "(stop coordinator at (nth 2 completed))")
	r := runner(t, c)
	again := 0
	for seed := uint64(1); seed <= 20; seed++ {
		o := r.Run(seed)
		simtest.Fine(t, o)
		if n := o.Result.Counts[trace.Stopped]; n != 1 || len(o.NotStruck()) > 0 {
			t.Errorf("seed %d: stopped %d times, not struck %v", seed, n, o.NotStruck())
		}
		if o.Result.Recoveries == 0 {
			t.Errorf("seed %d: started again from nothing", seed)
		}
		if o.Report.LostWork > 0 {
			again++
		}
	}
	t.Logf("work done again in %d of 20 runs", again)
	if f := c.Plan.Faults[0]; f.Kind != faults.Stop || f.HoldsUp() != 0 {
		t.Errorf("%+v", f)
	}
}

// TestLongWindowsAreHit: somebody crashes after so many checkpoints, between injected
// and caught up, and while a step is held back that others wait for or pass; uploads
// outlive their rounds, and storage refuses more than is tolerated.
func TestLongWindowsAreHit(t *testing.T) {
	struck := map[string]int{}
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		r := runner(t, combination(t, algorithm, heap.Name, workload(t, "keyedcount")))
		for seed := uint64(1); seed <= 250; seed++ {
			o := r.Run(seed)
			simtest.Fine(t, o)
			waiting := map[string]bool{}
			for _, f := range o.NotStruck() {
				waiting[f.String()] = true
			}
			for i := range o.Plan.Faults {
				if f := &o.Plan.Faults[i]; !waiting[f.String()] {
					struck[windowOf(f, o.Drawn().Settings.Job.Checkpoint.Timeout)]++
				}
			}
		}
	}
	delete(struck, "")
	for _, want := range []string{
		"a crash by the number of checkpoints", "a crash while what was put back is worked off", "an upload longer than its round may take", "an outage",
		"create", "get", "read-log", "delete", "trim", "append", "precommit", "recover", "commit", "put",
	} {
		if struck[want] == 0 {
			t.Errorf("%s: in none of 500 runs; %v", want, struck)
		}
	}
	t.Log(struck)
}

// windowOf names what makes the window long that a fault is about; "": nothing, or the
// operation that is held back for longer than a recovery takes.
func windowOf(f *faults.Fault, timeout dataflow.Nanos) string {
	at := func(k trace.Kind) bool {
		return slices.ContainsFunc(f.When.Steps, func(s faults.Step) bool { return s.Kinds.Has(k) })
	}
	switch {
	case f.Kind == faults.Crash && at(trace.Injected) && at(trace.Delivered):
		return "a crash while what was put back is worked off"
	case f.Kind == faults.Crash && at(trace.Completed) && at(trace.LineAdvanced):
		return "a crash by the number of checkpoints"
	case f.Kind == faults.Delay && f.Key == "snap/" && f.Duration >= int64(timeout):
		return "an upload longer than its round may take"
	case f.Outcome == faults.Refused && f.Times > 3:
		return "an outage"
	case f.Kind == faults.Delay && f.Times == 1 && f.Duration >= 30_000_000:
		return f.Op
	}
	return ""
}

// TestTimesAfterTheEnd: a time that is longer than a run, and waited for in it, is refused and no lack
// of progress.
func TestTimesAfterTheEnd(t *testing.T) {
	for _, x := range []struct {
		given dataflow.Given
		says  string // nothing: it can be
	}{
		{dataflow.Given{"checkpoint.min-pause": "30m"}, "checkpoint.min-pause 30m0s"},
		{dataflow.Given{"checkpoint.min-pause": "4s"}, ""},
		{dataflow.Given{"checkpoint.interval": "8760h"}, ""}, // the last round comes all the same
		{dataflow.Given{"checkpoint.timeout": "8760h"}, ""},
		{dataflow.Given{"restart.strategy": "fixed-delay", "restart.fixed-delay.delay": "8760h"}, "restart.strategy fixed-delay, which waits for up to 8760h0m0s"},
		{dataflow.Given{"restart.strategy": "exponential-delay"}, ""},
	} {
		c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
		c.Faults, c.Given = scenario.NoFaults, x.given
		r, err := scenario.New(c)
		if x.says != "" {
			if err == nil || !strings.Contains(err.Error(), x.says) {
				t.Errorf("%v: %v", x.given, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		simtest.Fine(t, r.Run(1))
		r.Close()
	}
}
