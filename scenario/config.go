package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/faults"
	"weir/workloads"
)

// FaultMode says where the faults of a run come from.
type FaultMode uint8

const (
	RandomFaults  FaultMode = iota // crashes, failing and late operations, skew: drawn from the seed
	NoFaults                       // a calm run in the order of arrival
	PlannedFaults                  // Config.Plan, in the order and at the pace that the seed draws
	CrashSweep                     // Config.Victim crashes at the Config.Crash-th protocol or storage event
)

// Config is one combination of algorithm, state and workload with what happens
// to it. A Runner runs it for any number of seeds.
type Config struct {
	Algorithm *algorithms.Spec
	State     string // a name of state/catalog
	Sink      string // a name of external/sinks; "": what goes with the algorithm
	Workload  workloads.Workload
	// Version is that of the workload which the job begins as; 0: what its settings say, and 1 where
	// Plan or Operations upgrade one that they say nothing of.
	Version     int
	Parallelism int // 0: 2
	// Workers is how many workers the tasks live on; 0: DefaultWorkers.
	Workers int
	// Coordinators is how many coordinator processes there are; 0: 1, or 2 where Plan or
	// Operations have a failover. Of several the one leads that has the lease (LeaseConfig).
	Coordinators int
	// Splits is how many splits each source has; 0: drawn from the seed where faults
	// are, else as many as instances.
	Splits int
	// Groups is the number of key groups, not below Parallelism; 0: 16, and
	// state.DefaultGroups for [LiveJob].
	Groups int
	// From is what the job begins from; nil: it begins empty. Its splits are those of the savepoint.
	From *From
	// Given are the settings of the coordinator that are not drawn from the seed where faults are,
	// nor constants; the interval, which is virtual time, is drawn near DefaultInterval.
	Given  dataflow.Given
	Mutant dataflow.Mutant
	// Reorder lets every channel deliver in any order; only for algorithms that
	// declare it.
	Reorder bool

	Faults FaultMode
	Plan   faults.Plan
	// Operations are those that are drawn beside random faults: Rescale, Upgrade, Failover, Query, Savepoint,
	// StopSaved, Resume. A combination that cannot serve one has none of it.
	Operations []faults.Kind
	// Mild: nothing is drawn that a job may end for (writes that storage or the external store deny
	// or lose, restart strategies, fallback of jobs with a recovery line), nor how it ends. For
	// coordinators of test code, which have no answer to such.
	Mild   bool
	Crash  int          // CrashSweep: counts from 1
	Victim faults.Fault // CrashSweep: who; the zero value is worker 0

	// Oracles are those whose violations count; nil: all.
	Oracles []check.Oracle

	// Program is how the command that knows the combination is called; "": DefaultProgram.
	Program string

	// Record and Log keep the decisions and the events of a run.
	Record bool
}

// DefaultProgram is how the command is called that knows the catalogs.
const DefaultProgram = "go run ./cmd/sim"

// DefaultWorkers is the number of workers of a run unless it is given.
const DefaultWorkers = 3

// DefaultGroups is the number of key groups of a simulated job unless it is given.
const DefaultGroups = 16

// DefaultInterval is the interval between checkpoints unless it is given, in
// nanoseconds of virtual time; a small run takes about ten of them.
const DefaultInterval = 3_000_000

// counts tells whether the violations of an oracle count.
func (c *Config) counts(o check.Oracle) bool {
	return c.Oracles == nil || slices.Contains(c.Oracles, o)
}

// fit sets the graph's channels and returns why the algorithm cannot run it.
func (c *Config) fit(g *dataflow.Graph, settings *dataflow.Config) error {
	for i := range g.Edges {
		g.Edges[i].Reorders = c.Reorder
	}
	return catalog.Fit(c.Algorithm, g, settings)
}

// SinkName returns the name of the sink, also if it is not given.
func (c *Config) SinkName() string {
	if c.Sink == "" {
		return sinks.For(c.Algorithm.Properties()).Name
	}
	return c.Sink
}

// graph returns the job's graph in a version of its workload (0: the one that its settings
// say), the sink at its end, and what its output is worth; an error says what does not go together.
func (c *Config) graph(version, parallelism int, made sinks.Config) (*dataflow.Graph, sinks.Promise, error) {
	sink, err := sinks.Lookup(c.SinkName())
	if err != nil {
		return nil, sinks.Promise{}, err
	}
	if made.Key, err = workloads.KeyOf(c.Workload); err != nil && sink.Shows == sinks.Values {
		return nil, sinks.Promise{}, fmt.Errorf("%s: %w", c.Workload.Name(), &sinks.Refusal{Sink: sink.Name, Reason: err.Error(), Others: rowSinks()})
	}
	g, err := graphOf(c.Workload, version, parallelism, sink.Operator(made))
	if err != nil {
		return nil, sinks.Promise{}, err
	}
	if g == nil {
		return nil, sinks.Promise{}, fmt.Errorf("workload %s: Graph returned neither a graph nor an error", c.Workload.Name())
	}
	sink.Extend(g, made)
	promise, err := catalog.FitSink(c.Algorithm, sink, g)
	return g, promise, err
}

// Promise returns what the output of the combination is worth; the error, which
// wraps a *sinks.Refusal, that its algorithm cannot serve its sink.
func (c *Config) Promise() (sinks.Promise, error) {
	_, p, err := c.graph(0, 1, sinks.Config{})
	return p, err
}

// Refused returns why the algorithm cannot run the workload or serve the sink, by
// what each declares: the error wraps a *dataflow.Refusal or a *sinks.Refusal. Another
// error says what is wrong with the combination; nil: it runs.
func (c *Config) Refused() error {
	g, _, err := c.graph(0, 1, sinks.Config{})
	if err != nil {
		return err
	}
	settings := baseConfig()
	return c.fit(g, &settings)
}

// rowSinks returns the names of the sinks that take rows which are values of nothing.
func rowSinks() (names []string) {
	for _, s := range sinks.All() {
		if s.Shows != sinks.Values {
			names = append(names, s.Name)
		}
	}
	return names
}

// workers returns the number of workers.
func (c *Config) workers() int { return cmp.Or(c.Workers, DefaultWorkers) }

// PlanError says that a fault of a plan is about something that the job does not have.
type PlanError struct {
	Fault int // which one of Config.Plan, from 0; -1: Config.Victim
	Err   error
}

// Error returns the reason.
func (e *PlanError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *PlanError) Unwrap() error { return e.Err }

// possible reports a fault of a plan that hits, or waits for, what the job with so many tasks
// and channels does not have.
func (c *Config) possible(p faults.Plan, tasks, channels int) error {
	for i, f := range append([]faults.Fault{c.Victim}, p.Faults...) {
		if err := errors.Join(possible(&f, c.workers(), tasks, channels), c.standbyFor(&f)); err != nil {
			return &PlanError{i - 1, err}
		}
	}
	return nil
}

func possible(f *faults.Fault, workers, tasks, channels int) error {
	if (f.Target == faults.Worker || f.Target == faults.Control) && f.Worker >= workers {
		return fmt.Errorf("fault %s: the run has workers 0 to %d", f, workers-1)
	}
	if f.Target == faults.Link && int(f.Link) >= channels {
		return fmt.Errorf("fault %s: the job has channels 0 to %d", f, channels-1)
	}
	for i := range f.When.Steps {
		s := &f.When.Steps[i]
		if int(s.Task) >= tasks {
			return fmt.Errorf("fault %s waits for task %d: the job has tasks 0 to %d", f, s.Task, tasks-1)
		}
		if int(s.Channel) >= channels {
			return fmt.Errorf("fault %s waits for channel %s: the job has channels c0 to c%d", f, s.Channel, channels-1)
		}
	}
	return nil
}

// Command returns the command that repeats the run of a seed.
func (c *Config) Command(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s run --algorithm %s --state %s --sink %s --workload %s", cmp.Or(c.Program, DefaultProgram), c.Algorithm.Name, c.State, c.SinkName(), c.Workload.Name())
	for _, s := range c.Workload.Settings() {
		fmt.Fprintf(&b, " --set %s", s)
	}
	fmt.Fprintf(&b, " --seed %d", seed)
	if c.Parallelism != 0 {
		fmt.Fprintf(&b, " --parallelism %d", c.Parallelism)
	}
	if c.Workers != 0 {
		fmt.Fprintf(&b, " --workers %d", c.Workers)
	}
	if c.Coordinators != 0 {
		fmt.Fprintf(&b, " --coordinators %d", c.Coordinators)
	}
	if c.Splits != 0 {
		fmt.Fprintf(&b, " --splits %d", c.Splits)
	}
	b.WriteString(c.Given.Flags())
	if c.Reorder {
		b.WriteString(" --reorder")
	}
	if c.Groups != 0 {
		fmt.Fprintf(&b, " --groups %d", c.Groups)
	}
	for i, k := range c.Operations {
		b.WriteString([...]string{" --operations ", ","}[min(i, 1)] + k.String())
	}
	switch c.Faults {
	case RandomFaults:
	case NoFaults:
		b.WriteString(" --calm")
	case PlannedFaults:
		fmt.Fprintf(&b, " --plan '%s'", c.Plan)
	case CrashSweep:
		fmt.Fprintf(&b, " --crash %d", c.Crash)
		if c.Victim.Target == faults.Coordinator {
			b.WriteString(" --victim coordinator")
		} else if c.Victim.Worker != 0 {
			fmt.Fprintf(&b, " --victim worker=%d", c.Victim.Worker)
		}
	}
	if c.Mutant != "" {
		fmt.Fprintf(&b, " --mutant %s", c.Mutant)
	}
	b.WriteString(c.From.flags())
	return b.String()
}
