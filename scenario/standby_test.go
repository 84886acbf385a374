package scenario_test

import (
	"strings"
	"testing"

	"weir/algorithms/lease"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
)

// standby is a combination with two coordinator processes under a plan.
func standby(t *testing.T, algorithm, plan string) scenario.Config {
	c := combination(t, algorithm, "heap", workload(t, "keyedcount"))
	c.Coordinators = 2
	if plan != "" {
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
	}
	return c
}

// TestStandbyTakesOver: of two coordinator processes the other one goes on when the
// leader is gone, or stands still for longer than its lease; and no sooner.
func TestStandbyTakesOver(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "cic-bcs"} {
		for _, c := range []struct {
			plan  string
			moves bool
		}{
			{`(crash coordinator at (nth 9 acked))`, true},
			{`(suspect coordinator for 120ms at (nth 9 acked))`, true},
			{`(stall coordinator for 8ms at (nth 9 acked))`, false},
			{`(plan (suspect coordinator for 120ms at (nth 9 acked)) (crash worker=1 at (after (nth 1 coordinator-started) (nth 1 coordinator-started))))`, true},
		} {
			r := runner(t, standby(t, name, c.plan))
			for seed := range uint64(8) {
				o := r.Run(seed + 1)
				simtest.Fine(t, o)
				if n := o.Result.Counts[trace.CoordinatorStarted]; c.moves && n < 2 || !c.moves && n > 1 {
					t.Errorf("%s, seed %d, %s: %d coordinators started", name, seed+1, c.plan, n)
				}
			}
		}
	}
}

// TestStandbysUnderDrawnFaults: whoever leads, and however often that changes, what the
// algorithm promises holds. The lease alone would not do: a process acts once more
// where it only looks at its clock afterwards, and what it has asked for lands late.
func TestStandbysUnderDrawnFaults(t *testing.T) {
	const runs = 25
	for _, name := range []string{"aligned", "unaligned", "stop-the-world", "uncoordinated"} {
		r := runner(t, standby(t, name, ""))
		moved := int64(0)
		for seed := range uint64(runs) {
			o := r.Run(seed + 1)
			simtest.Fine(t, o)
			moved += o.Result.Counts[trace.CoordinatorStarted] - 1
		}
		t.Logf("%s: %d runs, the lead moved %d times", name, runs, moved)
		if moved == 0 {
			t.Errorf("%s: the lead never moved", name)
		}
	}
}

// TestFailovers: a leader that is lost is followed by another process, and so is one that
// stands still for longer than its lease; nobody leads while it may still.
func TestFailovers(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned-timeout", "cic-bcs", "uncoordinated"} {
		for _, plan := range []string{
			`(failover at (nth 9 acked))`,
			`(failover for 90ms at (nth 9 acked))`,
			`(plan (failover at (nth 9 acked)) (failover at (after (nth 2 coordinator-started) (nth 2 task-ready))))`,
			`(plan (failover for 90ms at (nth 9 acked)) (crash worker=1 at (after (nth 1 coordinator-started) (nth 1 coordinator-started))))`,
		} {
			r := runner(t, standby(t, name, plan))
			want := len(mustParse(t, plan).Operations())
			for seed := range uint64(6) {
				o := r.Run(seed + 1)
				simtest.Fine(t, o)
				if o.Result.Failovers < want || o.Result.Rivals > 0 || len(o.NotStruck()) > 0 {
					t.Errorf("%s, seed %d, %s: another process took the lead %d times, %d times too early; not struck: %v", name, seed+1, plan, o.Result.Failovers, o.Result.Rivals, o.NotStruck())
				}
			}
		}
	}
}

// TestFailoversDrawn: beside drawn faults and changes of the graph, with clocks within and
// beyond the bound: the promises hold. Two lead at once only where clocks are beyond it.
func TestFailoversDrawn(t *testing.T) {
	const runs = 30
	rivals := 0
	for _, name := range []string{"aligned", "unaligned", "stop-the-world", "uncoordinated"} {
		c := combination(t, name, "heap", workload(t, "keyedcount"))
		c.Operations = []faults.Kind{faults.Rescale, faults.Failover}
		r := runner(t, c)
		failovers, rescaled, beyond := 0, int64(0), 0
		for seed := range uint64(runs) {
			o := r.Run(seed + 1)
			simtest.Fine(t, o)
			failovers += o.Result.Failovers
			rescaled += o.Result.Counts[trace.Rescaled]
			for _, f := range o.Plan.Faults {
				if f.Target == faults.Process {
					beyond++
					rivals += o.Result.Rivals
				}
			}
		}
		t.Logf("%s: %d runs, %d failovers, %d changes of the graph, %d runs with clocks beyond the bound; two leaders %d times so far", name, runs, failovers, rescaled, beyond, rivals)
		if failovers < runs/2 || beyond == 0 || (rescaled > 0) != (name != "uncoordinated") {
			t.Errorf("%s: something never happened", name)
		}
	}
	if rivals == 0 {
		t.Error("clocks beyond the bound never made two leaders")
	}
}

// TestTwoLeadersAreFenced: a standby whose clock is four times too fast takes the lead from a
// process that has it still, over and over; what the algorithm promises holds by the fence
// alone, and not without it.
func TestTwoLeadersAreFenced(t *testing.T) {
	const plan = `(plan (drift coordinator=0 by 4 at (time 0s)) (failover for 60ms at (nth 9 acked)) (crash worker=1 at (nth 30 acked)))`
	for _, name := range []string{"aligned", "unaligned", "uncoordinated"} {
		r := runner(t, standby(t, name, plan))
		rivals := 0
		for seed := range uint64(20) {
			o := r.Run(seed + 1)
			simtest.Fine(t, o)
			rivals += o.Result.Rivals
		}
		t.Logf("%s: two led at once %d times in 20 runs", name, rivals)
		if rivals == 0 {
			t.Errorf("%s: never two leaders", name)
		}
	}
}

// TestFailoversThatCannotBe: each is refused with what to do.
func TestFailoversThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		plan  string
		n     int
		wants string
	}{
		{`(failover at (nth 9 acked))`, 1, "--coordinators 2"},
		{`(failover for 9ms at (nth 9 acked))`, 2, "a lease is good for 40ms"},
		{`(drift coordinator=0 by 2)`, 0, "--coordinators 2"},
		{`(drift coordinator=2 by 2)`, 2, "coordinator processes 0 to 1"},
		{``, -1, "-1 coordinator processes"},
	} {
		cfg := standby(t, "aligned", c.plan)
		cfg.Coordinators = c.n
		if _, err := scenario.New(cfg); err == nil || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s with %d processes: %v, want %q", c.plan, c.n, err, c.wants)
		}
	}
}

// TestZombieBehindAChange: what tasks of a graph that is no more had sent to a leader that stood
// still finds it when it wakes, and dies of its lease; its successor has fewer tasks.
func TestZombieBehindAChange(t *testing.T) {
	const plan = `(plan (failover for 150ms at (nth 9 acked)) (rescale to=1 at (nth 2 coordinator-started)))`
	for _, name := range []string{"aligned", "unaligned", "stop-the-world"} {
		r := runner(t, standby(t, name, plan))
		for seed := range uint64(10) {
			o := r.Run(seed + 1)
			simtest.Fine(t, o)
			if o.Result.Failovers == 0 || o.Result.Counts[trace.Rescaled] != 1 {
				t.Errorf("%s, seed %d: %d failovers, %d changes", name, seed+1, o.Result.Failovers, o.Result.Counts[trace.Rescaled])
			}
		}
	}
}

// TestTwoLeadersWithinTheBoundAreSeen: a process that acts on when its lease has ended holds it still
// when another one takes the lead, whatever its clock says; the run is not fine.
func TestTwoLeadersWithinTheBoundAreSeen(t *testing.T) {
	c := standby(t, "aligned", `(failover for 90ms at (nth 9 acked))`)
	c.Mutant = lease.MutantActsOn
	r := runner(t, c)
	for seed := range uint64(4) {
		if o := r.Run(seed + 1); o.Kind != scenario.Unsafe || !strings.Contains(o.Why(), "leaders: ") || !strings.Contains(o.Why(), "hold their leases still") {
			t.Errorf("seed %d: %s: %s", seed+1, o.Kind, o.Why())
		}
	}
}

// TestStandbysStandInTheCommand: the run is repeated with as many processes.
func TestStandbysStandInTheCommand(t *testing.T) {
	c := combination(t, "aligned", "heap", workload(t, "keyedcount"))
	c.Operations = []faults.Kind{faults.Failover}
	o := runner(t, c).Run(1)
	if text := o.Config.Command(1); !strings.Contains(text, " --coordinators 2") || !strings.Contains(text, " --operations failover") {
		t.Error(text)
	}
}
