package live_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/live"
	"weir/live/recording"
	"weir/state"
	"weir/state/storage"
	"weir/trace"
)

func TestStoppedJobGoesOnFromStorage(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			w, g := newWorld(t), newGate(testRecords/4)
			j, err := live.Start(context.Background(), w.config(countJob(t, name, testRecords, testKeys), g))
			if err != nil {
				t.Fatal(err)
			}
			g.await(t, j, "a snapshot", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= 2*len(j.Tasks()) })
			r, err := j.Stop(context.Background())
			if err != nil || !r.Stopped {
				t.Fatalf("stopped %v, error %v", r.Stopped, err)
			}
			if err := j.KillTask(0); err == nil {
				t.Error("a task of an ended job was killed")
			}
			g2 := newGate(testRecords)
			r2, err := live.Run(context.Background(), w.config(countJob(t, name, testRecords, testKeys), g2))
			if err != nil {
				t.Fatal(err)
			}
			if r2.Attempt <= r.Attempt {
				t.Errorf("the second run has attempt %s after %s", r2.Attempt, r.Attempt)
			}
			if again := r2.Tasks[0].RecordsIn; again >= testRecords/2 {
				t.Errorf("the second run began at the start: its source emitted %d records", again)
			}
			if err := w.check(testRecords, testKeys); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelledJobIsAbandoned(t *testing.T) {
	w, g := newWorld(t), newGate(100)
	ctx, cancel := context.WithCancel(context.Background())
	j, err := live.Start(ctx, w.config(countJob(t, "aligned", testRecords, testKeys), g))
	if err != nil {
		t.Fatal(err)
	}
	g.await(t, j, "the first records", func(g *gate) bool { return g.counts[trace.Emitted] > 0 })
	cancel()
	if _, err := j.Wait(); !errors.Is(err, live.ErrStopped) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// stubborn is a coordinator that is asked to stop and never does.
type stubborn struct{ dataflow.Coordinator }

func (stubborn) Stop() {}

type stubbornAlgorithm struct{ dataflow.Algorithm }

func (a stubbornAlgorithm) NewCoordinator(c *dataflow.Config) dataflow.Coordinator {
	return stubborn{a.Algorithm.NewCoordinator(c)}
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	w, g := newWorld(t), newGate(100)
	job := countJob(t, "aligned", testRecords, testKeys)
	job.Algorithm = stubbornAlgorithm{job.Algorithm}
	j, err := live.Start(context.Background(), w.config(job, g))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := j.Stop(ctx); !errors.Is(err, live.ErrStopped) {
		t.Errorf("error %v", err)
	}
}

// bomb is a count that panics once, when it has seen enough records.
type bomb struct {
	dataflow.Operator
	fuse *atomic.Int64
}

func (b bomb) Process(port int, buf *dataflow.Buffer) error {
	if left := b.fuse.Add(-int64(buf.Records)); left <= 0 && left > -int64(buf.Records) {
		panic("the fuse has burned down")
	}
	return b.Operator.Process(port, buf)
}

func newFuse(records int64) *atomic.Int64 {
	f := &atomic.Int64{}
	f.Store(records)
	return f
}

func TestPanicIsACrashOfItsTask(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			job := countJob(t, name, testRecords, testKeys)
			fuse := newFuse(testRecords / 2)
			job.Graph.Vertices[1].New = func() dataflow.Operator { return bomb{newCount(), fuse} }
			r, err := live.Run(context.Background(), w.config(job, nil))
			if err != nil {
				t.Fatal(err)
			}
			var p *live.PanicError
			if len(r.Failures) == 0 || !errors.As(r.Failures[0].Err, &p) {
				t.Fatalf("failures %v", r.Failures)
			}
			if p.Where != "task count[0]" && p.Where != "task count[1]" || !strings.Contains(string(p.Stack), "bomb") {
				t.Errorf("panic at %q, stack:\n%s", p.Where, p.Stack)
			}
			if err := w.check(testRecords, testKeys); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCoordinatorPanicEndsTheJob(t *testing.T) {
	w := newWorld(t)
	job := countJob(t, "aligned", testRecords, testKeys)
	job.Algorithm = brokenAlgorithm{job.Algorithm}
	_, err := live.Run(context.Background(), w.config(job, nil))
	var p *live.PanicError
	if !errors.As(err, &p) || p.Where != "the coordinator" {
		t.Errorf("error %v", err)
	}
}

type brokenAlgorithm struct{ dataflow.Algorithm }

func (a brokenAlgorithm) NewCoordinator(c *dataflow.Config) dataflow.Coordinator {
	return brokenCoordinator{a.Algorithm.NewCoordinator(c)}
}

type brokenCoordinator struct{ dataflow.Coordinator }

func (brokenCoordinator) Ready(id.TaskID, id.Attempt) { panic("not ready for this") }

// flaky answers every third operation with an unknown outcome, half of them
// carried out.
type flaky struct {
	state.Storage
	n atomic.Int64
}

func (f *flaky) Do(op state.Op) state.Result {
	switch f.n.Add(1) % 6 {
	case 0:
		f.Storage.Do(op)
		fallthrough
	case 3:
		return state.Result{Status: state.Failed, Err: errors.New("connection reset")}
	}
	return f.Storage.Do(op)
}

// flakyStore does the same as an external store.
type flakyStore struct {
	dataflow.External
	n int
}

func (f *flakyStore) Do(op dataflow.ExtOp) dataflow.ExtStatus {
	switch f.n++; f.n % 6 {
	case 0:
		f.External.Do(op)
		return dataflow.ExtFailed
	case 3:
		return dataflow.ExtFailed
	}
	return f.External.Do(op)
}

func TestUnknownOutcomesAreRepeated(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			w, g := newWorld(t), newGate(0)
			cfg := w.config(countJob(t, name, testRecords, testKeys), g)
			store := &flaky{Storage: w.storage}
			cfg.Storage, cfg.External, cfg.RetryPause = store, &flakyStore{External: w.ext}, 100*time.Microsecond
			crashes(t, w, cfg, g)
		})
	}
}

// brokenStore fails for good at its first commit, when there may be nothing
// left to do but that.
type brokenStore struct {
	dataflow.External
	err error
}

var errBroken = errors.New("the disk of the store is full")

func (b *brokenStore) Do(op dataflow.ExtOp) dataflow.ExtStatus {
	if op.Kind == dataflow.ExtCommit {
		b.err = errBroken
	}
	if b.err != nil {
		return dataflow.ExtFailed
	}
	return b.External.Do(op)
}

func (b *brokenStore) Err() error { return b.err }

func TestStoreThatFailsForGoodEndsTheJob(t *testing.T) {
	w := newWorld(t)
	cfg := w.config(countJob(t, "aligned", testRecords, testKeys), nil)
	cfg.External = &brokenStore{External: w.ext}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := live.Run(ctx, cfg); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

// refusing panics on every operation.
type refusing struct{ state.Storage }

func (refusing) Do(state.Op) state.Result { panic("no disk") }

func TestPanicOfTheStorageIsAnError(t *testing.T) {
	w := newWorld(t)
	cfg := w.config(countJob(t, "aligned", testRecords, testKeys), nil)
	cfg.Storage = refusing{}
	if _, err := live.Run(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("error %v", err)
	}
}

func TestSinkNeedsAnExternalStore(t *testing.T) {
	w := newWorld(t)
	cfg := w.config(countJob(t, "aligned", testRecords, testKeys), nil)
	cfg.External = nil
	if _, err := live.Run(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "live.Config.External") {
		t.Errorf("error %v", err)
	}
}

func TestConfigErrorsSayWhatToDo(t *testing.T) {
	job := countJob(t, "aligned", 1, 1)
	plain := *job
	plain.Config.HashContents = false
	cyclic := *job
	cyclic.Graph = &dataflow.Graph{}
	bad := *job
	bad.Config.Credits = 0
	store := storage.NewMemory(0)
	for want, cfg := range map[string]live.Config{
		"needs a graph":        {Storage: store},
		"Config.Storage":       {Job: job},
		"Config.HashContents":  {Job: &plain, Storage: store, Recorder: recording.NewWriter(nil)},
		"transfers: -1":        {Job: job, Storage: store, Transfers: -1},
		"0 records per second": {Job: job, Storage: store, Pacer: &live.Rate{}},
		"no vertices":          {Job: &cyclic, Storage: store},
		"credits: 0":           {Job: &bad, Storage: store},
	} {
		if _, err := live.Start(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	w, g := newWorld(t), newGate(10)
	j, err := live.Start(context.Background(), w.config(job, g))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.KillTask(99); err == nil {
		t.Error("task 99 was killed")
	}
	if err := j.KillWorker(2); err == nil {
		t.Error("worker 2 of 2 was killed")
	}
	if _, err := j.Wait(); err != nil {
		t.Error(err)
	}
}

func TestNoneLosesWhatWasOnItsWay(t *testing.T) {
	w, g := newWorld(t), newGate(testRecords/4)
	j, err := live.Start(context.Background(), w.config(countJob(t, "none", testRecords, testKeys), g))
	if err != nil {
		t.Fatal(err)
	}
	g.await(t, j, "records", func(g *gate) bool { return g.counts[trace.Emitted] >= testRecords/4*2/16 })
	if err := j.KillTask(2); err != nil {
		t.Fatal(err)
	}
	g.await(t, j, "the recovery", func(g *gate) bool { return g.counts[trace.PlanExecuted] == 2 })
	g.open(testRecords)
	if _, err := j.Wait(); err != nil {
		t.Fatal(err)
	}
	var n uint64
	for _, c := range w.counts {
		n += c
	}
	if n == 0 || n >= testRecords || n < testRecords/4 {
		t.Errorf("%d of %d records are in the answer; some should be lost, not all", n, testRecords)
	}
}
