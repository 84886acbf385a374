package live

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/live/recording"
	"weir/state"
	"weir/trace"
)

// Config is a job and the world it runs in. Job and Storage are required.
type Config struct {
	Job *dataflow.Job
	// Storage is where checkpoints stand. A job started on a storage that holds
	// checkpoints of it goes on from the newest one. Safe for concurrent use.
	Storage state.Storage
	// External is the store that sinks write to; required if the graph has a
	// sink that issues operations. One goroutine uses it, in the order in which
	// operations were issued; a store that is a Batcher gets all that wait at once.
	External dataflow.External
	// Output, if not nil, is bound to the job by Start.
	Output *Output
	// SourceLog keeps how far each split was handed out; nil: in the
	// memory of this process.
	SourceLog SourceLog
	// FS and Dir are the file system and directory for local state, passed to
	// the backend; every incarnation gets a directory of its own in Dir/tasks. If
	// FS has a method RemoveAll(string) error, what an ended incarnation or an
	// earlier process left there is removed.
	FS  any
	Dir string
	// Observer sees the events of the run, serialised; nil: nobody looks. Time is
	// in nanoseconds since Epoch.
	Observer trace.Observer
	// Checkpoints, if not nil, is filled with the parts of every checkpoint.
	Checkpoints *CheckpointLog
	// Recorder, if not nil, gets everything that package recording needs to
	// replay the run; Job.Config.HashContents must be on.
	Recorder *recording.Writer
	// Pacer says when sources may emit; nil: as fast as they can.
	Pacer Pacer
	// Workers is the number of workers that tasks are spread over (instance i of
	// every vertex is on worker i mod Workers), for KillWorker and the trace; 0: 1.
	Workers int
	// Coordinators is the number of coordinator processes, 0 for 1. Of several the one leads
	// whose Candidate has the lease, and tasks go on while nobody does. They share the
	// control loop, and nothing else but storage.
	Coordinators int
	// Candidate makes what campaigns in a process, if there are several; nonce is that of
	// the coordinator that it may become.
	Candidate func(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate
	// StorageWorkers bounds the storage operations under way at once; 0: 16. Transfers bounds the state
	// transfers; 0: 8. Outstanding bounds what one task may have under way before
	// it gets no turns; 0: 256.
	StorageWorkers, Transfers, Outstanding int
	// RetryPause is the time before a task or the coordinator hears of an
	// operation with unknown outcome, which it then repeats; 0: 10 ms.
	RetryPause time.Duration
	// Epoch is the zero of the job's clock; zero: the start. A later process of
	// the same job that is given the same Epoch goes on with the same clock.
	Epoch time.Time
	// Seed is that of the random numbers of operators.
	Seed uint64
}

// SourceLog is a replayable source as the driver sees it: it keeps how far each
// split was handed out. The driver calls it from one goroutine at a time.
type SourceLog interface {
	// Offset returns how far a split was handed out, at most.
	Offset(s id.SplitID) (id.Offset, error)
	// HandedOut says that records up to o have been handed out. It is called once
	// per source batch, on the processing path; a lower offset is to be ignored.
	HandedOut(s id.SplitID, o id.Offset) error
}

// Batcher is an external store that carries several operations out at once,
// with one synchronisation for all: outcomes are appended to dst, in order.
type Batcher interface {
	DoBatch(ops []dataflow.ExtOp, dst []dataflow.ExtStatus) []dataflow.ExtStatus
}

// Breakable is an external store that may fail for good, as one does whose disk
// is full: all its outcomes are dataflow.ExtFailed from then on, and Err says
// why. Repeating operations would never end, so the job ends with that error. Err
// is called by the goroutine that carries the operations out.
type Breakable interface {
	Err() error
}

// Output takes what becomes visible in an external store into the trace of the
// job: give Committed to the store as its callback, and the Output to the job.
// The zero value is ready for use.
type Output struct{ job atomic.Pointer[Job] }

// Committed reports rows (in the framing of dataflow.AppendRecord, borrowed)
// that became visible as part of transaction txn of a task. Safe for concurrent use.
func (o *Output) Committed(t id.TaskID, txn id.Epoch, rows []byte, count int) {
	if j := o.job.Load(); j != nil && j.observers.wants.Has(trace.OutputCommitted) {
		j.observers.observe(&trace.Event{Time: j.clock.now(), Kind: trace.OutputCommitted, Task: t, Channel: trace.NoChannel, Epoch: txn, To: uint64(count), Data: rows})
	}
}

// Pacer decides when sources may emit: the load generator of an open-loop
// measurement. A source that has fallen behind is let emit everything that is
// due, at once; nothing is skipped and no intended time moves, so that a stall
// is charged to every record it delays. The operator learns the intended time of
// a record the same way as the pacer, from its offset. Safe for concurrent use.
type Pacer interface {
	// Allow returns how many records of a split of the source (its index in the
	// vertex), from offset on, are due at now; if none, when to ask again. Both times
	// are nanoseconds since Config.Epoch. n may exceed the source's batch.
	Allow(source *dataflow.TaskInfo, split int, offset id.Offset, now int64) (n int, next int64)
}

// Rate is the Pacer of a constant offered load: record k of split p of P is
// intended at Start + (k*P + p) * 1e9/PerSecond, rounded up.
type Rate struct {
	Start     int64 // nanoseconds since Config.Epoch
	PerSecond int64 // records per second over all splits; above 0
	// Quantum is the least time between two batches of a source: it trades
	// latency for fewer wakeups. 0: none.
	Quantum dataflow.Nanos
}

// Intended returns the intended time of the record at offset o of split p of parts.
func (r *Rate) Intended(o id.Offset, p, parts int) int64 {
	seq := uint64(o)*uint64(parts) + uint64(p)
	per := uint64(r.PerSecond)
	return r.Start + int64(seq/per*1e9+(seq%per*1e9+per-1)/per)
}

// Allow implements Pacer.
func (r *Rate) Allow(s *dataflow.TaskInfo, split int, o id.Offset, now int64) (n int, next int64) {
	first := r.Intended(o, split, s.Splits)
	if now < first {
		return 0, max(first, now+int64(r.Quantum))
	}
	elapsed := uint64(now - r.Start)
	seqs := elapsed/1e9*uint64(r.PerSecond) + elapsed%1e9*uint64(r.PerSecond)/1e9 // records intended after the first
	due := (seqs - uint64(split)) / uint64(s.Splits)
	return int(due) - int(o) + 1, 0
}

func (c *Config) validate() error {
	switch {
	case c.Job == nil || c.Job.Graph == nil || c.Job.Algorithm == nil || c.Job.Backend == nil:
		return errors.New("live: the job needs a graph, an algorithm and a backend")
	case c.Storage == nil:
		return errors.New("live: no checkpoint storage (Config.Storage)")
	case c.Coordinators > 1 && c.Candidate == nil:
		return fmt.Errorf("live: coordinators: %d, and nothing says which of them leads (Config.Candidate)", c.Coordinators)
	case c.Recorder != nil && !c.Job.Config.HashContents:
		return errors.New("live: recording needs Job.Config.HashContents: without it there is nothing to compare a replay with")
	}
	if err := c.validateCopies(); err != nil {
		return err
	}
	for _, b := range []struct {
		name string
		v    int
	}{{"workers", c.Workers}, {"coordinators", c.Coordinators}, {"storage workers", c.StorageWorkers}, {"transfers", c.Transfers}, {"outstanding operations", c.Outstanding}} {
		if b.v < 0 {
			return fmt.Errorf("live: %s: %d; it must be at least 1, or 0 for the default", b.name, b.v)
		}
	}
	if r, ok := c.Pacer.(*Rate); ok && r.PerSecond < 1 {
		return fmt.Errorf("live: a rate of %d records per second; it must be at least 1", r.PerSecond)
	}
	return c.Job.Validate()
}

// validateCopies returns an error if local recovery is asked for and cannot be.
func (c *Config) validateCopies() error {
	switch {
	case !c.Job.Config.Checkpoint.LocalRecovery:
	case c.FS == nil || c.Dir == "":
		return errors.New("live: checkpoint.local-recovery keeps copies of snapshots in Config.Dir of Config.FS: give both")
	case c.Recorder != nil:
		return errors.New("live: checkpoint.local-recovery and a recording (Config.Recorder) do not go together: what a task read from local copies is not recorded")
	}
	return nil
}

func orDefault(v, standard int) int {
	if v == 0 {
		return standard
	}
	return v
}
