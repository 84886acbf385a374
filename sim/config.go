package sim

import (
	"errors"
	"fmt"

	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/sim/seed"
	"weir/state"
	"weir/trace"
)

// Nanos is a span of virtual time in nanoseconds.
type Nanos = int64

// Config describes one run. What it points to is used during the run only.
type Config struct {
	// Seed decides every draw, unless Replay is given.
	Seed uint64
	// Replay makes the run take its decisions from a tape.
	Replay *seed.Tape
	// Redraw, if not 0, draws what comes after the tape of Replay from this seed, which
	// is quiet otherwise.
	Redraw uint64
	// Record, if not nil, is emptied and gets every decision of the run.
	Record *seed.Tape

	Job *dataflow.Job
	// Storage is the substance of checkpoint storage: what an operation does when
	// it takes effect. nil: coordinator memory with its default limit, emptied
	// before each run.
	Storage state.Storage
	// External is the substance of the external store; make it report what becomes
	// visible to Sim.Committed. nil: a job without sinks.
	External dataflow.External
	// SourceLog keeps the offsets handed out. nil: kept in memory for the run.
	SourceLog SourceLog
	Observers []trace.Observer
	// Injector strikes with faults. nil: none.
	Injector Injector
	// Policy decides what the model leaves open. nil: [FIFO].
	Policy Policy
	Model  Model
	// Chooser says what happens next where Model.Order is free. nil: the tape does.
	Chooser Chooser

	// Workers is the number of workers, 0 for 2. Task i lives on worker
	// i modulo Workers unless Placement says otherwise.
	Workers   int
	Placement []int // worker by task, nil or one for each
	// Coordinators is the number of coordinator processes, 0 for 1. One is started again by
	// the simulator when it is gone; of several that one leads whose Candidate has the lease.
	Coordinators int
	// Candidate makes what campaigns in a process, if there are several; nonce is that of
	// the coordinator that it may become.
	Candidate func(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate
	// ClockError bounds, in millionths, by how much the clock of each of several coordinator
	// processes runs too fast or too slow, which is drawn. 0: they are right.
	ClockError int
	// LocalDisks gives every worker a simulated disk, handed to the state backend
	// of its tasks. With local recovery every worker has one.
	LocalDisks bool
	// Nonce is added to the number of a coordinator incarnation to tell its
	// writes from those of others: give each run over the same storage another one.
	Nonce uint64

	// MaxEvents and MaxTime end a run that does not end by itself; 0: 50 million
	// events, one hour of virtual time.
	MaxEvents int64
	MaxTime   Nanos
	// Interrupted, if not nil, is asked every few hundred events; true ends the
	// run with verdict Interrupted. It is for whoever waits for the run and must not
	// otherwise depend on it or touch it.
	Interrupted func() bool
	// Reshape returns the job as it goes on after an operation of the plan that changes it,
	// and has not changed it yet: with the same splits, over the same storage. Of the version that it
	// is it has the graph that it has. Observers see Rescaled next. nil: the job stays as it is, and an operation is an error.
	Reshape func(op *faults.Fault) (*dataflow.Job, error)
	// EndsSaved: the run ends when the job has ended with a savepoint, and nobody starts it again.
	EndsSaved bool
	// Reader reads keys in storage for whoever queries the job from outside. nil: nobody does, and a
	// query in the plan is an error.
	Reader Reader
	// Log, if not nil, is emptied and gets one entry per event.
	Log *EventLog
	// Poison overwrites recycled buffers, so that use after recycling shows.
	Poison bool
}

// SourceLog keeps how far each split was handed out; it survives every crash.
type SourceLog interface {
	Offset(s id.SplitID) (id.Offset, error)
	HandedOut(s id.SplitID, o id.Offset) error
}

// Injector watches the trace and says which faults are due; faults.Injector is one.
type Injector interface {
	trace.Observer
	// Next returns the next fault that is due, each once.
	Next() (faults.Fault, bool)
	// Advance tells that the clock has reached now.
	Advance(now int64)
	// Deadline returns the earliest time at which a fault can fall due without another event.
	Deadline() (at int64, ok bool)
}

// Model says how long things take and how often operations go wrong. All
// numbers are data; DefaultModel has usable ones.
type Model struct {
	// StepBase is the time of a turn without records; StepRecord is added per
	// record taken in or sent out.
	StepBase, StepRecord Nanos
	// WorkerSlow and LinkSlow multiply the times of a worker and the latency of a
	// channel; missing and zero entries are 1.
	WorkerSlow, LinkSlow []int
	// TurnJitter delays a turn.
	TurnJitter Nanos

	Link    Latency // of a buffer; credits and replies travel as fast
	Message Latency // between coordinator and task; messages may overtake each other
	Storage Operations
	Sink    Operations // on the external store

	// TransferSlice is the time of one slice of asynchronous work.
	TransferSlice Nanos
	// Detection is the time from a failure to the moment when survivors and
	// coordinator know; Restart the time a worker takes to come back once a plan
	// asks for it; CoordinatorRestart the time a coordinator is gone.
	Detection, Restart, CoordinatorRestart Latency

	Order Order
}

// Latency is a fixed time plus a jitter from 0 to Jitter that the policy draws.
type Latency struct{ Base, Jitter Nanos }

// Operations is a model of asynchronous operations: Latency to the place of
// effect and the same back, PerKiB more for each 1,024 bytes. Of every Of
// operations, on average, NotApplied fail without effect, Applied take effect
// and are reported as failed all the same, Late ones are reported as failed and
// take effect up to LateBy after that, and Torn ones (puts) leave a part.
type Operations struct {
	Latency
	PerKiB                          Nanos
	Of                              int
	NotApplied, Applied, Late, Torn int
	LateBy                          Nanos
}

// DefaultModel returns times of a small cluster and no failing operations.
func DefaultModel() Model {
	const us, ms = 1_000, 1_000_000
	return Model{
		StepBase: 20 * us, StepRecord: 40 * us, TurnJitter: 20 * us,
		Link:          Latency{50 * us, 50 * us},
		Message:       Latency{100 * us, 300 * us},
		Storage:       Operations{Latency: Latency{400 * us, 800 * us}, PerKiB: us, LateBy: 60 * ms},
		Sink:          Operations{Latency: Latency{200 * us, 400 * us}, PerKiB: us, LateBy: 60 * ms},
		TransferSlice: 20 * us,
		Detection:     Latency{2 * ms, 3 * ms}, Restart: Latency{1 * ms, 2 * ms}, CoordinatorRestart: Latency{2 * ms, 3 * ms},
	}
}

// Flaky returns the model with 1 of 25 storage and external operations failing
// with unknown outcome, in one of all the ways, and no torn writes.
func (m Model) Flaky() Model {
	for _, o := range []*Operations{&m.Storage, &m.Sink} {
		o.Of, o.NotApplied, o.Applied, o.Late = 100, 2, 1, 1
	}
	return m
}

func (o *Operations) validate(name string) error {
	bad := o.NotApplied + o.Applied + o.Late + o.Torn
	switch {
	case o.Base < 0 || o.Jitter < 0 || o.PerKiB < 0 || o.LateBy < 0:
		return fmt.Errorf("model: %s: a time is negative", name)
	case min(o.NotApplied, o.Applied, o.Late, o.Torn) < 0 || bad > 0 && bad >= o.Of:
		return fmt.Errorf("model: %s: %d of %d operations fail; the failing ones must be fewer than Of, or nothing ever succeeds", name, bad, o.Of)
	}
	return nil
}

// Validate reports the first setting that cannot work, and what to do.
func (c *Config) Validate() error {
	if c.Job == nil || c.Job.Graph == nil || c.Job.Algorithm == nil || c.Job.Backend == nil {
		return errors.New("the run has no job, or the job lacks graph, algorithm or state backend")
	}
	if c.Workers < 0 {
		return fmt.Errorf("workers: %d; use 1 or more, or 0 for the default", c.Workers)
	}
	if c.Coordinators > 1 && c.Candidate == nil {
		return fmt.Errorf("coordinators: %d, and nothing says which of them leads: give Candidate", c.Coordinators)
	}
	m := &c.Model
	for _, t := range []struct {
		name string
		v    Nanos
	}{
		{"step base", m.StepBase}, {"step record", m.StepRecord}, {"turn jitter", m.TurnJitter},
		{"link", m.Link.Base}, {"link jitter", m.Link.Jitter}, {"message", m.Message.Base}, {"message jitter", m.Message.Jitter},
		{"transfer slice", m.TransferSlice}, {"detection", m.Detection.Base}, {"restart", m.Restart.Base}, {"coordinator restart", m.CoordinatorRestart.Base},
	} {
		if t.v < 0 {
			return fmt.Errorf("model: %s: %d ns; a time cannot be negative", t.name, t.v)
		}
	}
	return errors.Join(c.Job.Validate(), m.Storage.validate("storage"), m.Sink.validate("sink"))
}

// workers returns the number of workers.
func (c *Config) workers() int {
	if c.Workers == 0 {
		return 2
	}
	return c.Workers
}

// place returns the worker of a task.
func (c *Config) place(task int) (int, error) {
	if c.Placement == nil {
		return task % c.workers(), nil
	}
	if task >= len(c.Placement) || c.Placement[task] < 0 || c.Placement[task] >= c.workers() {
		return 0, fmt.Errorf("placement: task %d has no worker below %d; give one for each task", task, c.workers())
	}
	return c.Placement[task], nil
}

func factor(list []int, i int) int64 {
	if i < len(list) && list[i] > 0 {
		return int64(list[i])
	}
	return 1
}
