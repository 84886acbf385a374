package live_test

import (
	"context"
	"sync"
	"testing"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/live"
	"weir/state/heap"
	"weir/trace"
)

// starts counts by task how often one was started, behind the oracles.
type starts struct {
	both
	mu    sync.Mutex
	tasks map[id.TaskID]int
}

func (s *starts) Wants() trace.Mask { return s.both.Wants().With(trace.TaskStarting) }

func (s *starts) Observe(e *trace.Event) {
	if e.Kind == trace.TaskStarting {
		s.mu.Lock()
		s.tasks[e.Task]++
		s.mu.Unlock()
	}
	if s.both.Wants().Has(e.Kind) {
		s.both.Observe(e)
	}
}

// TestRegionsLive kills a task of one pipeline, then one of the other, then a worker that holds
// tasks of both. Those of the pipeline in which nothing has failed are never started again.
func TestRegionsLive(t *testing.T) {
	for _, spec := range catalog.All() {
		if spec.Declared.Rollback != dataflow.ScopeRegion {
			continue
		}
		t.Run(spec.Name, func(t *testing.T) {
			x, g := newCell(t, "pipelines", spec.Name, heap.Backend{}), newGate(0)
			x.cfg.Job.Config.Restart.Failover = dataflow.FailoverRegion
			checker, err := check.New(expectation(t, x, spec.Properties()))
			if err != nil {
				t.Fatal(err)
			}
			var output live.Output
			x.cfg.External, err = external.OpenStore(external.StoreConfig{OnCommit: output.Committed})
			if err != nil {
				t.Fatal(err)
			}
			s := &starts{both: both{checker, g}, tasks: map[id.TaskID]int{}}
			x.cfg.Observer, x.cfg.Pacer, x.cfg.Output = s, g, &output
			j, err := live.Start(context.Background(), x.cfg)
			if err != nil {
				t.Fatal(err)
			}
			started := func(first id.TaskID) (n int) {
				s.mu.Lock()
				defer s.mu.Unlock()
				for k := range id.TaskID(6) {
					n += s.tasks[first+k]
				}
				return n
			}
			for i, x := range []struct {
				kill func() error
				want [2]int // starts of the tasks of each pipeline so far
			}{
				{func() error { return j.KillTask(2) }, [2]int{12, 6}},
				{func() error { return j.KillTask(10) }, [2]int{12, 12}},
				{func() error { return j.KillWorker(1) }, [2]int{18, 18}},
			} {
				g.open(id.Offset(15 * (i + 1)))
				g.awaitSnapshots(t, j)
				ready := 12 * (i + 1)
				if err := x.kill(); err != nil {
					t.Fatal(err)
				}
				g.await(t, j, "the recovery", func(g *gate) bool {
					return g.counts[trace.PlanExecuted] == i+2 && g.counts[trace.TaskReady] >= ready+12
				})
				if got := [2]int{started(0), started(6)}; got != x.want {
					t.Errorf("after failure %d the tasks of the pipelines were started %v times, want %v", i+1, got, x.want)
				}
			}
			g.open(id.Offset(testRecords))
			_, err = j.Wait()
			report := checker.Finish(check.End{Done: err == nil, Time: j.Now(), Err: err})
			for _, v := range report.Violations {
				t.Error(v)
			}
			if report.Kept != 12 {
				t.Errorf("%d tasks were kept, want 12", report.Kept)
			}
		})
	}
}
