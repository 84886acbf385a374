package conformance

import (
	"fmt"
	"strings"

	"weir/algorithms"
	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/scenario"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// meetings are failures that meet: a second one before the first is handled, one
// while the recovery from the first goes on, the coordinator's in a recovery, and
// one when some inputs have ended.
var meetings = []string{
	`(plan (crash worker=0 at (time 6ms)) (crash worker=1 at (after (time 6ms) (nth 1 worker-crashed))))`,
	`(plan (crash worker=0 at (time 6ms)) (crash worker=1 at (after (time 6ms) (nth 1 worker-crashed) (nth 1 plan-executed) (nth 1 task-starting))))`,
	`(plan (crash worker=2 at (time 6ms)) (crash coordinator at (after (time 6ms) (nth 1 worker-crashed) (nth 1 plan-durable))))`,
	`(crash worker=0 at (nth 2 task-drained))`,
}

// incremental is the backend whose snapshots build on each other.
const incremental = "pebble"

// failures runs the meetings over sources of very different length, and drawn
// faults on a backend with increments.
func (v *Verdict) failures(s *algorithms.Spec) error {
	const seeds = 4
	w := shapeNamed("fan-in")
	for _, m := range meetings {
		plan, err := faults.Parse(m)
		if err != nil {
			return fmt.Errorf("plan %s: %w", m, err)
		}
		c := scenario.Config{Algorithm: s, State: "heap", Workload: w, Faults: scenario.PlannedFaults, Plan: plan}
		if err := v.sweep(c, seeds); err != nil || len(v.Refuted) > 0 {
			return err
		}
	}
	before := v.seen.Stored
	err := v.sweep(scenario.Config{Algorithm: s, State: incremental, Workload: shapeNamed("diamond"), Mild: true}, seeds)
	v.seen.Increments = v.seen.Stored - before
	return err
}

// regions runs two pipelines that restart by region, where the algorithm declares that it can, on
// workers that hold one task each.
func (v *Verdict) regions(s *algorithms.Spec, seeds uint64) error {
	if s.Declared.Rollback != dataflow.ScopeRegion {
		return nil
	}
	w, err := workloadcatalog.New("pipelines")
	if err != nil {
		return err
	}
	w.Small()
	c := inOrder(s, w)
	c.Workers, c.Given = 12, dataflow.Given{"restart.failover-strategy": string(dataflow.FailoverRegion)}
	return v.sweep(c, seeds)
}

// ends follows the failures of a run and the ends of its inputs.
type ends struct {
	orders  map[string]bool // in which tasks came to their end, of all runs
	tasks   map[id.TaskID]bool
	ready   map[id.TaskID]bool
	drained map[id.TaskID]bool
	order   []string
	plans   int
	failed  bool // and no plan yet
}

func (s *ends) begin() {
	if s.orders == nil {
		s.orders = map[string]bool{}
	}
	s.tasks, s.ready, s.drained = map[id.TaskID]bool{}, map[id.TaskID]bool{}, map[id.TaskID]bool{}
	s.order, s.plans, s.failed = nil, 0, false
}

// end takes a run's end into account.
func (s *seen) end() { s.orders[strings.Join(s.order, " ")] = true }

// failures counts failures by what they fell into.
func (s *seen) failures(e *trace.Event) {
	switch e.Kind {
	case trace.TaskStarting:
		s.tasks[e.Task] = true
		delete(s.drained, e.Task)
	case trace.TaskReady:
		s.ready[e.Task] = true
	case trace.TaskDrained:
		if !s.drained[e.Task] {
			s.drained[e.Task] = true
			s.order = append(s.order, e.Task.String())
		}
	case trace.PlanExecuted:
		s.plans++
		s.failed = false
		clear(s.ready)
	case trace.WorkerCrashed:
		if s.failed {
			s.Twice++
		}
		if !s.failed && s.plans > 1 && len(s.ready) < len(s.tasks) {
			s.During++
		}
		if n := len(s.drained); n > 0 && n < len(s.tasks) {
			s.Ended++
		}
		s.failed = true
	default: // neither a failure nor an end
	}
}
