package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/live/recording"
	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/state/storage"
	"weir/trace"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

func backends(t *testing.T) []state.Backend {
	t.Helper()
	all := []state.Backend{heap.Backend{}}
	for _, full := range []bool{true, false} {
		b, err := pebblestate.New(pebblestate.Config{Full: full, CacheBytes: 1 << 20, WriteCacheBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		all = append(all, b)
	}
	return all
}

// cell is one combination with all that is outside the job.
type cell struct {
	t      *testing.T
	work   workloads.Workload
	answer workloads.Answer
	mu     sync.Mutex
	bad    error
	cfg    live.Config
}

func newCell(t *testing.T, workload, algorithm string, backend state.Backend) *cell {
	t.Helper()
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	return newCellOf(t, w, algorithm, backend)
}

// newWholeCell is a cell with the whole of a workload's input, of which NEXMark's answer is known.
func newWholeCell(t *testing.T, workload, algorithm string, backend state.Backend) *cell {
	t.Helper()
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	return newCellOf(t, w, algorithm, backend)
}

func newCellOf(t *testing.T, w workloads.Workload, algorithm string, backend state.Backend) *cell {
	t.Helper()
	x := &cell{t: t, work: w, answer: w.Answer()}
	ext, err := external.OpenStore(external.StoreConfig{OnCommit: x.committed})
	if err != nil {
		t.Fatal(err)
	}
	x.cfg = live.Config{Job: cellJob(t, w, algorithm, backend), Storage: storage.NewMemory(0), External: ext, FS: vfs.NewMem(), Dir: "local", Workers: 2}
	return x
}

func cellJob(t *testing.T, w workloads.Workload, algorithm string, backend state.Backend) *dataflow.Job {
	t.Helper()
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.Graph(2, sinks.For(spec.Properties()).Operator(sinks.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	c.BatchRecords, c.BatchBytes, c.BatchTimeout, c.SourceBatch = 8, 2048, 100_000, 8
	c.Groups, c.HashContents, c.CheckState = 16, true, true
	c.Checkpoint.Interval, c.Checkpoint.Tolerated = 2e6, -1
	return &dataflow.Job{Name: w.Name(), Graph: g, Algorithm: spec, Backend: backend, Config: c}
}

func (x *cell) committed(_ id.TaskID, _ id.Epoch, rows []byte, _ int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
		if err := x.answer.Add(row); err != nil && x.bad == nil {
			x.bad = err
		}
	}
}

// check compares the committed answer with the sequential reference.
func (x *cell) check() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.bad != nil {
		return x.bad
	}
	got, err := x.answer.Rows()
	if err != nil {
		return err
	}
	want, err := x.work.Reference()
	if err != nil {
		return err
	}
	if !slices.EqualFunc(got, want, bytes.Equal) {
		return fmt.Errorf("committed %d rows with digest %s, the reference has %d with %s", len(got), workloads.Digest(got), len(want), workloads.Digest(want))
	}
	return nil
}

// fits reports that an algorithm can run a workload, by what it declares.
func fits(t *testing.T, algorithm, workload string) bool {
	t.Helper()
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.Graph(2, func() dataflow.Operator { return nil })
	if err != nil {
		t.Fatal(err)
	}
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	c := dataflow.DefaultConfig()
	return catalog.Fit(spec, g, &c) == nil
}

// each runs f for every workload, algorithm that can run it, and backend.
func each(t *testing.T, algorithms []string, f func(t *testing.T, workload, algorithm string, backend state.Backend)) {
	for _, b := range backends(t) {
		for _, w := range workloadcatalog.Names() {
			for _, a := range algorithms {
				if !fits(t, a, w) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", w, a, b.Name()), func(t *testing.T) { f(t, w, a, b) })
			}
		}
	}
}

func TestEveryCombinationCommitsTheReferenceAnswer(t *testing.T) {
	each(t, catalog.Names(), func(t *testing.T, workload, algorithm string, backend state.Backend) {
		x := newCell(t, workload, algorithm, backend)
		if _, err := live.Run(context.Background(), x.cfg); err != nil {
			t.Fatal(err)
		}
		if err := x.check(); err != nil {
			t.Error(err)
		}
	})
}

// TestEveryCombinationSurvivesACrash kills a worker in the middle, checks the
// answer, and replays the recording of it all.
func TestEveryCombinationSurvivesACrash(t *testing.T) {
	each(t, exactlyOnce(), func(t *testing.T, workload, algorithm string, backend state.Backend) {
		x, g := newCell(t, workload, algorithm, backend), newGate(40)
		var file bytes.Buffer
		x.cfg.Observer, x.cfg.Pacer, x.cfg.Recorder = g, g, recording.NewWriter(&file)
		j, err := live.Start(context.Background(), x.cfg)
		if err != nil {
			t.Fatal(err)
		}
		g.await(t, j, "a snapshot of every task", func(g *gate) bool {
			return g.counts[trace.Emitted] >= 2*40/8 && g.counts[trace.SnapshotStored] >= 2*len(j.Tasks())
		})
		if err := j.KillWorker(1); err != nil {
			t.Fatal(err)
		}
		g.await(t, j, "the recovery", func(g *gate) bool { return g.counts[trace.PlanExecuted] == 2 })
		g.open(id.Offset(x.work.Events()))
		if _, err := j.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := x.check(); err != nil {
			t.Error(err)
		}
		if err := x.cfg.Recorder.Close(); err != nil {
			t.Fatal(err)
		}
		rec, err := recording.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if err := recording.Replay(cellJob(t, x.work, algorithm, backend), rec, recording.Options{FS: vfs.NewMem(), Dir: "replay"}); err != nil {
			t.Error(err)
		}
		if left, err := x.cfg.FS.(vfs.FS).List("local/tasks"); err == nil && len(left) > 0 {
			t.Errorf("local state was left behind: %v", left)
		}
	})
}

// TestRealDisk runs a job on a real directory in two goes: stopped by Stop,
// started anew from what is on disk.
func TestRealDisk(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Name(), func(t *testing.T) {
			root := t.TempDir()
			onDisk(t, root, b, func(j *live.Job, g *gate, _ workloads.Workload, _ *external.Store) {
				g.await(t, j, "checkpoints", func(g *gate) bool { return g.counts[trace.Completed] >= 2 && g.counts[trace.Emitted] >= 10 })
				if _, err := j.Stop(context.Background()); err != nil {
					t.Fatal(err)
				}
			})
			onDisk(t, root, b, func(j *live.Job, g *gate, w workloads.Workload, ext *external.Store) {
				g.open(id.Offset(w.Events()))
				if _, err := j.Wait(); err != nil {
					t.Fatal(err)
				}
				if err := checkStore(w, ext); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// onDisk opens everything below root, starts the job and hands it to f.
func onDisk(t *testing.T, root string, b state.Backend, f func(*live.Job, *gate, workloads.Workload, *external.Store)) {
	t.Helper()
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	store, err := storage.OpenDir(vfs.Default, root+"/checkpoints", storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.Default, Dir: root + "/sink"})
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(40)
	j, err := live.Start(context.Background(), live.Config{
		Job: cellJob(t, w, "aligned", b), Storage: store, External: ext, FS: vfs.Default, Dir: root + "/local", Observer: g, Pacer: g,
	})
	if err != nil {
		t.Fatal(err)
	}
	f(j, g, w, ext)
	if err := errors.Join(ext.Close(), store.Close()); err != nil {
		t.Fatal(err)
	}
}

// checkStore compares what stands in an external store with the reference.
func checkStore(w workloads.Workload, ext *external.Store) error {
	var rows [][]byte
	err := ext.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		rows = append(rows, bytes.Clone(row))
		return nil
	})
	if err != nil {
		return err
	}
	got, err := w.Canonical(rows)
	if err != nil {
		return err
	}
	want, err := w.Reference()
	if err != nil {
		return err
	}
	if workloads.Digest(got) != workloads.Digest(want) {
		return fmt.Errorf("%d rows, want %d", len(got), len(want))
	}
	return nil
}
