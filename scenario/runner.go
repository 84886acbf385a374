package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/algorithms/coordinator"
	"weir/check"
	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/faults"
	"weir/id"
	"weir/sim"
	"weir/sim/seed"
	"weir/state"
	statecatalog "weir/state/catalog"
	"weir/state/storage"
	"weir/trace"
	"weir/workloads"
)

// Runner runs one combination for one seed after another, reusing memory. It is
// for one goroutine at a time.
type Runner struct {
	cfg     Config
	job     dataflow.Job
	sim     *sim.Sim
	memory  *storage.Memory
	state   statecatalog.Backend
	backend state.Backend
	jobs    []*job         // by width and number of splits, as they were needed
	leg     *job           // the one that runs, or ran last
	checker *check.Checker // of the run at hand
	origin  *check.Origin  // what the job begins from, as the oracles read it; nil: it begins empty
	swarm   *seed.Source
	tape    seed.Tape
	policy  sim.Random
	store   *external.Store
	random  sim.RandomFaults
	operate sim.RandomOperations
	first   int             // version of the workload that runs begin as, 0: the one that its settings say
	given   dataflow.Config // what it is where nothing is drawn
	// fallsBack: the job can go back to an older checkpoint.
	fallsBack bool
	// What calm runs need, and the twin that is asked about one that is slow.
	pace      pace
	paceKnown bool
	inputs    int     // of the task that has most: in a wide job every barrier and end takes so many turns
	calm      bool    // draw everything as ever, but no fault
	twin      *Runner // the calm one, once a run was suspected
	Twins     int     // how many were
	next      *Runner // of the job that began from what the one of the run at hand had left; nil: none has
	begun     int64   // when that did
	// Interrupted, if not nil, is asked every few hundred events from the goroutine
	// of Run; true ends the run. See sim.Config.
	Interrupted func() bool
	// MostEvents, if not 0, is how many events a run may take before it counts as one that
	// never ends, instead of so many that none has ever needed them.
	MostEvents int64
	// observers beside the checker, for one run.
	Observers []trace.Observer
	// Chooser says what happens next in runs whose order is free; nil: their tape does.
	Chooser sim.Chooser
	log     *sim.EventLog // of an audit
}

// New prepares a combination; an error says what cannot be combined, and why.
func New(c Config) (*Runner, error) {
	if c.Parallelism == 0 {
		c.Parallelism = defaultParallelism
	}
	if c.Parallelism < 0 || c.Splits < 0 || c.Workers < 0 {
		return nil, fmt.Errorf("parallelism %d, %d splits and %d workers; each must be at least 1", c.Parallelism, c.Splits, c.Workers)
	}
	if err := c.Workload.Validate(); err != nil {
		return nil, err
	}
	if n := c.Workload.Events(); n < 0 {
		return nil, fmt.Errorf("workload %s: Events returned %d, which is no number of records", c.Workload.Name(), n)
	}
	if err := errors.Join(c.Plan.Validate(), endsOnce(c.Plan)); err != nil {
		return nil, err
	}
	if err := c.setCoordinators(); err != nil {
		return nil, err
	}
	c.Sink = c.SinkName()
	r := &Runner{cfg: c, sim: sim.New(), memory: storage.NewMemory(0), swarm: seed.New(0)}
	var err error
	if r.state, err = statecatalog.Lookup(c.State); err != nil {
		return nil, err
	}
	if r.backend, err = r.state.New(statecatalog.Settings{Deterministic: true}); err != nil {
		return nil, err
	}
	r.job = dataflow.Job{Name: c.Workload.Name(), Algorithm: c.Algorithm, Backend: r.backend, Config: baseConfig()}
	if err := c.goOn(); err != nil {
		return nil, err
	}
	if c.Groups != 0 {
		r.job.Config.Groups = c.Groups
	}
	if err := errors.Join(c.checkGiven(), c.Given.Into(&r.job.Config)); err != nil {
		return nil, err
	}
	if err := errors.Join(c.leavesEnough(&r.job.Config), ends(c.Given, &r.job.Config)); err != nil {
		return nil, err
	}
	r.cfg, r.given, r.first = c, r.job.Config, c.FirstVersion()
	if c.From != nil {
		j, err := r.jobOf(width{all: c.Parallelism, version: r.first}, cmp.Or(c.Splits, c.Parallelism))
		if err == nil {
			dry := r.job
			dry.Graph = j.graph
			err = c.From.fits(&dry, j.tasks)
		}
		if err == nil {
			r.origin, err = c.From.judged()
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.use(cmp.Or(c.Splits, c.Parallelism)); err != nil {
		return nil, err
	}
	if c.From != nil {
		r.job.From = c.From.Origin()
	}
	first, _, _ := leaveBehind(c.Plan)
	planned, err := r.plannedJobs(c.Plan)
	if err != nil {
		return nil, err
	}
	tasks, most := 0, 0 // of all legs: a plan may name what only one of them has
	for _, j := range planned {
		r.inputs = max(r.inputs, j.widest())
		tasks, most = max(tasks, len(j.tasks)), max(most, j.channels())
	}
	if err := c.possible(first, tasks, most); err != nil {
		return nil, err
	}
	channels := r.leg.channels()
	if r.store, err = external.OpenStore(external.StoreConfig{Mutant: c.Mutant, OnCommit: r.sim.Committed}); err != nil {
		return nil, err
	}
	if r.pace, r.paceKnown, err = paceOf(paceTable, c.Algorithm.Name, c.State, c.Workload.Name()); err != nil {
		return nil, err
	}
	r.paceKnown = r.paceKnown && c.Sink == sinks.For(c.Algorithm.Properties()).Name // the table is of those
	sink, err := sinks.Lookup(c.Sink)
	if err != nil {
		return nil, err
	}
	r.random = sim.RandomFaults{Workers: c.workers(), Channels: channels, Horizon: calmLength, Damage: true, Denies: !c.Mild}
	promises := c.Algorithm.Properties()
	r.fallsBack = (!c.Mild || promises.HasRounds()) && fallsBack(promises, sink.Commits)
	if sink.Commits != trace.NoOp {
		r.random.Commit = faults.OpName(sink.Commits)
	}
	if sink.Writes != trace.NoOp {
		r.random.Write = faults.OpName(sink.Writes)
	}
	_, r.random.Stops = c.Algorithm.NewCoordinator(&r.job.Config).(interface{ Stop() })
	r.operate = r.operations()
	return r, nil
}

const defaultParallelism = 2

// Close frees what the runner holds.
func (r *Runner) Close() {
	if r.twin != nil {
		r.twin.Close()
	}
	r.endNext()
	if c, ok := r.backend.(interface{ Close() }); ok {
		c.Close()
	}
}

// Tasks returns the tasks of the job, in the order of their numbers: of the graph that the
// run at hand has at the moment, or had at its end.
func (r *Runner) Tasks() []dataflow.TaskInfo {
	if r.next != nil {
		return r.next.Tasks()
	}
	return r.leg.tasks
}

// WorkerOf returns the worker of a run on which a task lives.
func (r *Runner) WorkerOf(t id.TaskID) int { return int(t) % r.cfg.workers() }

// Violations returns what the oracles have found so far in the run at hand. Observers
// stand behind them: one that sees a violation appear has the event that showed it.
func (r *Runner) Violations() []check.Violation {
	if r.next != nil {
		return slices.Concat(r.checker.Violations(), shown(r.next.Violations(), r.begun))
	}
	return r.checker.Violations()
}

// CrashAt sets Config.Crash for the runs to come.
func (r *Runner) CrashAt(k int) { r.cfg.Crash = k }

// smallChunk makes the transactions of a simulated run so large that they are
// written in several chunks, which then fail, repeat and come late.
const smallChunk = 128

func baseConfig() dataflow.Config {
	c := dataflow.DefaultConfig()
	c.BatchTimeout, c.Groups = 0, DefaultGroups
	c.HashContents, c.CheckState = true, true
	k := &c.Checkpoint
	k.Timeout, k.Tolerated, k.Interval = 2e9, -1, DefaultInterval
	return c
}

const defaultTimersPerTurn = 64

// draw sets what a seed decides about the job and the world around it: sizes
// of batches and queues, settings of the coordinator, skew, failing operations.
// Every seed is another kind of run, so that a mistake that needs small queues
// or slow links finds its seed.
func (r *Runner) draw(seedNumber uint64) sim.Config {
	r.swarm.Reset(seedNumber)
	d := r.swarm.Stream("swarm")
	c := &r.job.Config
	groups := c.Groups
	*c = baseConfig()
	c.Groups, c.Mutant = groups, r.cfg.Mutant
	c.BatchRecords = 1 + d.Draw(12)
	c.BatchBytes = 4096
	if b := r.swarm.Stream("batch.bytes"); b.Chance(1, 8) {
		c.BatchBytes = 64 + b.Draw(192) // a few records fill it
	}
	c.SourceBatch = 1 + d.Draw(12)
	c.QueueBuffers = 1 + d.Draw(4)
	c.Credits = 1 + d.Draw(4)
	if d.Chance(1, 8) {
		c.BatchTimeout = dataflow.Nanos(d.Range(10_000, 400_000))
	} else {
		c.BatchTimeout = 0
	}
	k := &c.Checkpoint
	k.Interval = dataflow.Nanos(DefaultInterval/2 + d.Range(0, DefaultInterval))
	r.drawInterval(k)
	k.MaxConcurrent = 1 + d.Draw(2)
	r.drawConcurrent(k)
	k.AlignmentTimeout = drawAlignment(r.swarm.Stream("alignment"))
	k.Retain = 1 + d.Draw(3)
	k.MinPause = 0
	if d.Chance(1, 4) {
		k.MinPause = k.Interval / 2
	}
	r.drawFailures(k)
	r.drawEnd(k)
	r.drawRestart(&c.Restart)
	_ = r.cfg.Given.Into(c) // New has tried
	cfg := r.world(seedNumber)
	r.skew(d, &cfg)
	c.TimersPerTurn = defaultTimersPerTurn
	if d.Chance(1, 2) {
		c.TimersPerTurn = 1 + d.Draw(4) // so few that a barrier finds timers left
	}
	return cfg
}

// drawAlignment draws how long a barrier waits before it overtakes: in one run
// of four each, longer than any run, not at all, and twice for times in between, after
// which some have waited long enough and others not.
func drawAlignment(d *seed.Stream) dataflow.Nanos {
	switch d.Draw(4) {
	case 0:
		return 1e12
	case 1:
		return 0
	default:
		return dataflow.Nanos(d.Range(1, DefaultInterval))
	}
}

// mostEvents is how many events a run may take before it counts as one that
// never ends: a constant, and what connections, barriers and ends take on every
// channel of a large job, as often as crashes begin it anew.
func (r *Runner) mostEvents() int64 {
	return cmp.Or(r.MostEvents, 3_000_000+100*int64(r.random.Channels))
}

// skew makes some workers and links slow, so that barriers come apart.
func (r *Runner) skew(d *seed.Stream, cfg *sim.Config) {
	m := &cfg.Model
	if d.Chance(1, 2) {
		m.WorkerSlow = make([]int, cfg.Workers)
		m.WorkerSlow[d.Draw(cfg.Workers)] = 2 + d.Draw(8)
	}
	if d.Chance(1, 2) {
		m.LinkSlow = make([]int, 64)
		for range 1 + d.Draw(3) {
			m.LinkSlow[d.Draw(len(m.LinkSlow)/4)] = 2 + d.Draw(30)
		}
	}
	if r.cfg.Faults == RandomFaults && d.Chance(2, 3) {
		cfg.Model = m.Flaky()
	}
}

// model is the simulated world: sources that take about ten intervals for a
// small input, and storage slower than links.
func model() sim.Model {
	const us = 1_000
	m := sim.DefaultModel()
	m.StepBase, m.StepRecord = 50*us, 100*us
	m.TurnJitter = 200 * us
	return m
}

// calmLength is about how long a small run without faults takes.
const calmLength = 20_000_000

// plan returns the faults of a run.
func (r *Runner) plan() faults.Plan {
	if r.calm {
		return faults.Plan{}
	}
	switch r.cfg.Faults {
	case RandomFaults:
		r.random.Tolerates = r.job.Config.Checkpoint.Tolerated >= 0
		r.random.Timeout, r.random.Fallback = int64(r.shortTimeout()), r.job.Config.Checkpoint.Fallback
		p := r.random.Plan(r.swarm)
		p.Faults = append(p.Faults, r.operate.Draw(r.swarm)...)
		return p
	case PlannedFaults:
		return r.cfg.Plan
	case CrashSweep:
		v := r.cfg.Victim
		if v.Kind == 0 {
			v = faults.Fault{Kind: faults.Crash, Target: faults.Worker}
		}
		return faults.CrashAt(v, r.cfg.Crash, faults.SweepEvents())
	default:
		return faults.Plan{}
	}
}

// Run runs the combination with one seed. The outcome is valid until the next run.
func (r *Runner) Run(seedNumber uint64) *Outcome {
	cfg := r.draw(seedNumber)
	return r.run(cfg, r.drawn(&cfg))
}

// drawn is what the seed of cfg decides beside the run itself.
func (r *Runner) drawn(cfg *sim.Config) Drawn {
	return Drawn{Settings: Settings{r.job.Config, cfg.Model}, Splits: r.drawSplits(), Plan: r.plan()}
}

// outgrown is how many events of one run make a checker too large to be kept: it holds every
// restart, and those of a job that restarts for ever are some ten megabytes. Hardly any run that goes on has half of it.
const outgrown = 20_000

// run makes one run of what was drawn.
func (r *Runner) run(cfg sim.Config, d Drawn) *Outcome {
	seedNumber := cfg.Seed
	if err := r.use(d.Splits); err != nil {
		return &Outcome{Config: &r.cfg, Seed: seedNumber, Kind: Broken, Err: err}
	}
	begun := r.leg
	r.endNext()
	r.memory.Reset(0)
	if r.cfg.Faults == NoFaults {
		cfg.Policy = sim.FIFO{}
	}
	first, next, rest := leaveBehind(d.Plan)
	injector := faults.NewInjector(first)
	cfg.Injector, cfg.EndsSaved = injector, next != nil
	cfg.Interrupted, cfg.Chooser, cfg.Reshape = r.Interrupted, r.Chooser, r.legs(first)
	cfg.Log = r.log
	cfg.Reader = r.readerOf(first)
	r.store.Reset()
	if err := r.cfg.From.into(r.memory, r.store); err != nil {
		return &Outcome{Config: &r.cfg, Seed: seedNumber, Kind: Broken, Err: err}
	}
	cfg.External = r.store
	r.checker.Reset()
	if r.job.Config.Checkpoint.Fallback {
		r.checker.MayFallBack()
	}
	if outOfBounds(&d.Plan) {
		r.checker.MayLeadTwice()
	}
	if r.job.Config.Checkpoint.OnCancel == dataflow.DeleteOnCancel {
		r.checker.MayLeaveNothing()
	}
	if most, bounded := r.mayGiveUp(); bounded {
		r.checker.MayGiveUp(most)
	}
	if d.Settings.Model.Order.Free == 0 { // else time counts steps
		r.checker.SetPace(r.suspicion())
	}
	cfg.Observers = append([]trace.Observer{r.checker}, r.Observers...)
	d.Decisions = nil
	if r.cfg.Record {
		cfg.Record, d.Decisions = &r.tape, &r.tape
	}
	res := r.sim.Run(cfg)
	if res.Events > outgrown {
		begun.checker = nil
	}
	if res.Verdict == sim.Interrupted {
		return r.interrupted(seedNumber)
	}
	end := check.End{Time: res.Virtual, Cancelled: res.Cancelled, Left: res.EndedWith != 0}
	if res.Verdict != sim.Done {
		end.Err, end.GaveUp = res.Err, errors.Is(res.Err, coordinator.ErrGaveUp)
	}
	o := &Outcome{Config: &r.cfg, Seed: seedNumber, Splits: d.Splits, Result: res, Report: r.checker.Finish(end), Plan: d.Plan, drawn: d, waiting: injector.Pending(), rows: r.checker.Rows}
	if err := r.acquit(o); errors.Is(err, errInterrupted) {
		return r.interrupted(seedNumber)
	} else if err != nil {
		return &Outcome{Config: &r.cfg, Seed: seedNumber, Kind: Broken, Err: err}
	}
	for x := range check.Oracles {
		if !r.cfg.counts(x) {
			o.Report.Acquit(x)
		}
	}
	o.classify()
	if next == nil {
		return o
	}
	if o.Kind == Fine && res.EndedWith != 0 {
		return r.resume(o, &d, next, rest)
	}
	o.waiting = slices.Concat(o.waiting, []faults.Fault{*next}, rest.Faults)
	return o
}

// mayGiveUp returns how many failures the restart strategy of the run answers for sure, if it may
// end the job with the next one. The one of most jobs may not: nothing that is drawn is mended by
// that.
func (r *Runner) mayGiveUp() (failures int, bounded bool) {
	c := &r.job.Config.Restart
	if c.Strategy == dataflow.RestartProgress {
		return 0, false
	}
	return c.Allows()
}

// errInterrupted: the twin of a suspected run was interrupted.
var errInterrupted = errors.New("interrupted")

func (r *Runner) interrupted(seedNumber uint64) *Outcome {
	return &Outcome{Config: &r.cfg, Seed: seedNumber, Kind: Interrupted, Err: errInterrupted}
}

// Outcome is what came of one run. One that was interrupted, or could not be
// made, has neither a Result nor a Report.
type Outcome struct {
	Config  *Config
	Seed    uint64
	Splits  int // of each source
	Kind    Kind
	Err     error // Broken: why
	Result  sim.Result
	Report  *check.Report
	Plan    faults.Plan
	drawn   Drawn
	waiting []faults.Fault // of the plan: the run ended before them
	rows    func() [][]byte
	hasty   bool // the job got nowhere over rounds that take a calm job too long too
}

// Struck reports whether at least one fault of the plan happened.
func (o *Outcome) Struck() bool { return len(o.waiting) < len(o.Plan.Faults) }

// NotStruck returns the faults of the plan that changed nothing: the run ended
// before them, what they were for was gone, or no operation came that they match.
func (o *Outcome) NotStruck() []faults.Fault { return slices.Concat(o.waiting, o.Result.Missed) }

// Kind is the verdict on a run; the larger the worse.
type Kind uint8

const (
	Fine        Kind = iota
	Interrupted      // ended by Runner.Interrupted: not judged, and to be counted nowhere
	Broken           // the run could not be made: an error of the setting
	Crashed          // the code under test panicked
	NoProgress       // the job did not end
	Unsafe           // a promise was broken
)

// String returns the verdict in words.
func (k Kind) String() string {
	return [...]string{"ok", "interrupted", "error", "panic", "no progress", "safety violation"}[k]
}

// ExitCode returns the exit status of a command that ends with this verdict.
func (k Kind) ExitCode() int { return [...]int{0, 1, 1, 3, 4, 5}[k] }

func (o *Outcome) classify() {
	switch {
	case o.Result.Verdict == sim.Panicked:
		o.Kind, o.Err = Crashed, o.Result.Err
	case !o.Report.Safe():
		o.Kind = Unsafe
	case o.GaveUp() && o.Config.Faults == RandomFaults:
		o.Kind = Fine
	case o.GaveUp():
		o.Kind, o.Err = Broken, o.WhyGaveUp()
	case o.Result.Verdict == sim.NoProgress, o.Report.Counts[check.Progress] > 0:
		o.Kind, o.Err = NoProgress, o.Result.Err
	case o.Result.Verdict == sim.Failed:
		o.Kind, o.Err = Broken, o.Result.Err
	default:
		o.Kind = Fine
	}
}

// GaveUp reports that the job failed with an error, and may, since a fault destroyed
// what it needed to go on, the very thing that the error names, so that no mistake hides
// behind damage that it has nothing to do with; or its restart strategy answers no more failures. Or
// it would have, and its strategy answers any number of them.
func (o *Outcome) GaveUp() bool {
	return o.Result.Verdict == sim.Failed && (o.givenUp() || o.destroyed(o.Result.Err)) || o.hopeless() || o.hasty
}

// hopeless reports that the job restarts for ever, as its restart strategy has it, and that whatever
// its tasks fail of is what faults have destroyed: another strategy would have given up.
func (o *Outcome) hopeless() bool {
	c := &o.drawn.Settings.Job.Restart
	if _, bounded := c.Allows(); bounded && c.Strategy != dataflow.RestartFailureRate {
		return false
	}
	return o.Result.Verdict == sim.NoProgress && len(o.Result.Recurring) > 0 && !slices.ContainsFunc(o.Result.Recurring, func(err error) bool { return !o.destroyed(err) })
}

// destroyed reports whether an error names what a fault has destroyed.
func (o *Outcome) destroyed(err error) bool {
	return slices.ContainsFunc(o.Result.Destroyed, func(what string) bool { return named(err.Error(), what) })
}

// WhyGaveUp is why a job gave up.
func (o *Outcome) WhyGaveUp() error {
	if o.hopeless() {
		return fmt.Errorf("the job restarts for ever, as its restart strategy has it, and cannot succeed: %w", o.Result.Recurring[0])
	}
	return o.Result.Err
}

// givenUp reports that a restart strategy has ended the job that may.
func (o *Outcome) givenUp() bool {
	return errors.Is(o.Result.Err, coordinator.ErrGaveUp) && o.drawn.Settings.Job.Restart.Strategy != dataflow.RestartProgress
}

// named reports whether a text names something: not only something longer that begins so.
func named(text, what string) bool {
	for {
		_, behind, found := strings.Cut(text, what)
		if !found {
			return false
		}
		const digits = "0123456789"
		longer := behind != "" && (strings.ContainsAny(behind[:1], digits+"/") || len(behind) > 1 && behind[0] == '.' && strings.ContainsAny(behind[1:2], digits))
		if !longer {
			return true
		}
		text = behind
	}
}

// Whole reports that the output is all of the answer and that all of what is promised of it
// holds: no damage has ended the job, or had it go back behind what was visible, and nobody
// has stopped it for good.
func (o *Outcome) Whole() bool {
	return o.Result.Verdict == sim.Done && !o.Result.Cancelled && (o.Result.EndedWith == 0 || o.Result.Resumed > 0) && o.Report.FellBack == 0
}

// Digest returns the SHA-256 of the committed output in canonical form.
func (o *Outcome) Digest() string { return workloads.Digest(o.rows()) }

// Violation returns the violation that the verdict is about, the first of its
// kind; nil if no oracle saw one.
func (o *Outcome) Violation() *check.Violation {
	if o.Report == nil || o.Kind != Unsafe && o.Kind != NoProgress {
		return nil
	}
	for i := range o.Report.Violations {
		if v := &o.Report.Violations[i]; (v.Oracle == check.Progress) == (o.Kind == NoProgress) {
			return v
		}
	}
	return nil
}

// Why returns the first reason of a verdict that is not Fine.
func (o *Outcome) Why() string {
	if o.Kind == Fine {
		return ""
	}
	if v := o.Violation(); v != nil && o.Kind == Unsafe {
		return v.String()
	}
	if o.Err != nil {
		return firstLine(o.Err.Error())
	}
	if len(o.Report.Violations) > 0 {
		return o.Report.Violations[0].String()
	}
	return o.Kind.String()
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// Checkpoints counts what was completed: job-wide checkpoints, or, without
// rounds, snapshots that reached the line of a total failure.
func (o *Outcome) Checkpoints() int {
	if n := o.Report.Checkpoints; n > 0 {
		return n
	}
	return int(o.Result.Counts[trace.LineAdvanced])
}
