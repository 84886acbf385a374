package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"weir/external/sinks"
	"weir/scenario"
	"weir/scenario/counterexample"
	statecatalog "weir/state/catalog"
	"weir/trace"
	"weir/workloads"
)

func newReplay(p *program) *cobra.Command {
	f := replayFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "replay FILE",
		Short: "Run a saved counterexample again, judge it, and say what changed",
		Long: `Run a saved counterexample again and judge it. With the build that saved it every
event is the same. Another build finds settings and decisions by their names; where
the first decision no longer applies is said, and the verdict is that of the run as it
went. The exit status is that of run: 0 once the bug is gone.`,
		Example: `  go run ./cmd/sim run --mutant no-fence --seed 4 --save found.weir
  go run ./cmd/sim replay found.weir
  go run ./cmd/sim replay found.weir --trace`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = oneFile
	cmd.Flags().BoolVar(&f.trace, "trace", false, "print the protocol's events to stderr")
	cmd.Flags().BoolVar(&f.json, "json", false, "one JSON object on stdout, the summary")
	return cmd
}

// oneFile is what the commands on counterexamples take.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: %s takes one file, as run and sweep --save write it; %d were given", errUsage, cmd.Name(), len(args))
	}
	return nil
}

type replayFlags struct {
	known       *program
	trace, json bool
}

// replayed is the summary of a replay.
type replayed struct {
	Result  string   `json:"result"`
	Same    bool     `json:"same"`      // every event as it was
	Shown   bool     `json:"violation"` // the same oracle or verdict
	Changed []string `json:"changed,omitempty"`
	Verdict string   `json:"verdict"`
	Oracle  string   `json:"oracle,omitempty"`
	Why     string   `json:"why,omitempty"`
	Hash    string   `json:"hash"`
	Faults  string   `json:"faults"`
}

func (f *replayFlags) run(cmd *cobra.Command, name string) error {
	file, cfg, err := f.known.open(name)
	if err != nil {
		return err
	}
	cfg.Record = true
	r, err := scenario.New(cfg)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, name, err)
	}
	defer r.Close()
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	r.Interrupted = ended(ctx)
	if f.trace {
		r.Observers = []trace.Observer{scenario.Printer{W: cmd.ErrOrStderr()}}
	}
	o := r.Replay(file.Seed, file.Drawn())
	if o.Kind == scenario.Interrupted {
		return context.Cause(ctx)
	}
	if o.Report == nil {
		return fmt.Errorf("%w: %s: %w", errUsage, name, o.Err)
	}
	var now counterexample.File
	stamp(&now)
	result, changed := file.Compare(o, &now)
	if err := f.print(cmd, o, result, changed); err != nil {
		return err
	}
	if o.Kind == scenario.Fine {
		return nil
	}
	printFailure(cmd, o)
	return &verdict{o.Kind, fmt.Sprintf("%s: %s\nreplay: %s replay %s", o.Kind, o.Why(), f.known.call, name)}
}

func (f *replayFlags) print(cmd *cobra.Command, o *scenario.Outcome, result counterexample.Result, changed []string) error {
	is := counterexample.ShowingOf(o)
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(replayed{
			result.String(), result == counterexample.Same, result <= counterexample.Shown, changed, is.Verdict, is.Oracle, o.Why(), fmt.Sprintf("%016x", is.Hash), o.Plan.String(),
		})
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, hash %016x\n", result, &is, is.Hash)
	for _, c := range changed {
		if err == nil {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", c)
		}
	}
	return err
}

// printFailure says what is known of a run that is not fine.
func printFailure(cmd *cobra.Command, o *scenario.Outcome) {
	for _, v := range o.Report.Violations {
		cmd.PrintErrln(v)
	}
	if o.Result.Stack != "" {
		cmd.PrintErrln(o.Result.Stack)
	}
	for _, line := range o.Result.Standstill {
		cmd.PrintErrln(line)
	}
}

// open reads a counterexample and returns it with its combination. What is wrong
// with a file is an error of usage with line and column.
func (p *program) open(name string) (*counterexample.File, scenario.Config, error) {
	var none scenario.Config
	text, err := readAtMost(name, mostBytes)
	if err != nil {
		return nil, none, fmt.Errorf("%w: %w", errUsage, err)
	}
	file, err := counterexample.Parse(string(text))
	if err != nil {
		return nil, none, fmt.Errorf("%w: %s: %w", errUsage, name, err)
	}
	cfg, err := p.config(file)
	if err == nil {
		err = runnable(cfg)
	}
	var bad *badName
	if errors.As(err, &bad) {
		at := counterexample.Place(string(text), bad.word, bad.nth)
		at.Err = bad.err
		if bad.fault >= 0 {
			at.Column += faultAt(strings.Split(string(text), "\n")[at.Line-1][at.Column-1:], bad.fault)
		}
		err = at
	}
	if err != nil {
		return nil, none, fmt.Errorf("%w: %s: %w", errUsage, name, err)
	}
	return file, cfg, nil
}

// mostBytes is far above what any counterexample has.
const mostBytes = 64 << 20

// readAtMost reads a file that may be a device, which has no end.
func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d bytes: it is no counterexample", name, most)
	}
	return text, err
}

// badName is a value of a file that this program does not know.
type badName struct {
	word  string // of the line
	nth   int    // of the lines with that word, from 0
	fault int    // which one of a plan, from 0; -1: not of one
	err   error
}

func (e *badName) Error() string { return e.err.Error() }

// runnable returns why a combination cannot be run; of a fault that is about what
// the job does not have, with its place in the plan as files have it.
func runnable(cfg scenario.Config) error {
	r, err := scenario.New(cfg)
	if err == nil {
		r.Close()
		return nil
	}
	var bad *scenario.PlanError
	if !errors.As(err, &bad) || bad.Fault < 0 {
		return err
	}
	return &badName{"plan", 0, bad.Fault, bad.Err}
}

// faultAt returns where the n-th fault of a plan begins, in bytes from 0.
func faultAt(plan string, n int) int {
	depth, faults := 0, 0
	if strings.HasPrefix(plan, "(plan") {
		faults = 1 // they stand one deeper
	}
	quoted := false
	for i := 0; i < len(plan); i++ {
		switch c := plan[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ')':
			depth--
		case c == '(':
			if depth == faults {
				if n == 0 {
					return i
				}
				n--
			}
			depth++
		}
	}
	return 0
}

// config returns the combination of a file.
func (p *program) config(f *counterexample.File) (scenario.Config, error) {
	var none scenario.Config
	for _, n := range [...]struct {
		word, value string
		known       []string
	}{
		{"algorithm", f.Algorithm, p.algorithms.Names()}, {"state", f.State, statecatalog.Names()},
		{"sink", f.Sink, sinks.Names()}, {"workload", f.Workload, p.workloads.Names()},
	} {
		if !slices.Contains(n.known, n.value) {
			return none, &badName{n.word, 0, -1, fmt.Errorf("unknown %s %q; known: %s", n.word, n.value, strings.Join(n.known, ", "))}
		}
	}
	spec, err := p.algorithms.Lookup(f.Algorithm)
	if err != nil {
		return none, err
	}
	cfg := scenario.Config{
		Algorithm: spec, State: f.State, Sink: f.Sink, Parallelism: f.Parallelism, Splits: f.Splits, Groups: f.Groups, Workers: f.Workers, Coordinators: f.Coordinators, Version: f.First,
		Reorder: f.Reorder, Faults: scenario.PlannedFaults, Plan: f.Plan, Program: p.call,
	}
	if f.Calm {
		cfg.Faults = scenario.NoFaults
	}
	if f.Mutant != "" {
		if cfg.Mutant, err = mutant(f.Mutant); err != nil {
			return none, &badName{"mutant", 0, -1, err}
		}
	}
	cfg.Workload, err = p.workloadOf(f)
	return cfg, err
}

func (p *program) workloadOf(f *counterexample.File) (workloads.Workload, error) {
	w, err := p.workloads.New(f.Workload)
	if err != nil {
		return nil, err
	}
	for i, s := range f.Set {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return nil, &badName{"set", i, -1, fmt.Errorf("%q: want name=value; %s has %s", s, f.Workload, strings.Join(w.SettingNames(), ", "))}
		}
		if err := w.Set(k, v); err != nil {
			return nil, &badName{"set", i, -1, err}
		}
	}
	return w, w.Validate()
}
