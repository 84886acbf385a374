package live

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// ErrStopped is the error of a job that was cancelled before it was done.
var ErrStopped = errors.New("live: the job was cancelled")

// Stopper is a Coordinator that can end a job early: Stop asks for one more
// checkpoint and, when it is complete or cannot be taken, for CoordHost.JobDone.
type Stopper interface{ Stop() }

// PanicError is a panic of the code under test.
type PanicError struct {
	Where string // task, transfer or coordinator
	Value any
	Stack []byte
}

// Error names what panicked, with the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked: %v\n%s", e.Where, e.Value, e.Stack)
}

// Failure is the end of one incarnation before its time.
type Failure struct {
	Task    id.TaskID
	Attempt id.Attempt
	Err     error // what it failed with; nil: it was killed
}

// Result is what came of a run.
type Result struct {
	Elapsed   time.Duration
	Stopped   bool             // by Stop or with a savepoint, before the job was done
	Savepoint id.Epoch         // with which it was stopped; 0: with none
	Plans     int              // recovery plans executed, the start included
	Attempt   id.Attempt       // of the last one
	Failures  []Failure        // in the order in which they were noticed
	Tasks     []TaskStats      // of the graph that it had at its end
	Copies    state.CopyCounts // files that tasks were restored from, with local recovery
	// Failovers is how often another coordinator process took the lead than the one before.
	Failovers int
	Changes   []Change // of its graph
}

// Job is a running job. Its methods are safe for concurrent use.
type Job struct {
	cfg       Config
	copiedMu  sync.Mutex
	copied    state.CopyCounts    // by incarnations that have ended
	leg       atomic.Pointer[leg] // the one that runs; stored by the control loop
	nonce     uint64
	clock     clock
	control   *mailbox[report]
	observers *observers
	storage   *pool
	external  *mailbox[extCall]
	extEnded  chan struct{}
	sourceMu  sync.Mutex // of cfg.SourceLog
	transfers chan struct{}
	running   sync.WaitGroup // runners

	storageWorkers int
	outstanding    int
	creditBatch    int
	workers        int
	retryPause     dataflow.Nanos

	done   chan struct{}
	result Result
	err    error
}

// Run starts a job and waits for its end. When ctx is cancelled the job is
// abandoned as it stands, and the error wraps ErrStopped.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	j, err := Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return j.Wait()
}

// Start starts a job. Cancelling ctx abandons it; Stop ends it well.
func Start(ctx context.Context, cfg Config) (*Job, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	first, err := newLeg(cfg.Job)
	if err != nil {
		return nil, err
	}
	if cfg.SourceLog == nil {
		cfg.SourceLog = memoryLog{}
	}
	j := &Job{
		cfg: cfg, nonce: nonce(), clock: newClock(cfg.Epoch), control: newMailbox[report](),
		storageWorkers: orDefault(cfg.StorageWorkers, 16), outstanding: orDefault(cfg.Outstanding, 256),
		creditBatch: max(1, cfg.Job.Config.Credits/2), workers: orDefault(cfg.Workers, 1), done: make(chan struct{}),
		retryPause: dataflow.Nanos(cfg.RetryPause),
	}
	if j.retryPause == 0 {
		j.retryPause = dataflow.Nanos(10 * time.Millisecond)
	}
	j.observers = newObservers(&cfg)
	j.storage, j.external, j.extEnded = newPool(j.storageWorkers), newMailbox[extCall](), make(chan struct{})
	j.transfers = make(chan struct{}, orDefault(cfg.Transfers, 8))
	if cfg.Dir != "" {
		j.removeDir(path.Join(cfg.Dir, localDir))
	}
	if cfg.Output != nil {
		cfg.Output.job.Store(j)
	}
	go j.serveExternal()
	c := newControl(j, first)
	release := context.AfterFunc(ctx, func() {
		j.control.post(report{kind: repCancel, err: fmt.Errorf("%w: %w", ErrStopped, context.Cause(ctx))})
	})
	go func() {
		defer release()
		c.run()
	}()
	return j, nil
}

func nonce() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// shutDown ends every goroutine of the job and settles the result.
func (c *control) shutDown() {
	j := c.j
	for _, r := range c.runners {
		if r != nil {
			r.halt()
		}
	}
	j.running.Wait()
	j.storage.close()
	j.external.post(extCall{})
	<-j.extEnded
	for _, m := range j.control.take(nil) {
		c.refuse(&m)
	}
	saved := c.saves.settle(c.err)
	c.changes.settle(c.err)
	j.result = Result{
		Elapsed: time.Since(j.clock.start), Stopped: saved != 0 || c.stopping && c.err == nil, Savepoint: saved, Plans: c.plans, Attempt: c.roster.Plan(),
		Failures: c.failures, Tasks: j.Stats(), Copies: j.copied, Failovers: c.failovers, Changes: c.changes.list(),
	}
	j.err = c.err
	close(j.done)
}

// Wait returns when the job has ended and all its goroutines too. The result
// is never nil; the error is what the coordinator failed the job with.
func (j *Job) Wait() (*Result, error) {
	<-j.done
	return &j.result, j.err
}

// Done is closed when the job has ended.
func (j *Job) Done() <-chan struct{} { return j.done }

// Stop ends the job well: with a last checkpoint if the coordinator is a
// Stopper, else with the newest one there is. When ctx ends first, the job is
// abandoned as it stands.
func (j *Job) Stop(ctx context.Context) (*Result, error) {
	j.control.post(report{kind: repStop})
	select {
	case <-j.done:
	case <-ctx.Done():
		j.control.post(report{kind: repCancel, err: fmt.Errorf("%w: %w", ErrStopped, context.Cause(ctx))})
	}
	return j.Wait()
}

// KillTask drops the current incarnation of a task abruptly: its state, timers
// and connections are gone. It returns when the coordinator knows.
func (j *Job) KillTask(t id.TaskID) error {
	return j.kill(t, -1)
}

// KillWorker does the same to all tasks of a worker (see Config.Workers).
func (j *Job) KillWorker(w int) error {
	if w < 0 {
		return fmt.Errorf("live: no worker %d; there are %d", w, j.workers)
	}
	return j.kill(0, w)
}

func (j *Job) kill(task id.TaskID, worker int) error {
	return j.request(context.Background(), report{kind: repKill, task: task, worker: worker})
}

// Name returns the name of the job.
func (j *Job) Name() string { return j.cfg.Job.Name }

// Tasks describes the tasks that the job has at the moment, by TaskID.
func (j *Job) Tasks() []dataflow.TaskInfo { return j.leg.Load().info }

// Now returns the time of the job's clock: nanoseconds since Config.Epoch.
func (j *Job) Now() int64 { return j.clock.now() }

// --- storage and local files ---

// do carries out a storage operation, on a worker.
func (j *Job) do(op state.Op, t id.TaskID, a id.Attempt) (res state.Result) {
	j.observers.operation(j.clock.now(), trace.StoreIssued, t, a, op, 0)
	defer func() {
		if v := recover(); v != nil {
			res = state.Result{Status: state.Refused, Err: &PanicError{Where: "checkpoint storage", Value: v, Stack: debug.Stack()}}
		}
		if res.Status == state.OK {
			j.observers.operation(j.clock.now(), trace.StoreApplied, t, a, op, 0)
		}
		j.observers.operation(j.clock.now(), trace.StoreDone, t, a, op, res.Status)
	}()
	return j.cfg.Storage.Do(op)
}

// unknown reports whether an event is an operation with unknown outcome.
func unknown(ev *dataflow.Event) bool {
	return ev.Kind == dataflow.EvStored && ev.Result.Status == state.Failed || ev.Kind == dataflow.EvExternal && ev.Ext == dataflow.ExtFailed
}

// localDir is the directory below Config.Dir for the local state of incarnations.
const localDir = "tasks"

// dir is the local directory of an incarnation.
func (r *runner) dir() string {
	if r.j.cfg.Dir == "" {
		return ""
	}
	return path.Join(r.j.cfg.Dir, localDir, fmt.Sprintf("%s-%s-%016x", r.info.ID, r.attempt, r.j.nonce))
}

// copiesDir is the directory below Config.Dir for local copies of snapshots. It outlives
// processes.
const copiesDir = "copies"

// copies is the directory of a task's local copies, "" where there are none.
func (r *runner) copies() string {
	if !r.leg.job.Config.Checkpoint.LocalRecovery {
		return ""
	}
	return path.Join(r.j.cfg.Dir, copiesDir, r.info.ID.String())
}

// removeDir removes local state that nobody uses; what cannot be removed stays.
func (j *Job) removeDir(dir string) {
	if fs, ok := j.cfg.FS.(interface{ RemoveAll(string) error }); ok && dir != "" {
		_ = fs.RemoveAll(dir)
	}
}

// memoryLog is a SourceLog in memory, by split.
type memoryLog map[id.SplitID]id.Offset

func (l memoryLog) Offset(s id.SplitID) (id.Offset, error) { return l[s], nil }

func (l memoryLog) HandedOut(s id.SplitID, o id.Offset) error {
	l[s] = max(l[s], o)
	return nil
}
