package scenario_test

import (
	"testing"

	"weir/algorithms/rounds"
	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
)

// withRounds are the algorithms of the catalog that take job-wide checkpoints of any promise.
var withRounds = []string{"aligned", "at-least-once", "chandy-lamport", "lai-yang", "mattern", "stop-the-world", "unaligned", "unaligned-timeout"}

// TestFailoverRestartsNoTask: a failure of the coordinator alone costs no incarnation, and the
// first round of its successor is complete, under the successor's plan.
func TestFailoverRestartsNoTask(t *testing.T) {
	for _, name := range withRounds {
		for _, plan := range []string{`(failover at (nth 9 acked))`, `(failover for 90ms at (nth 2 completed))`, `(plan (failover at (nth 9 acked)) (failover at (after (nth 2 coordinator-started) (nth 1 completed))))`} {
			c := standby(t, name, plan)
			n := len(mustParse(t, plan).Operations())
			r := runner(t, c)
			for seed := range uint64(6) {
				started, led := map[id.TaskID]int{}, map[id.Attempt]int{}
				r.Observers = []trace.Observer{watching(func(e *trace.Event) {
					if e.Kind == trace.TaskStarting {
						started[e.Task]++
					} else {
						led[e.Epoch.Attempt()]++
					}
				}, trace.TaskStarting, trace.Completed)}
				o := r.Run(seed + 1)
				simtest.Fine(t, o)
				for task, times := range started {
					if times != 1 {
						t.Errorf("%s, seed %d, %s: %s started %d times", name, seed+1, plan, task, times)
					}
				}
				if o.Report.Adopted != n || led[2] == 0 {
					t.Errorf("%s, seed %d, %s: every task went on %d times; checkpoints by plan: %v", name, seed+1, plan, o.Report.Adopted, led)
				}
			}
		}
	}
}

// watch is an observer that is a function.
type watch struct {
	f     func(e *trace.Event)
	wants trace.Mask
}

func watching(f func(e *trace.Event), kinds ...trace.Kind) watch {
	return watch{f, trace.Mask(0).With(kinds...)}
}

func (w watch) Wants() trace.Mask      { return w.wants }
func (w watch) Observe(e *trace.Event) { w.f(e) }

// Second failures, aimed at what a take-over passes through: a worker dies while nobody leads, and
// is noticed then or later; when the plan is on its way; when tasks are to answer it; the new
// leader dies, or is taken for dead, at each of these; a worker is taken for dead, and goes on.
var secondFailures = []string{
	`(crash worker=1 at (nth 1 coordinator-crashed))`,
	`(crash worker=1 at (after (nth 1 coordinator-crashed) (time 30ms)))`,
	`(crash worker=0 at (after (nth 2 coordinator-started) (nth 1 plan-durable)))`,
	`(crash worker=1 at (after (nth 2 coordinator-started) (nth 1 plan-executed)))`,
	`(crash worker=1 at (after (nth 2 coordinator-started) (nth 2 task-ready)))`,
	`(crash worker=1 at (after (nth 2 coordinator-started) (nth 1 triggered)))`,
	`(crash coordinator at (after (nth 2 coordinator-started) (nth 1 plan-durable)))`,
	`(crash coordinator at (after (nth 2 coordinator-started) (nth 2 task-ready)))`,
	`(suspect coordinator for 90ms at (after (nth 2 coordinator-started) (nth 1 plan-executed)))`,
	`(suspect coordinator for 90ms at (after (nth 2 coordinator-started) (nth 1 all-acked)))`,
	`(suspect worker=1 for 60ms at (nth 1 coordinator-crashed))`,
	`(cut control=1 at (after (nth 2 coordinator-started) (nth 1 plan-durable)))`,
}

// TestSecondFailureOfATakeOver: what is promised holds, whether tasks go on or restart; both happen.
func TestSecondFailureOfATakeOver(t *testing.T) {
	adopted, restarted := 0, 0
	for i, name := range withRounds {
		for _, second := range secondFailures {
			for _, first := range []string{`(failover at (nth 9 acked))`, `(failover for 90ms at (nth 8 all-acked))`}[i%2:][:1] {
				r := runner(t, standby(t, name, "(plan "+first+" "+second+")"))
				for seed := range uint64(4) {
					o := r.Run(seed + 1)
					simtest.Fine(t, o)
					adopted += o.Report.Adopted
					restarted += o.Result.Plans - 1 - o.Report.Adopted
				}
			}
		}
	}
	t.Logf("every task went on %d times; %d other plans", adopted, restarted)
	if adopted == 0 || restarted == 0 {
		t.Error("something never happened")
	}
}

// TestTasksThatHaveLeftAreNotWaitedFor: some had left when the coordinator was lost; they say so to the
// next one, whose rounds go on without them.
func TestTasksThatHaveLeftAreNotWaitedFor(t *testing.T) {
	const plan = `(failover at (nth 1 task-left))`
	for _, mutant := range []dataflow.Mutant{"", dataflow.MutantLeftOnce} {
		late := 0
		for _, name := range withRounds {
			c := standby(t, name, plan)
			c.Mutant = mutant
			r := runner(t, c)
			for seed := range uint64(8) {
				o := r.Run(seed + 1)
				if o.Report.Adopted == 0 {
					continue // it was over before
				}
				if mutant == "" {
					simtest.Fine(t, o)
				} else if o.Kind != scenario.Fine {
					late++
				}
			}
		}
		if mutant != "" && late == 0 {
			t.Errorf("%s: nobody notices", mutant)
		}
	}
}

// TestMistakesOfATakeOver: they are seen, by the oracle that is to see them.
func TestMistakesOfATakeOver(t *testing.T) {
	for _, x := range []struct {
		mutant dataflow.Mutant
		plan   string
		oracle check.Oracle
	}{
		{rounds.MutantAdoptsUnasked, `(plan (failover at (nth 9 acked)) (crash worker=1 at (nth 1 coordinator-crashed)))`, check.Rollback},
		{rounds.MutantAdoptsNumbers, `(failover at (nth 9 acked))`, check.Cut},
	} {
		for _, name := range withRounds {
			c := standby(t, name, x.plan)
			c.Mutant = x.mutant
			r := runner(t, c)
			if o := r.Run(1); o.Report.Counts[x.oracle] == 0 {
				t.Errorf("%s, %s: %s: %s", x.mutant, name, o.Kind, o.Why())
			}
			c.Mutant = ""
			simtest.Fine(t, runner(t, c).Run(1))
		}
	}
}

// TestTakeOversDrawn: beside drawn faults and changes of the graph.
func TestTakeOversDrawn(t *testing.T) {
	for _, name := range withRounds {
		c := combination(t, name, "heap", workload(t, "keyedcount"))
		c.Operations = []faults.Kind{faults.Rescale, faults.Savepoint, faults.Failover}
		r := runner(t, c)
		adopted := 0
		for seed := range uint64(20) {
			o := r.Run(seed + 1)
			simtest.Fine(t, o)
			adopted += o.Report.Adopted
		}
		if adopted == 0 {
			t.Errorf("%s: no task ever went on", name)
		}
	}
}
