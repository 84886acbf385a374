package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"weir/check"
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/live"
	"weir/scenario"
	"weir/state"
	"weir/state/storage"
	"weir/trace"
	"weir/workloads"
)

// runLive runs the combination on real threads, the wall clock and a directory
// of its own, kills a worker in the middle unless told not to, or the coordinator if it has
// a standby, and compares what was committed with the reference.
func runLive(cmd *cobra.Command, f *runFlags, cfg scenario.Config) (err error) {
	job, promise, err := scenario.LiveJob(&cfg)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	changes, err := f.rescalable(&cfg, job)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	dir, closed, err := f.liveDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closed()) }()
	store, err := storage.OpenDir(vfs.Default, dir+"/checkpoints", storage.DirConfig{})
	if err != nil {
		return err
	}
	listener, err := f.listener(cmd)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	answer := newCommitted(cfg.Workload, promise.Shows)
	output, checkpoints := dir+"/sink", state.Storage(store)
	if cfg.From != nil {
		mounted, unmount, mountErr := f.mount(store, cfg.From)
		if mountErr != nil {
			return mountErr
		}
		defer func() { err = errors.Join(err, unmount()) }()
		checkpoints = mounted
		for _, row := range cfg.From.Rows() {
			answer.add(0, 0, dataflow.AppendRecord(nil, row), 1)
		}
		if cfg.From.Output != nil {
			output = f.output
		}
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.Default, Dir: output, OnCommit: answer.add})
	if err != nil {
		return err
	}
	g := newGate(cfg.Workload.Events(), !f.calm || f.stops() || len(changes) > 0, job.Algorithm.Properties().Snapshots != dataflow.NoSnapshots)
	j, err := live.Start(ctx, live.Config{
		Job: job, Storage: checkpoints, External: ext, FS: vfs.Default, Dir: dir + "/local", Observer: g, Pacer: g, Workers: 2, Seed: f.seed,
		Coordinators: cfg.Coordinators, Candidate: scenario.LiveCandidate(job),
	})
	if err != nil {
		return err
	}
	end := serve(listener, j, &cfg, checkpoints, dir, f.keeps())
	if f.stops() || !f.calm {
		err = f.intervene(ctx, j, g, cfg.Coordinators > 1)
	}
	if len(changes) > 0 && err == nil {
		err = rescale(ctx, j, g, &cfg, changes)
	}
	g.open()
	res, runErr := j.Wait()
	err = errors.Join(err, end())
	if cause := context.Cause(ctx); cause != nil {
		return errors.Join(cause, ext.Close(), store.Close())
	}
	if err = errors.Join(err, runErr, ext.Close(), store.Close()); err != nil {
		return err
	}
	return f.judgeLive(cmd, &cfg, &job.Config, promise, g, res, answer, output)
}

// intervene stops the job if that is asked for, and else kills a worker, or with several
// coordinators the one that leads.
func (f *runFlags) intervene(ctx context.Context, j *live.Job, g *gate, coordinator bool) error {
	if !f.stops() {
		return g.strike(j, coordinator)
	}
	select {
	case <-g.ready:
		if f.stopSaved {
			_, err := j.Savepoint(ctx, true)
			return err
		}
		_, err := j.Stop(ctx)
		return err
	case <-j.Done():
		return nil
	}
}

// liveDir returns the directory of a live job and what to do with it at the end: one
// of its own is removed.
func (f *runFlags) liveDir() (dir string, closed func() error, err error) {
	if f.storage == "" {
		dir, err = os.MkdirTemp("", "weir-live-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	names, err := os.ReadDir(f.storage)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", nil, err
	}
	if len(names) > 0 {
		return "", nil, fmt.Errorf("%w: --storage %q is not empty: a job that went on from what is there would be judged by an output that it has not made", errUsage, f.storage)
	}
	return f.storage, func() error { return os.RemoveAll(filepath.Join(f.storage, "local")) }, nil
}

func (f *runFlags) judgeLive(cmd *cobra.Command, cfg *scenario.Config, with *dataflow.Config, promise sinks.Promise, g *gate, res *live.Result, answer *committed, output string) error {
	rows, rowErr := answer.rows()
	want, err := cfg.Workload.Reference()
	if promise.Shows == sinks.Values {
		want = check.Distinct(slices.Clone(want))
	}
	unknown := errors.Is(err, workloads.ErrNoReference)
	if err != nil && !unknown {
		return err
	}
	s := summary{
		Algorithm: cfg.Algorithm.Name, State: cfg.State, Sink: cfg.SinkName(), Workload: cfg.Workload.Name(), Seed: f.seed, Splits: cmp.Or(cfg.Splits, cfg.Parallelism), Verdict: scenario.Fine.String(),
		OutputDigest: workloads.Digest(rows), Checkpoints: g.checkpoints, Crashes: g.crashes, Recoveries: res.Plans - 1 - len(res.Changes), WallNanos: int64(res.Elapsed), LateRecords: g.late,
		NotJudged: cfg.LiveNotJudged(), Faults: "(kill worker=1 after two snapshots)", config: with,
		Rescaled: int64(len(res.Changes)), Changes: changesOf(res.Changes),
	}
	if n := cfg.Coordinators; n > 1 {
		s.Coordinators, s.Failovers, s.Coordinator = n, res.Failovers, g.leaders
		s.Faults = "(kill coordinator after two snapshots)"
	}
	stopped := f.stops() || res.Stopped // by whoever else can reach it
	if f.calm || stopped {
		s.Faults = "(plan)"
	}
	s.Savepoints = g.savepoints
	if err := f.stoppedWith(&s, cfg, res, output); err != nil {
		return err
	}
	if stopped {
		unknown, s.NotJudged = true, "the job was stopped in the middle, so that only rows that cannot be read are judged"
	}
	exact := promise.Output == dataflow.ExactlyOnce || g.crashes+res.Failovers == 0 && !cfg.From.WrittenSince()
	if promise.Output != dataflow.ExactlyOnce && cfg.From.WrittenSince() {
		s.NotJudged = "others have written to this output behind the savepoint, at least once, so that rows may be there again, and it is not judged"
	}
	var wrong error
	switch {
	case !exact:
	case cfg.From != nil && cfg.From.Output == nil: // what was visible before is not known
	case rowErr != nil:
		wrong = &verdict{scenario.Unsafe, fmt.Sprintf("committed output cannot be read: %v", rowErr)}
	case !unknown && s.OutputDigest != workloads.Digest(want):
		wrong = &verdict{scenario.Unsafe, fmt.Sprintf("committed output %s is not the reference answer %s", s.OutputDigest, workloads.Digest(want))}
	}
	if wrong != nil {
		s.Verdict = scenario.Unsafe.String()
	}
	if g.crashes+res.Failovers == 0 && !f.calm && !stopped {
		s.Verdict = scenario.Broken.String()
		wrong = &verdict{scenario.Broken, "the job ended before anybody could be killed: give it more --events, or say --calm"}
	}
	if err := f.print(cmd, &s); err != nil {
		return err
	}
	return wrong
}

// committed collects rows as they become visible: all of them, or of each key the
// newest where that is what a reader sees.
type committed struct {
	mu     sync.Mutex
	answer workloads.Answer
	key    func(row []byte) (key []byte, version uint64) // nil: all rows count
	newest check.Newest
}

func newCommitted(w workloads.Workload, shows sinks.Shows) *committed {
	c := &committed{answer: w.Answer()}
	if k, ok := w.(workloads.Keyed); ok && shows == sinks.Values {
		c.key, c.newest = k.Key, check.Newest{}
	}
	return c
}

func (c *committed) add(_ id.TaskID, _ id.Epoch, rows []byte, _ int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
		if c.key != nil {
			key, version := c.key(row)
			c.newest.Take(key, version, bytes.Clone(row))
			continue
		}
		_ = c.answer.Add(row) // Rows reports what is wrong
	}
}

// rows returns the answer in canonical form, and what is wrong with its history;
// where only the newest values count, nobody asks for the others.
func (c *committed) rows() ([][]byte, error) {
	if c.key == nil {
		return c.answer.Rows()
	}
	for _, row := range c.newest.Rows(nil) {
		if err := c.answer.Add(row); err != nil {
			return nil, err
		}
	}
	rows, _ := c.answer.Rows()
	return check.Distinct(rows), nil
}

// gate lets sources emit half of the input until something is stored that a
// recovery can start from, and the rest after the kill.
type gate struct {
	mu          sync.Mutex
	half        int
	closed      bool
	flows       int64 // since then, in the job's time, some of the other half comes slowly; 0: none does
	ready       chan struct{}
	isReady     bool
	kind        trace.Kind
	seen        int
	checkpoints int
	savepoints  int
	crashes     int
	leaders     int           // coordinators that have gone
	another     chan struct{} // closed when the first of them is followed
	followed    bool
	late        int64
}

func newGate(events int, crash, snapshots bool) *gate {
	g := &gate{half: events/2 + 1, closed: crash, ready: make(chan struct{}), another: make(chan struct{}), kind: trace.SnapshotStored}
	if !snapshots {
		g.kind = trace.Delivered
	}
	return g
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

// flow lets more of the input come from now on, slowly, so that records are on their way while
// something is done with the job; the last of it waits until the gate is open.
func (g *gate) flow(now int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flows = now
}

// flown is how many records more than half have come: a sixth of those a second, and five sixths at most.
func (g *gate) flown(now int64) int {
	if g.flows == 0 {
		return 0
	}
	seconds := float64(now-g.flows) / float64(time.Second)
	return int(float64(g.half) / 6 * min(seconds, 5))
}

// strike kills somebody when there is something to recover from: a worker, or the coordinator that
// leads, and returns then when another one does.
func (g *gate) strike(j *live.Job, coordinator bool) error {
	select {
	case <-g.ready:
	case <-j.Done():
		return nil
	}
	if !coordinator {
		return j.KillWorker(1)
	}
	for j.KillCoordinator() != nil { // nobody leads at the moment, or the job is over
		select {
		case <-time.After(10 * time.Millisecond):
		case <-j.Done():
			return nil
		}
	}
	select {
	case <-g.another:
	case <-j.Done():
	}
	return nil
}

// Wants is what the gate counts.
func (g *gate) Wants() trace.Mask {
	return trace.Mask(0).With(g.kind, trace.Completed, trace.LineAdvanced, trace.Saved, trace.WorkerCrashed, trace.CoordinatorCrashed, trace.CoordinatorStarted, trace.RecordLate)
}

// Observe counts, and says when there is something to recover from.
func (g *gate) Observe(e *trace.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch e.Kind {
	case trace.WorkerCrashed:
		g.crashes++
	case trace.CoordinatorCrashed:
		g.leaders++
	case trace.CoordinatorStarted:
		if g.leaders > 0 && !g.followed {
			g.followed = true
			close(g.another)
		}
	case trace.Completed, trace.LineAdvanced:
		g.checkpoints++
	case trace.Saved:
		g.savepoints++
	case trace.RecordLate:
		g.late++
	default:
	}
	if e.Kind == g.kind {
		if g.seen++; g.seen >= 12 && !g.isReady {
			g.isReady = true
			close(g.ready)
		}
	}
}

// Allow is the pacer: half of each split while the gate is closed.
func (g *gate) Allow(s *dataflow.TaskInfo, _ int, o id.Offset, now int64) (n int, next int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		return 1 << 30, 0
	}
	if room := (g.half+g.flown(now))/s.Splits - int(o); room > 0 {
		return room, 0
	}
	return 0, now + int64(time.Millisecond)
}
