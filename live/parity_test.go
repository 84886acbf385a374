package live_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/live"
	"weir/sim"
	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/state/storage"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// snapshotSize is what one task's snapshot takes, in bytes, layer by layer.
type snapshotSize struct {
	Task  string
	Epoch id.Epoch
	// Object is the whole snapshot object, without the positions on channels: they
	// count watermarks, of which there is one per buffer, and how records fall
	// into buffers is a matter of timing, as is the width of their encoding.
	Object                int
	Lists, Save           int
	Inline                int   // state within the object
	State, Changed        int64 // logical
	Captured, Uncommitted int   // buffers and transactions
	Files                 []fileSize
}

// fileSize is a state file; its name tells the snapshot that uploaded it.
type fileSize struct {
	Name string
	Size int64
}

// sizes returns what the snapshots in a storage take, by key.
func sizes(t *testing.T, store *storage.Memory) []snapshotSize {
	t.Helper()
	uploaded := map[string]int{}
	for key, data := range store.Objects() {
		uploaded[key] = len(data)
	}
	var all []snapshotSize
	for _, data := range store.Objects() {
		s, err := dataflow.DecodeSnapshot(data)
		if err != nil {
			continue // a record, a plan, a file
		}
		x := snapshotSize{
			Task: fmt.Sprintf("%s[%d]", s.Task, s.Index), Epoch: s.Epoch, Object: len(data) - positionBytes(s), Lists: len(s.Handle.Operator),
			Save: len(s.Save), Inline: len(s.Handle.Inline), State: s.Handle.Bytes, Changed: s.Handle.Changed,
			Captured: len(s.In) + len(s.Out), Uncommitted: len(s.Pending),
		}
		for _, f := range s.Handle.Files {
			if n := uploaded[f.Name]; int64(n) != f.Size {
				t.Errorf("%s of %d bytes takes %d in storage", f.Name, f.Size, n)
			}
			x.Files = append(x.Files, fileSize{f.Name, f.Size})
		}
		all = append(all, x)
	}
	return all
}

// positionBytes is what the positions of a snapshot take in its object.
func positionBytes(s *dataflow.Snapshot) (n int) {
	for _, p := range slices.Concat(s.Delivered, s.Sealed) {
		n += len(binary.AppendUvarint(nil, uint64(p)))
	}
	return n
}

// parityJob is a job whose checkpoints come when it stands still, never by the
// clock: the last one because the input has ended.
func parityJob(job *dataflow.Job, backend state.Backend) *dataflow.Job {
	job.Backend = backend
	c := &job.Config
	c.BatchTimeout = 0 // which records share a buffer is up to the batches of the source
	c.Checkpoint.Interval, c.Checkpoint.Timeout, c.Checkpoint.Retain = never, 2*never, 4
	return job
}

const never = dataflow.Nanos(time.Hour)

// simulated and lived run a job and return what its snapshots take.
func simulated(t *testing.T, job *dataflow.Job, watch trace.Observer) []snapshotSize {
	t.Helper()
	store := storage.NewMemory(0)
	ext, err := external.OpenStore(external.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	r := sim.New().Run(sim.Config{Seed: 1, Job: job, Storage: store, External: ext, Observers: observersOf(watch), Model: sim.DefaultModel(), Policy: &sim.Random{}, LocalDisks: true, MaxEvents: 1_000_000})
	if r.Verdict != sim.Done {
		t.Fatalf("simulated: %v: %v", r.Verdict, r.Err)
	}
	return sizes(t, store)
}

func observersOf(o trace.Observer) []trace.Observer {
	if o == nil {
		return nil
	}
	return []trace.Observer{o}
}

func lived(t *testing.T, job *dataflow.Job, watch trace.Observer) []snapshotSize {
	t.Helper()
	w := newWorld(t)
	cfg := w.config(job, nil)
	cfg.Observer, cfg.FS, cfg.Dir = watch, vfs.NewMem(), "local"
	if _, err := live.Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	return sizes(t, w.storage)
}

// parityBackends are heap and both kinds of Pebble, Pebble with the settings of
// the simulator: what it runs with otherwise compacts in the background, whose
// moments are timing, and writes filters.
func parityBackends(t *testing.T) []state.Backend {
	t.Helper()
	all := []state.Backend{heap.Backend{}}
	for _, full := range []bool{true, false} {
		b, err := pebblestate.New(pebblestate.Config{Full: full, Deterministic: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		all = append(all, b)
	}
	return all
}

// TestLastCheckpointTakesTheSameBytesSimulated: when an input has been worked
// off, the checkpoint that ends the job holds what the answer follows from, and
// no timing enters: no record is on its way, and it is the first and only one,
// so that nothing is incremental either.
func TestLastCheckpointTakesTheSameBytesSimulated(t *testing.T) {
	for _, b := range parityBackends(t) {
		for _, workload := range workloadcatalog.Names() {
			for _, algorithm := range withSnapshots(false) {
				if !fits(t, algorithm, workload) || !isDeterministic(t, workload) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", workload, algorithm, b.Name()), func(t *testing.T) {
					w, err := workloadcatalog.New(workload)
					if err != nil {
						t.Fatal(err)
					}
					w.Small()
					job := func() *dataflow.Job { return parityJob(cellJob(t, w, algorithm, b), b) }
					compareSizes(t, simulated(t, job(), nil), lived(t, job(), nil), 1)
				})
			}
		}
	}
}

// isDeterministic: what an operator that is not has done to its state, Pebble's
// deleted entries included, depends on timing.
func isDeterministic(t *testing.T, workload string) bool {
	t.Helper()
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.Graph(1, func() dataflow.Operator { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(g.Vertices, func(v dataflow.Vertex) bool { return v.NonDeterministic })
}

// withSnapshots returns the algorithms that take any; rounds: and only those
// that take them of all tasks together.
func withSnapshots(rounds bool) []string {
	var names []string
	for _, s := range catalog.All() {
		if p := s.Properties(); p.Snapshots != dataflow.NoSnapshots && (!rounds || p.HasRounds()) {
			names = append(names, s.Name)
		}
	}
	return names
}

// compareSizes wants the same snapshots, each of every task.
func compareSizes(t *testing.T, simulated, lived []snapshotSize, each int) {
	t.Helper()
	tasks := map[string]int{}
	for _, x := range simulated {
		tasks[x.Task]++
		if x.Captured > 0 {
			t.Errorf("%s %s: %d buffers were on their way", x.Task, x.Epoch, x.Captured)
		}
	}
	for task, n := range tasks {
		if n != each {
			t.Errorf("%d snapshots of %s, want %d", n, task, each)
		}
	}
	if len(tasks) == 0 {
		t.Error("there are no snapshots")
	}
	if diff := cmp.Diff(simulated, lived); diff != "" {
		t.Errorf("simulated (-) and live (+) differ:\n%s", diff)
	}
}
