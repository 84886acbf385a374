package live_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/state"
	"weir/state/heap"
	"weir/state/savepoint"
	"weir/state/storage"
	"weir/trace"
)

// half is a part of the input of the workloads in which their jobs are saved.
func half(x *cell) id.Offset { return id.Offset(x.work.Events()) / 4 } // of each of two splits

// begin starts a cell's job, which stands still in the middle and has taken snapshots.
func begin(t *testing.T, x *cell) (*live.Job, *gate) {
	t.Helper()
	g := newGate(half(x))
	x.cfg.Observer, x.cfg.Pacer = g, g
	j, err := live.Start(context.Background(), x.cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.awaitSnapshots(t, j)
	return j, g
}

// finish has the rest of the input in, and looks at the whole output.
func finish(t *testing.T, x *cell, j *live.Job, g *gate) {
	t.Helper()
	g.open(id.Offset(x.work.Events()))
	if _, err := j.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := x.check(); err != nil {
		t.Error(err)
	}
}

// rows counts those that are committed.
func (x *cell) rows() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	all, _ := x.answer.Rows()
	return len(all)
}

// resume begins another job from a savepoint of the cell's, with the same output, and finishes it.
func resume(t *testing.T, x *cell, e id.Epoch, algorithm string, backend state.Backend, parallelism int) {
	t.Helper()
	job := cellJob(t, x.work, algorithm, backend)
	graph, err := x.work.Graph(parallelism, sinks.For(job.Algorithm.Properties()).Operator(sinks.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	graph.SetSplits(2)
	job.Graph, job.From = graph, &dataflow.Origin{Root: "from"}
	x.cfg.Job = job
	x.cfg.Storage = &storage.Mounted{Storage: storage.NewMemory(0), At: "from", Below: x.cfg.Storage, Root: coordinator.SavepointRoot(e)}
	g := newGate(0)
	x.cfg.Observer, x.cfg.Pacer = g, g
	j, err := live.Start(context.Background(), x.cfg)
	if err != nil {
		t.Fatal(err)
	}
	finish(t, x, j, g)
}

// whole checks a savepoint to its last byte.
func whole(t *testing.T, st state.Storage, e id.Epoch) {
	t.Helper()
	s, err := savepoint.Open(st, coordinator.SavepointRoot(e))
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Operators {
		o := &s.Operators[i]
		for k := range o.Parts {
			p, err := s.Part(o, k)
			if err != nil {
				t.Fatal(err)
			}
			c := p.Content()
			for _, d := range c.States() {
				c.Entries(d.Name, func(state.KeyedEntry) bool { return true })
			}
			if err := c.Err(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestStopWithASavepoint: a job that is stopped in the middle goes on from its savepoint as another one, and
// the output of both is the reference answer.
func TestStopWithASavepoint(t *testing.T) {
	pebble := backends(t)[2]
	for _, c := range []struct {
		algorithm string
		backend   state.Backend
		as        string
		on        state.Backend
		width     int
	}{
		{"aligned", heap.Backend{}, "uncoordinated", pebble, 3},
		{"unaligned", pebble, "aligned", heap.Backend{}, 1},
		{"uncoordinated", heap.Backend{}, "unaligned", heap.Backend{}, 3},
	} {
		t.Run(c.algorithm+" as "+c.as, func(t *testing.T) {
			x := newCell(t, "nexmark-q5", c.algorithm, c.backend)
			j, _ := begin(t, x)
			e, err := j.Savepoint(context.Background(), true)
			if err != nil {
				t.Fatal(err)
			}
			select {
			case <-j.Done():
			default:
				t.Error("the job goes on")
			}
			if r, err := j.Wait(); err != nil || !r.Stopped || r.Savepoint != e {
				t.Errorf("stopped: %v, with %s: %v", r.Stopped, r.Savepoint, err)
			}
			if _, err := j.Savepoint(context.Background(), false); !errors.Is(err, live.ErrEnded) {
				t.Errorf("behind its end: %v", err)
			}
			whole(t, x.cfg.Storage, e)
			if x.rows() == 0 {
				t.Error("nothing was committed before the job was stopped")
			}
			resume(t, x, e, c.as, c.on, c.width)
		})
	}
}

// TestSavepointsOfARunningJob: the job goes on, and several who ask at a time are all answered.
func TestSavepointsOfARunningJob(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "stop-the-world", "uncoordinated", "cic-hmnr"} {
		if !fits(t, name, "nexmark-q5") {
			t.Errorf("%s runs no nexmark-q5", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			x := newCell(t, "nexmark-q5", name, heap.Backend{})
			j, g := begin(t, x)
			first, err := j.Savepoint(context.Background(), false)
			if err != nil {
				t.Fatal(err)
			}
			var asking sync.WaitGroup
			for range 3 {
				asking.Add(1)
				go func() {
					defer asking.Done()
					if e, err := j.Savepoint(context.Background(), false); err != nil || e <= first {
						t.Errorf("savepoint %s behind %s: %v", e, first, err)
					}
				}()
			}
			asking.Wait()
			whole(t, x.cfg.Storage, first)
			finish(t, x, j, g)
		})
	}
}

// jam is a storage in which the first operation that matches waits until it is let go, or all of
// them are refused.
type jam struct {
	state.Storage
	mu      sync.Mutex
	match   func(op state.Op) bool
	refuse  bool
	reached chan struct{}
	letGo   chan struct{}
}

func newJam(match func(op state.Op) bool) *jam {
	return &jam{Storage: storage.NewMemory(0), match: match, reached: make(chan struct{}), letGo: make(chan struct{})}
}

func (j *jam) Do(op state.Op) state.Result {
	j.mu.Lock()
	hit := j.match != nil && j.match(op)
	if hit && !j.refuse {
		j.match = nil
		close(j.reached)
	}
	j.mu.Unlock()
	switch {
	case hit && j.refuse:
		return state.Result{Status: state.Refused, Err: errors.New("the disk is full")}
	case hit:
		<-j.letGo
	}
	return j.Storage.Do(op)
}

// share matches what a task writes of a savepoint.
func share(op state.Op) bool {
	return strings.HasPrefix(op.Key, coordinator.SavepointPrefix) && op.Kind != state.OpGet && !strings.HasSuffix(op.Key, savepoint.ManifestName)
}

// cover matches the record of the checkpoint behind a savepoint.
func cover() func(op state.Op) bool {
	saved := false
	return func(op state.Op) bool {
		saved = saved || strings.HasSuffix(op.Key, savepoint.ManifestName)
		return saved && op.Kind == state.OpCreate && strings.HasPrefix(op.Key, coordinator.RecordPrefix)
	}
}

// TestFailureInASavepoint: somebody is killed while a task writes its share, or between the savepoint and
// the stop. It is taken when the job runs again, and nothing is there twice.
func TestFailureInASavepoint(t *testing.T) {
	worker := func(j *live.Job) error { return j.KillWorker(1) }
	for _, c := range []struct {
		name, algorithm string
		match           func(op state.Op) bool
		strike          func(j *live.Job) error
		last            bool
	}{
		{"worker", "aligned", share, worker, false},
		{"worker, last", "unaligned", share, worker, true},
		{"worker, last, logs", "uncoordinated", share, worker, true},
		{"worker, before the stop", "aligned", cover(), worker, true},
		{"coordinator, last", "aligned", share, (*live.Job).KillCoordinator, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newCell(t, "nexmark-q5", c.algorithm, heap.Backend{})
			stuck := newJam(c.match)
			x.cfg.Storage = stuck
			x.cfg = standbys(x.cfg, 2)
			j, g := begin(t, x)
			g.mu.Lock()
			plans := g.counts[trace.PlanExecuted]
			g.mu.Unlock()
			type answer struct {
				e   id.Epoch
				err error
			}
			answered := make(chan answer, 1)
			go func() {
				e, err := j.Savepoint(context.Background(), c.last)
				answered <- answer{e, err}
			}()
			select {
			case <-stuck.reached:
			case a := <-answered:
				t.Fatalf("savepoint %s, %v, and nobody was struck", a.e, a.err)
			}
			for err := c.strike(j); err != nil; err = c.strike(j) { // nobody leads at the moment
				select {
				case <-j.Done():
					t.Fatal(err)
				default:
				}
			}
			close(stuck.letGo)
			a := <-answered
			if a.err != nil {
				t.Fatal(a.err)
			}
			whole(t, stuck, a.e)
			g.mu.Lock()
			if g.counts[trace.PlanExecuted] <= plans {
				t.Error("nobody has recovered")
			}
			g.mu.Unlock()
			if c.last {
				resume(t, x, a.e, "aligned", heap.Backend{}, 3)
				return
			}
			finish(t, x, j, g)
		})
	}
}

// TestDeclinedSavepoint: what storage refuses is said to whoever asked, and the job goes on.
func TestDeclinedSavepoint(t *testing.T) {
	for _, last := range []bool{false, true} {
		x := newCell(t, "nexmark-q5", "aligned", heap.Backend{})
		full := newJam(share)
		full.refuse = true
		x.cfg.Storage = full
		j, g := begin(t, x)
		if _, err := j.Savepoint(context.Background(), last); !errors.Is(err, live.ErrDeclined) || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("error %v", err)
		}
		finish(t, x, j, g)
	}
}
