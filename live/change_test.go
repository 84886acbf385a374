package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"weir/dataflow"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/live/recording"
	"weir/state"
	"weir/state/heap"
	"weir/trace"
	"weir/workloads"
)

// as returns what a cell's job is with another parallelism.
func (x *cell) as(parallelism int) func(now *dataflow.Job) (*dataflow.Job, error) {
	return func(now *dataflow.Job) (*dataflow.Job, error) {
		graph, err := x.work.Graph(parallelism, sinks.For(now.Algorithm.Properties()).Operator(sinks.Config{}))
		if err != nil {
			return nil, err
		}
		graph.SetSplits(2)
		next := *now
		next.Graph = graph
		return &next, nil
	}
}

// golden returns the digest of a NEXMark answer that other software computed.
func golden(t *testing.T, result string) string {
	t.Helper()
	b, err := os.ReadFile("../workloads/nexmark/testdata/dev1k.manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Results map[string]struct{ SHA256 string }
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.Results[result].SHA256 == "" {
		t.Fatalf("there is no result %s", result)
	}
	return m.Results[result].SHA256
}

// struck kills somebody; nobody there at the moment is asked for again.
func struck(t *testing.T, j *live.Job, strike func() error) {
	for err := strike(); err != nil; err = strike() {
		select {
		case <-j.Done():
			t.Errorf("the job ended before anybody was struck: %v", err)
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// TestRescaledLive: NEXMark, 2 -> 3 -> 2 -> 5 while records flow, with a worker killed and the coordinator
// killed before, beside and behind the changes, commits the golden results.
func TestRescaledLive(t *testing.T) {
	pebble := backends(t)[2]
	for _, c := range []struct {
		workload, result, algorithm string
		backend                     state.Backend
	}{
		{"nexmark-q5", "q5.w10p5", "unaligned", heap.Backend{}},
		{"nexmark-q8", "q8.w10", "unaligned", pebble},
		{"nexmark-q5", "q5.w10p5", "aligned", pebble},
		{"nexmark-q8", "q8.w10", "stop-the-world", heap.Backend{}},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", c.workload, c.algorithm, c.backend.Name()), func(t *testing.T) {
			x := newWholeCell(t, c.workload, c.algorithm, c.backend)
			part := id.Offset(x.work.Events()) / 2 / 8 // of each of two splits
			g := newGate(part)
			x.cfg.Observer, x.cfg.Pacer = g, g
			x.cfg = standbys(x.cfg, 2)
			j, err := live.Start(context.Background(), x.cfg)
			if err != nil {
				t.Fatal(err)
			}
			g.awaitSnapshots(t, j)
			for i, to := range []int{3, 2, 5} {
				g.open(part * id.Offset(2*i+2))
				done := make(chan struct{})
				go func() {
					defer close(done)
					if i == 1 {
						struck(t, j, j.KillCoordinator)
					} else {
						struck(t, j, func() error { return j.KillWorker(i / 2) })
					}
				}()
				change, err := j.Change(context.Background(), x.as(to))
				if err != nil {
					t.Fatal(err)
				}
				<-done
				if n := len(j.Tasks()); n != change.Tasks || j.Tasks()[0].Parallelism != to {
					t.Errorf("%d tasks, %+v", n, change)
				}
				if change.Asked == 0 || change.Stopped < change.Asked || change.Started < change.Stopped {
					t.Errorf("times of a change: %+v", change)
				}
				g.open(part * id.Offset(2*i+3))
				g.awaitSnapshots(t, j)
				struck(t, j, func() error { return j.KillWorker(1) })
			}
			g.open(id.Offset(x.work.Events()))
			res, err := j.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Changes) != 3 || len(res.Failures) == 0 || res.Failovers == 0 {
				t.Errorf("%d changes, %d failures, %d failovers", len(res.Changes), len(res.Failures), res.Failovers)
			}
			if err := x.check(); err != nil {
				t.Error(err)
			}
			if rows, err := x.answer.Rows(); err != nil || workloads.Digest(rows) != golden(t, c.result) {
				t.Errorf("digest %s, golden %s: %v", workloads.Digest(rows), golden(t, c.result), err)
			}
		})
	}
}

// TestTimeWithoutOutput: a change says when the last record before it was processed and the first behind it,
// and when the first came that nobody had had.
func TestTimeWithoutOutput(t *testing.T) {
	x := newCell(t, "keyedcount", "aligned", heap.Backend{})
	j, g := begin(t, x)
	asked := make(chan struct{})
	next := x.as(3)
	go func() {
		<-asked
		g.open(half(x) + half(x)/2)
	}()
	change, err := j.Change(context.Background(), func(now *dataflow.Job) (*dataflow.Job, error) {
		close(asked)
		return next(now)
	})
	if err != nil {
		t.Fatal(err)
	}
	finish(t, x, j, g)
	res, _ := j.Wait()
	if len(res.Changes) != 1 {
		t.Fatalf("changes: %+v", res.Changes)
	}
	whole := res.Changes[0]
	if whole.Asked != change.Asked || whole.Tasks != 9 {
		t.Errorf("%+v, and at the end %+v", change, whole)
	}
	for _, p := range []live.Pause{whole.Processing, whole.Output} {
		if p.First <= whole.Started || p.Last >= p.First || p.Last > whole.Stopped {
			t.Errorf("a pause of %+v", whole)
		}
		if p.Last != 0 && p.Length() != time.Duration(p.First-p.Last) || p.Last == 0 && p.Length() != 0 {
			t.Errorf("its length is %s: %+v", p.Length(), whole)
		}
	}
	if whole.CaughtUp < whole.Started {
		t.Errorf("caught up: %+v", whole)
	}
}

// TestChangesAndSavepoints: those that are asked for at once are all done, one after the other.
func TestChangesAndSavepoints(t *testing.T) {
	x := newCell(t, "keyedcount", "aligned", heap.Backend{})
	j, g := begin(t, x)
	changed, saved := make(chan error, 2), make(chan error, 2)
	for i := range 2 {
		go func() {
			_, err := j.Change(context.Background(), x.as(3-2*i))
			changed <- err
		}()
		go func() {
			_, err := j.Savepoint(context.Background(), false)
			saved <- err
		}()
	}
	for range 2 {
		if err := <-changed; err != nil {
			t.Error(err)
		}
		// Right behind a change a savepoint may be refused: event time of former owners is ahead.
		if err := <-saved; err != nil && !errors.Is(err, live.ErrDeclined) {
			t.Error(err)
		}
	}
	finish(t, x, j, g)
}

// TestUnchanged: what cannot be is refused with why, and the job goes on.
func TestUnchanged(t *testing.T) {
	for _, c := range []struct {
		name, algorithm string
		set             func(x *cell)
		next            func(x *cell, job *dataflow.Job)
		want            string
	}{
		{"logs", "uncoordinated", nil, nil, "message logs"},
		{"deleted", "aligned", func(x *cell) { x.cfg.Job.Config.Checkpoint.OnCancel = dataflow.DeleteOnCancel }, nil, "checkpoint.on-cancel is delete"},
		{"recorded", "aligned", func(x *cell) { x.cfg.Recorder = recording.NewWriter(io.Discard) }, nil, "it is recorded"},
		{"splits", "aligned", nil, func(_ *cell, job *dataflow.Job) { job.Graph.SetSplits(3) }, "it would have 3 splits, and has 2"},
		{"operators", "aligned", nil, func(_ *cell, job *dataflow.Job) { job.Graph.Vertices[1].Name = "other" }, "other operators"},
		{"algorithm", "aligned", nil, func(x *cell, job *dataflow.Job) {
			job.Algorithm = cellJob(x.t, x.work, "unaligned", heap.Backend{}).Algorithm
		}, "another algorithm"},
		{"groups", "aligned", nil, func(_ *cell, job *dataflow.Job) { job.Graph.Vertices[1].Parallelism = 17 }, "17"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newCell(t, "keyedcount", c.algorithm, heap.Backend{})
			if c.set != nil {
				c.set(x)
			}
			j, g := begin(t, x)
			_, err := j.Change(context.Background(), func(now *dataflow.Job) (*dataflow.Job, error) {
				next, err := x.as(3)(now)
				if c.next != nil {
					c.next(x, next)
				}
				return next, err
			})
			if !errors.Is(err, live.ErrUnchanged) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			finish(t, x, j, g)
			if res, _ := j.Wait(); len(res.Changes) != 0 {
				t.Errorf("%d changes", len(res.Changes))
			}
			if _, err := j.Change(context.Background(), x.as(3)); !errors.Is(err, live.ErrEnded) {
				t.Errorf("behind its end: %v", err)
			}
		})
	}
}

// TestStoppedWhileItChanges: a job that is stopped for good while it changes ends, and goes on from there.
func TestStoppedWhileItChanges(t *testing.T) {
	x := newCell(t, "keyedcount", "aligned", heap.Backend{})
	stuck := newJam(nil)
	x.cfg.Storage = stuck
	j, _ := begin(t, x)
	var answered error
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, answered = j.Change(context.Background(), func(now *dataflow.Job) (*dataflow.Job, error) {
			stuck.mu.Lock()
			defer stuck.mu.Unlock()
			stuck.match = func(op state.Op) bool { return op.Kind == state.OpCreate }
			return x.as(3)(now)
		})
	}()
	<-stuck.reached
	stop := make(chan error, 1)
	go func() {
		_, err := j.Stop(context.Background())
		stop <- err
	}()
	close(stuck.letGo)
	if err := <-stop; err != nil {
		t.Error(err)
	}
	<-done
	if res, _ := j.Wait(); answered == nil && len(res.Changes) != 1 || answered != nil && !errors.Is(answered, live.ErrEnded) {
		t.Errorf("%d changes, %v", len(res.Changes), answered)
	}
	g := newGate(id.Offset(x.work.Events()))
	x.cfg.Observer, x.cfg.Pacer = g, g
	if len(j.Tasks()) > 6 { // the change was quicker
		next, err := x.as(3)(x.cfg.Job)
		if err != nil {
			t.Fatal(err)
		}
		x.cfg.Job = next
	}
	if _, err := live.Run(context.Background(), x.cfg); err != nil {
		t.Fatal(err)
	}
	if err := x.check(); err != nil {
		t.Error(err)
	}
}

// TestQueriesThroughAChange: whoever asks tasks of a graph that is no more is told to ask again.
func TestQueriesThroughAChange(t *testing.T) {
	x := newCell(t, "keyedcount", "aligned", heap.Backend{})
	j, g := begin(t, x)
	end, asked := make(chan struct{}), make(chan int)
	operator := j.Operators()[0]
	go func() {
		n := 0
		for {
			select {
			case <-end:
				asked <- n
				return
			default:
			}
			if _, err := j.States(context.Background(), operator); err == nil {
				n++
			} else if !errors.Is(err, live.ErrRecovering) {
				t.Error(err)
				asked <- n
				return
			}
		}
	}()
	for _, to := range []int{3, 1, 4} {
		if _, err := j.Change(context.Background(), x.as(to)); err != nil {
			t.Error(err)
		}
	}
	close(end)
	if <-asked == 0 {
		t.Error("nobody was answered")
	}
	finish(t, x, j, g)
}

// TestAChangeKeepsTheLease: the process that leads goes on leading, for longer than leases last.
func TestAChangeKeepsTheLease(t *testing.T) {
	x := newWholeCell(t, "nexmark-q5", "aligned", heap.Backend{})
	part := id.Offset(x.work.Events()) / 2 / 4
	g := newGate(part)
	x.cfg.Observer, x.cfg.Pacer = g, g
	x.cfg = standbys(x.cfg, 2)
	j, err := live.Start(context.Background(), x.cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.awaitSnapshots(t, j)
	g.open(2 * part)
	if _, err := j.Change(context.Background(), x.as(3)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Duration(testLease.Renew))
	g.awaitSnapshots(t, j)
	g.open(id.Offset(x.work.Events()))
	res, err := j.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if started := g.counts[trace.CoordinatorStarted]; started != 2 || res.Failovers != 0 {
		t.Errorf("a coordinator has started %d times, want twice; another process took the lead %d times", started, res.Failovers)
	}
	if err := x.check(); err != nil {
		t.Error(err)
	}
}
