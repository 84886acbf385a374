package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/state"
	statecatalog "weir/state/catalog"
	"weir/state/storage"
	"weir/trace"
	"weir/workloads"
)

// Directories of a run below Spec.Dir.
const (
	checkpointsDir = "checkpoints"
	SinkDir        = "sink"
	offsetsDir     = "offsets"
	localDir       = "local"
)

// run is a job in a child process with all that is around it.
type run struct {
	spec      *Spec
	counters  *Counters
	schedule  *schedule
	algorithm Algorithm
	ending    *sinks.Sink
	work      workloads.Workload
	answers   workloads.Answers
	untimed   error // why rows do not tell which record they answer; nil: they do

	storageFS, sinkFS, localFS *measuredFS
	storage                    *storage.Dir
	sink                       *external.Store
	offsets                    *external.SourceLog
	backend                    state.Backend

	checkpoints live.CheckpointLog
	processing  []*latencies // of the sinks
	visible     *latencies   // of the external store's goroutine
	spent       atomic.Int64 // ns of CPU time in the sources
	watcher     *watcher
	abandon     context.CancelCauseFunc // ends the job as it stands
}

// Run runs the job of a spec in this process until its input has ended, and
// writes the report. When ctx ends the job is stopped well: it leaves a
// checkpoint that the next process with the same directory goes on from.
func Run(ctx context.Context, spec *Spec) error {
	r, err := openRun(spec)
	if err != nil {
		return err
	}
	stop, err := profile(spec.Profile)
	if err == nil {
		err = errors.Join(r.run(ctx), stop())
	}
	return errors.Join(err, r.close())
}

// profile takes a CPU profile until stop is called.
func profile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func openRun(spec *Spec) (*run, error) {
	debug.SetGCPercent(spec.Tuning.GCPercent)
	debug.SetMemoryLimit(spec.Tuning.MemoryBytes)
	runtime.GOMAXPROCS(spec.Tuning.Procs())
	r := &run{spec: spec}
	var err error
	if r.algorithm, err = spec.Lookup(); err != nil {
		return nil, err
	}
	if r.ending, err = spec.LookupSink(); err != nil {
		return nil, err
	}
	if r.work, err = spec.NewWorkload(); err != nil {
		return nil, err
	}
	r.answers, r.untimed = answersOf(r.work, spec.NumSplits())
	if r.counters, err = OpenCounters(spec.Dir); err != nil {
		return nil, err
	}
	r.schedule = spec.schedule(r.counters)
	if err := r.openOutside(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// openOutside opens what is on disk.
func (r *run) openOutside() (err error) {
	dir := func(name string) string { return filepath.Join(r.spec.Dir, name) }
	q := newQuota(r.spec.DiskBytes)
	for _, fs := range []**measuredFS{&r.storageFS, &r.sinkFS, &r.localFS} {
		*fs = newMeasuredFS(r.spec.Clock, q, func() { r.counters.Set(CounterFull, 1) })
	}
	if r.storage, err = storage.OpenDir(r.storageFS, dir(checkpointsDir), storage.DirConfig{}); err != nil {
		return err
	}
	config := external.StoreConfig{FS: r.sinkFS, Dir: dir(SinkDir), OnCommit: r.committed}
	if r.sink, err = external.OpenStore(config); err != nil {
		return err
	}
	ahead := uint64(1 << 20)
	if r.offsets, err = external.OpenSourceLog(external.SourceLogConfig{FS: vfs.Default, Dir: dir(offsetsDir), Ahead: ahead}); err != nil {
		return err
	}
	backend, err := statecatalog.Lookup(r.spec.State)
	if err != nil {
		return err
	}
	r.backend, err = backend.New(statecatalog.Settings{CacheBytes: r.spec.Tuning.CacheBytes, WriteCacheBytes: r.spec.Tuning.WriteBytes})
	return err
}

func (r *run) close() error {
	var err error
	if r.sink != nil {
		err = errors.Join(err, r.sink.Close())
	}
	if r.offsets != nil {
		err = errors.Join(err, r.offsets.Close())
	}
	if r.storage != nil {
		err = errors.Join(err, r.storage.Close())
	}
	if c, ok := r.backend.(interface{ Close() }); ok {
		c.Close()
	}
	return errors.Join(err, r.counters.Close())
}

// committed is called by the external store for rows that have become visible.
func (r *run) committed(_ id.TaskID, _ id.Epoch, rows []byte, _ int) {
	now := r.spec.Clock()
	r.counters.Add(CounterCommits, 1)
	r.counters.Set(CounterCommit, now)
	if r.visible != nil {
		r.visible.rows(rows, now)
	}
}

// job makes the job with everything in it that measures.
func (r *run) job() (*dataflow.Job, error) {
	c, err := r.spec.config()
	if err != nil {
		return nil, err
	}
	g, err := r.work.Graph(r.spec.Parallelism, r.newSink)
	if err != nil {
		return nil, err
	}
	r.ending.Extend(g, sinkConfig(r.work))
	g.SetSplits(r.spec.Splits)
	if err := catalog.Fit(r.algorithm.Spec, g, &c); err != nil {
		return nil, err
	}
	if _, err := r.spec.Promised(); err != nil {
		return nil, err
	}
	for i := range g.Vertices {
		if v := &g.Vertices[i]; v.Role == dataflow.RoleSource {
			inner := v.New
			v.New = func() dataflow.Operator { return r.newSource(inner()) }
		}
	}
	if r.measuresLatency() {
		r.visible = newLatencies(r.schedule, r.answers.Record, r.spec.Measure, false)
	}
	return &dataflow.Job{Name: r.work.Name(), Graph: g, Algorithm: r.algorithm, Backend: r.backend, Config: c}, nil
}

// measuresLatency: an open loop, and rows that tell which record they answer.
func (r *run) measuresLatency() bool { return r.isOpen() && r.untimed == nil }

// isOpen: its rows are to have a latency.
func (r *run) isOpen() bool { return r.spec.Rate > 0 && r.spec.Timed() && !r.spec.Killed }

// answersOf returns what rows of a workload answer, or why they do not tell.
func answersOf(w workloads.Workload, splits int) (workloads.Answers, error) {
	timed, ok := w.(workloads.Timed)
	if !ok {
		return workloads.Answers{}, fmt.Errorf("rows of %s do not tell which record they answer: it has latencies when it implements workloads.Timed", w.Name())
	}
	return timed.Answers(splits)
}

func (r *run) newSource(inner dataflow.Operator) dataflow.Operator {
	source, ok := inner.(dataflow.Source)
	if !ok {
		return inner
	}
	return &measuredSource{Source: source, counters: r.counters, spent: &r.spent, clock: r.spec.Clock, restarted: r.spec.Killed && r.firstNew() == 0}
}

// firstNew is the record from which on rows are new after the kill; 0 if they
// come too late to tell, or do not tell at all.
func (r *run) firstNew() int64 {
	if !r.answers.Prompt || !r.spec.Killed {
		return 0
	}
	furthest := int64(0)
	for i := range r.spec.NumSplits() {
		furthest = max(furthest, r.counters.getSplit(i, splitKilled))
	}
	return furthest * int64(r.spec.NumSplits())
}

// newSink makes the operator of a sink vertex. The driver makes
// operators one at a time.
func (r *run) newSink() dataflow.Operator {
	s := &measuredSink{Sink: r.ending.New(sinkConfig(r.work)), record: r.answers.Record, counters: r.counters, newFrom: r.firstNew()}
	if r.measuresLatency() {
		s.late = newLatencies(r.schedule, r.answers.Record, r.spec.Measure, true)
		r.processing = append(r.processing, s.late)
	}
	return s
}

// run runs the job.
func (r *run) run(ctx context.Context) error {
	job, err := r.job()
	if err != nil {
		return err
	}
	r.counters.Set(CounterPhase, int64(Starting))
	r.counters.Set(CounterReady, 0)
	r.counters.Add(CounterProcess, 1)
	if !r.spec.Killed {
		touch(r.spec, SizeOf(r.work, 0).State)
	}
	r.watcher = newWatcher(r, job.Graph)
	r.watcher.began = r.watcher.take(nil)
	r.watcher.started = r.watcher.began.at
	life, abandon := context.WithCancelCause(context.Background())
	defer abandon(nil)
	r.abandon = abandon
	j, err := live.Start(life, live.Config{
		Job: job, Storage: r.storage, External: r.sink, SourceLog: r.offsets, FS: r.localFS, Dir: filepath.Join(r.spec.Dir, localDir),
		Transfers: r.spec.Tuning.Transfers, Observer: r.watcher, Checkpoints: &r.checkpoints, Pacer: r.schedule, Epoch: time.Unix(0, r.spec.Epoch), Seed: r.spec.Seed,
	})
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			r.stop(j)
		case <-j.Done():
		}
	}()
	r.watcher.watch(j)
	<-stopped
	result, err := j.Wait()
	if ctx.Err() != nil {
		return errors.Join(err, fmt.Errorf("%w; %s holds a checkpoint to go on from", ErrInterrupted, r.spec.Dir))
	}
	if err != nil {
		return err
	}
	return r.watcher.report(j, result).write(r.spec.Dir)
}

// failed hears what a task failed with. One that panics would do it again and
// again after each restart: it ends the job.
func (r *run) failed(e *trace.Event) {
	if e.Cause == trace.Panic {
		r.abandon(fmt.Errorf("%w: %s", errPanicked, e.Text))
	}
}

// errPanicked: a task panicked.
var errPanicked = errors.New("the code under test panicked")

// ErrInterrupted is the error of a run that was asked to stop and did.
var ErrInterrupted = errors.New("interrupted")

// stopPatience is how long a job may take to stop well.
const stopPatience = 30 * time.Second

func (r *run) stop(j *live.Job) {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	_, _ = j.Stop(ctx) // the caller waits for the job and gets the error
}

// touch makes the memory that the state will need resident before anything is
// measured, so that the first pass over it costs no page faults.
func touch(s *Spec, state int64) {
	memory := make([]byte, min(64<<20+2*state, s.Tuning.MemoryBytes/4))
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
}
