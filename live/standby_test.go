package live_test

import (
	"context"
	"testing"
	"time"

	"weir/algorithms/lease"
	"weir/dataflow"
	"weir/live"
	"weir/trace"
)

// testLease is so long that a machine under load seldom loses one without cause; if it does the
// lead moves once more.
var testLease = lease.Config{Duration: 400e6, Renew: 60e6, Drift: 20e6}

// standbys gives a job so many coordinator processes.
func standbys(c live.Config, n int) live.Config {
	c.Coordinators = n
	c.Candidate = func(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate {
		return lease.NewParty(h, testLease, c.Job.Name, nonce, "")
	}
	return c
}

// TestStandbyTakesOver: when the coordinator is killed, or stands still for longer than its lease,
// a standby goes on, while tasks live on; the answer is committed once. With rounds no task restarts.
func TestStandbyTakesOver(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "stop-the-world", "uncoordinated"} {
		for what, strike := range map[string]func(*live.Job) error{
			"killed": (*live.Job).KillCoordinator,
			"paused": func(j *live.Job) error { return j.PauseCoordinator(2 * time.Duration(testLease.Duration)) },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				w, g := newWorld(t), newGate(testRecords/4)
				j, err := live.Start(context.Background(), standbys(w.config(countJob(t, name, testRecords, testKeys), g), 2))
				if err != nil {
					t.Fatal(err)
				}
				g.await(t, j, "a snapshot", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= 2*len(j.Tasks()) })
				for err = strike(j); err != nil; err = strike(j) {
					select {
					case <-j.Done():
						t.Fatal(err)
					case <-time.After(10 * time.Millisecond): // nobody leads at the moment
					}
				}
				g.await(t, j, "another leader", func(g *gate) bool {
					return g.counts[trace.CoordinatorStarted] >= 2 && g.counts[trace.PlanExecuted] >= 2
				})
				g.open(testRecords)
				r, err := j.Wait()
				if err != nil || r.Failovers == 0 || len(r.Failures) > 0 {
					t.Errorf("error %v; another process took the lead %d times; failures %v", err, r.Failovers, r.Failures)
				}
				if a := g.newest[trace.TaskReady]; a > 1 && name != "uncoordinated" {
					t.Errorf("a task that runs at the end was started by plan %s", a)
				}
				if err := w.check(testRecords, testKeys); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestOneProcessHasNoStandby: it cannot be killed, as nobody would go on; and several need somebody who
// says which of them leads.
func TestOneProcessHasNoStandby(t *testing.T) {
	w, g := newWorld(t), newGate(testRecords/4)
	j, err := live.Start(context.Background(), w.config(countJob(t, "aligned", testRecords, testKeys), g))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.KillCoordinator(); err == nil {
		t.Error("the only coordinator was killed")
	}
	g.open(testRecords)
	if r, err := j.Wait(); err != nil || r.Failovers != 0 {
		t.Errorf("error %v, %d failovers", err, r.Failovers)
	}
	c := w.config(countJob(t, "aligned", testRecords, testKeys), g)
	c.Coordinators = 2
	if _, err := live.Start(context.Background(), c); err == nil {
		t.Error("two processes, and nobody says which of them leads")
	}
}

// TestATaskFailsWhileNobodyLeads: nobody hears of it, and who takes over has to know all the same.
func TestATaskFailsWhileNobodyLeads(t *testing.T) {
	w, g := newWorld(t), newGate(testRecords/8)
	job := countJob(t, "aligned", testRecords, testKeys)
	fuse := newFuse(testRecords/4 + testRecords/8)
	job.Graph.Vertices[1].New = func() dataflow.Operator { return bomb{newCount(), fuse} }
	j, err := live.Start(context.Background(), standbys(w.config(job, g), 2))
	if err != nil {
		t.Fatal(err)
	}
	g.await(t, j, "a snapshot", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= 2*len(j.Tasks()) })
	struck(t, j, j.KillCoordinator)
	g.open(testRecords / 4)
	g.await(t, j, "the failure", func(g *gate) bool { return g.counts[trace.TaskFailed] > 0 || g.counts[trace.CoordinatorStarted] > 1 })
	g.open(testRecords)
	r, err := j.Wait()
	if err != nil || r.Failovers == 0 || len(r.Failures) == 0 {
		t.Errorf("error %v; another process took the lead %d times; failures %v", err, r.Failovers, r.Failures)
	}
	if err := w.check(testRecords, testKeys); err != nil {
		t.Error(err)
	}
}
