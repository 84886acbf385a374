package simtest

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"weir/algorithms"
	algorithmcatalog "weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/faults"
	"weir/scenario"
	statecatalog "weir/state/catalog"
	"weir/workloads"
)

// Option changes what Check and Find do.
type Option func(*suite)

// suite is what a job is to go through.
type suite struct {
	algorithms  []*algorithms.Spec
	states      []string
	sinks       []string // "": what goes with the algorithm
	plans       []string
	splits      []int
	oracles     []check.Oracle
	runs        int
	parallelism int
	traces      string
}

// Algorithms are those that the job runs under, one's own too; else all of the
// catalog that can run it.
func Algorithms(all ...*algorithms.Spec) Option { return func(s *suite) { s.algorithms = all } }

// States names the state backends; else heap, and tables on a disk: all of the
// catalog.
func States(names ...string) Option { return func(s *suite) { s.states = names } }

// Sinks names the sinks; else the one that goes with each algorithm.
func Sinks(names ...string) Option { return func(s *suite) { s.sinks = names } }

// Plans are what goes wrong, as text: (plan (crash worker=1 at (nth 7
// barrier-received))). Else every seed draws crashes of workers and coordinator,
// failing and late operations, and skew. A plan that never strikes fails the check.
func Plans(plans ...string) Option { return func(s *suite) { s.plans = plans } }

// Splits are how many splits each source has: every combination runs with each
// number, from 1. Else every seed draws one, and under Plans a source has as many as it
// has instances.
func Splits(each ...int) Option { return func(s *suite) { s.splits = each } }

// Oracles are those whose violations count; else all.
func Oracles(all ...check.Oracle) Option { return func(s *suite) { s.oracles = all } }

// Runs is the number of seeds of each combination, which begin at 1; else 20. Fewer
// than one is refused. The flags -seed and -seeds have the last word.
func Runs(n int) Option { return func(s *suite) { s.runs = n } }

// Parallelism is the number of tasks of each vertex that goes by it; else 2.
func Parallelism(n int) Option { return func(s *suite) { s.parallelism = n } }

// Traces is the directory in which the trace of a failure is left; else the one
// for temporary files.
func Traces(dir string) Option { return func(s *suite) { s.traces = dir } }

func newSuite(options []Option) *suite {
	s := &suite{algorithms: algorithmcatalog.All(), states: statecatalog.Names(), sinks: []string{""}, runs: 20, traces: os.TempDir()}
	for _, o := range options {
		o(s)
	}
	return s
}

// combinations returns what the suite asks for, each with a name, and why others
// cannot be run.
func (s *suite) combinations(w workloads.Workload) (cfgs []scenario.Config, names, refused []string, err error) {
	if s.runs < 1 {
		return nil, nil, nil, fmt.Errorf("simtest.Runs(%d): a check without runs shows nothing: give at least 1", s.runs)
	}
	for _, n := range s.splits {
		if n < 1 {
			return nil, nil, nil, fmt.Errorf("simtest.Splits(%d): a source has at least 1 split", n)
		}
	}
	plans := make([]faults.Plan, max(len(s.plans), 1))
	for i, text := range s.plans {
		if plans[i], err = faults.Parse(text); err != nil {
			return nil, nil, nil, fmt.Errorf("plan %q: %w", text, err)
		}
	}
	for _, a := range s.algorithms {
		for _, state := range s.states {
			for _, sink := range s.sinks {
				c := scenario.Config{Algorithm: a, State: state, Sink: sink, Workload: w, Parallelism: s.parallelism, Oracles: s.oracles}
				name := strings.Join([]string{a.Name, c.State, c.SinkName()}, ",")
				switch err := runnable(c); {
				case isRefusal(err):
					refused = append(refused, err.Error())
					continue
				case err != nil:
					return nil, nil, nil, fmt.Errorf("%s: %w", name, err)
				}
				cfgs, names = s.variants(cfgs, names, c, name, plans)
			}
		}
	}
	if len(cfgs) == 0 {
		return nil, nil, nil, fmt.Errorf("nothing can be run: %s", strings.Join(refused, "; "))
	}
	return cfgs, names, refused, nil
}

// variants appends a combination under each plan with each number of splits.
func (s *suite) variants(cfgs []scenario.Config, names []string, c scenario.Config, name string, plans []faults.Plan) ([]scenario.Config, []string) {
	splits := s.splits
	if len(splits) == 0 {
		splits = []int{0} // as scenario has it
	}
	for i, p := range plans {
		for _, n := range splits {
			made, called := c, name
			if len(s.plans) > 0 {
				made.Faults, made.Plan = scenario.PlannedFaults, p
				called += fmt.Sprintf(",plan%d", i+1)
			}
			if made.Splits = n; n > 0 {
				called += fmt.Sprintf(",splits%d", n)
			}
			cfgs, names = append(cfgs, made), append(names, called)
		}
	}
	return cfgs, names
}

func runnable(c scenario.Config) error {
	r, err := scenario.New(c)
	if err == nil {
		r.Close()
	}
	return err
}

// isRefusal reports that an algorithm cannot serve the job or the sink by what
// it declares.
func isRefusal(err error) bool {
	var job *dataflow.Refusal
	var sink *sinks.Refusal
	return errors.As(err, &job) || errors.As(err, &sink)
}

// Check runs a job in the simulator, crashes it, and judges every run: by the
// reference answer and by all that an algorithm promises. A nil reference: by the
// oracles that need none, which the test's log names. What an algorithm cannot run
// by what it declares is left out, and logged.
//
// Each combination of algorithm, state and sink is a subtest, which ends with its
// first seed that fails: with the violation, the command that repeats just that
// run, and a file with its trace. The first seed runs twice: a job that is another
// one the second time is found by the oracle determinism, with the event at which
// the runs part. A check of drawn faults in which no run was
// restored from a snapshot has shown nothing, and fails.
func Check(t *testing.T, job workloads.Job, reference workloads.Reference, options ...Option) {
	t.Helper()
	s := newSuite(options)
	cfgs, names, refused, err := s.combinations(workloads.Of(job, reference))
	if err != nil {
		t.Fatal(err)
	}
	for _, why := range refused {
		t.Log("left out: ", why)
	}
	if text := cfgs[0].NotJudged(); text != "" {
		t.Log(text)
	}
	pkg, all, snapshots := callerPackage(), total{}, false
	for i, c := range cfgs {
		snapshots = snapshots || c.Algorithm.Properties().Snapshots != dataflow.NoSnapshots
		t.Run(names[i], func(t *testing.T) { s.check(t, pkg, c, &all) })
	}
	t.Logf("%d runs of %d combinations: %d crashes, %d recoveries from a snapshot", all.runs, len(cfgs), all.crashes, all.recoveries)
	if all.late > 0 {
		t.Logf("%d records were given up as too late", all.late)
	}
	if all.runs > 0 && all.recoveries == 0 && snapshots && len(s.plans) == 0 && !SeedsGiven() && !t.Failed() {
		t.Error("no run was restored from a snapshot, so that nothing is shown: give the job more records, or the check more Runs")
	}
}

// total counts what runs have been through.
type total struct {
	runs, crashes, recoveries int
	late                      int64 // records that operators gave up
}

// add counts a run.
func (n *total) add(o *scenario.Outcome) {
	n.runs++
	if o.Report != nil {
		n.crashes += o.Report.Crashes + o.Report.CoordinatorCrashes
		n.recoveries += o.Report.Recoveries
		n.late += o.Report.LateRecords
	}
}

// check runs the seeds of one combination up to the first that fails.
func (s *suite) check(t *testing.T, pkg string, c scenario.Config, all *total) {
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, seed := range Seeds(s.runs) {
		o, parted := s.run(r, seed, i == 0)
		all.add(o)
		if parted != "" {
			t.Errorf("%s\nrepeat with\n  %s", parted, testCommand(t.Name(), pkg, o))
			return
		}
		if missed := o.NotStruck(); o.Kind == scenario.Fine && c.Faults == scenario.PlannedFaults && len(missed) > 0 {
			t.Errorf("seed %d: the fault never struck: %s", seed, missed[0])
			return
		}
		if o.Kind != scenario.Fine {
			t.Errorf("%s\n  %s\nrepeat with\n  %s", describe(o), s.leaveTrace(c, seed), testCommand(t.Name(), pkg, o))
			return
		}
	}
}

// leaveTrace runs a seed again and says where its trace is.
func (s *suite) leaveTrace(c scenario.Config, seed uint64) string {
	f, err := os.CreateTemp(s.traces, fmt.Sprintf("weir-seed-%d-*.trace", seed))
	if err != nil {
		return fmt.Sprintf("its trace could not be kept: %v", err)
	}
	r, err := scenario.New(c)
	if err == nil {
		r.Observers = append(r.Observers, scenario.Printer{W: f})
		o := r.Run(seed)
		_, err = fmt.Fprintf(f, "\n%s\n", describe(o))
		r.Close()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Sprintf("its trace could not be kept: %v", err)
	}
	return "what happened, event by event: " + f.Name()
}

// Finding is what was found wrong with a job.
type Finding struct {
	Combination string // algorithm, state, sink
	Seed        uint64
	Kind        scenario.Kind
	Oracle      check.Oracle // Unsafe: the first that was violated
	Text        string       // on several lines
	Runs        int          // that were made until then; one that is made twice counts once
}

// Find goes through what Check does, in the order of seeds, and returns the first
// run that fails; nil if none does. It is for what should be caught.
func Find(job workloads.Job, reference workloads.Reference, options ...Option) (*Finding, error) {
	s := newSuite(options)
	cfgs, names, _, err := s.combinations(workloads.Of(job, reference))
	if err != nil {
		return nil, err
	}
	runners := make([]*scenario.Runner, len(cfgs))
	for i, c := range cfgs {
		if runners[i], err = scenario.New(c); err != nil {
			return nil, err
		}
		defer runners[i].Close()
	}
	runs := 0
	for n, seed := range Seeds(s.runs) {
		for i, r := range runners {
			o, parted := s.run(r, seed, n == 0)
			if runs++; parted != "" {
				return &Finding{names[i], seed, scenario.Unsafe, check.SameRun, parted, runs}, nil
			}
			if o.Kind != scenario.Fine {
				return &Finding{names[i], seed, o.Kind, oracleOf(o), describe(o), runs}, nil
			}
		}
	}
	return nil, nil
}

// oracleOf returns the oracle that a run that is not fine violated first.
func oracleOf(o *scenario.Outcome) check.Oracle {
	if o.Report != nil {
		for _, v := range o.Report.Violations {
			if o.Kind != scenario.Unsafe || v.Oracle != check.Progress {
				return v.Oracle
			}
		}
	}
	return check.Progress
}
