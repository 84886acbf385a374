package live_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/check"
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
	"weir/workloads"
)

// both shows every event to the oracles and to a gate.
type both struct {
	checker *check.Checker
	gate    *gate
}

func (b both) Wants() trace.Mask { return b.checker.Wants() | b.gate.Wants() }

func (b both) Observe(e *trace.Event) {
	b.checker.Observe(e)
	if b.gate.Wants().Has(e.Kind) {
		b.gate.Observe(e)
	}
}

func expectation(t *testing.T, x *cell, p dataflow.Properties) check.Expect {
	t.Helper()
	tasks, err := x.cfg.Job.Graph.Expand(x.cfg.Job.Config.Groups)
	if err != nil {
		t.Fatal(err)
	}
	e := check.Expect{
		State: check.Guarantee(p.State), Output: check.Guarantee(p.Output), Coordinated: p.HasRounds(), AtOnce: sinks.For(p).Shows != sinks.Committed,
		Captures: check.Captures(p.Captures), Rollback: check.Scope(p.Rollback),
		Records: x.work.Events(), RecordID: x.work.RecordID, Canonical: x.work.Canonical,
		Storage: x.cfg.Storage.(*storage.Memory), Layout: layout(p.Logs),
	}
	if e.Reference, err = x.work.Reference(); err != nil {
		t.Fatal(err)
	}
	if p.Rollback == dataflow.ScopeRegion && x.cfg.Job.Config.Restart.Failover == dataflow.FailoverFull {
		e.Rollback = check.ScopeAll
	}
	for i := range tasks {
		k := &tasks[i]
		ct := check.Task{Name: fmt.Sprintf("%s[%d]", k.Name, k.Index), Sink: k.Role == dataflow.RoleSink, Source: k.Role == dataflow.RoleSource}
		for s := id.SplitID(len(e.Splits)); s < k.FirstSplit+id.SplitID(k.Splits); s++ {
			p, of := workloads.SplitOf(tasks, s)
			e.Splits = append(e.Splits, check.Split{Residue: p, Modulus: of})
		}
		e.Tasks = append(e.Tasks, ct)
		for _, c := range k.Outputs {
			for int(c.ID) >= len(e.Channels) {
				e.Channels = append(e.Channels, check.Channel{})
			}
			e.Channels[c.ID] = check.Channel{From: k.ID, To: c.Peer}
		}
	}
	return e
}

// layout is that of package coordinator; with logs the snapshots stand for themselves.
func layout(logs bool) check.Layout {
	l := check.Layout{
		References: func(key string, data []byte) ([]string, error) {
			if !strings.HasPrefix(key, coordinator.RecordPrefix) {
				return nil, nil
			}
			r, err := coordinator.DecodeRecord(data)
			if err != nil {
				return nil, err
			}
			return r.References(), nil
		},
	}
	if !logs {
		l.RecordKey = func(e id.Epoch) string { return (&coordinator.Record{Epoch: e}).Key() }
	}
	return l
}

// TestOraclesAreQuietOnLiveRuns shows real runs, with a worker and a task
// killed, to the oracles of the simulator.
func TestOraclesAreQuietOnLiveRuns(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			spec, err := catalog.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			x, g := newCell(t, "keyedcount", spec.Name, heap.Backend{}), newGate(0)
			checker, err := check.New(expectation(t, x, spec.Properties()))
			if err != nil {
				t.Fatal(err)
			}
			var output live.Output
			x.cfg.External, err = external.OpenStore(external.StoreConfig{OnCommit: output.Committed})
			if err != nil {
				t.Fatal(err)
			}
			x.cfg.Observer, x.cfg.Pacer, x.cfg.Output = both{checker, g}, g, &output
			j, err := live.Start(context.Background(), x.cfg)
			if err != nil {
				t.Fatal(err)
			}
			for i, kill := range []func() error{func() error { return j.KillWorker(1) }, func() error { return j.KillTask(2) }} {
				g.open(id.Offset(30 * (i + 1)))
				g.awaitSnapshots(t, j)
				if err := kill(); err != nil {
					t.Fatal(err)
				}
				g.await(t, j, "the recovery", func(g *gate) bool { return g.counts[trace.PlanExecuted] == i+2 })
			}
			g.open(id.Offset(x.work.Events()))
			_, err = j.Wait()
			report := checker.Finish(check.End{Done: err == nil, Time: j.Now(), Err: err})
			for _, v := range report.Violations {
				t.Error(v)
			}
			if report.Crashes != 1 || report.Recoveries == 0 {
				t.Errorf("the oracles saw %d crashes and %d recoveries", report.Crashes, report.Recoveries)
			}
		})
	}
}
