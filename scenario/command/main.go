// Package command is the command that runs scenarios: run, sweep, replay, cause,
// shrink, pin, triage, explain, audit, mutants, list, input and answer. cmd/sim is Main and nothing else.
//
// Exit status: 0 fine, 1 error, 2 usage, 3 a panic in the code under test, 4 no
// progress, 5 a safety violation; 130 and 143 interrupted by SIGINT and SIGTERM.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/scenario"
)

// Main runs the command line of this process and ends it. A command of one's own
// gives what it has beside the catalogs, and is called by its own name.
func Main(own ...Own) {
	// A run keeps little and allocates often: a quarter of the time would go into
	// collecting garbage at the default of 100 %. GOGC has the last word.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(newProgram(mainPackage(), own).execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// Execute runs a command line of cmd/sim in this process, without its name, and returns the exit
// status: for a program that makes many runs of it. It may be called from several goroutines.
func Execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return newProgram("", nil).execute(ctx, args, stdout, stderr)
}

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// verdict is an error that ends the command with the exit status of a run.
type verdict struct {
	kind scenario.Kind
	text string
}

func (v *verdict) Error() string { return v.text }

// execute runs the command and returns its exit status. What was asked for goes
// to stdout: a table, or with --json lines; then the table, progress and
// diagnostics go to stderr.
func (p *program) execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(p)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var v *verdict
	var i *interrupt
	switch {
	case err == nil:
		return 0
	case errors.As(err, &v):
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", p.name, err)
		return v.kind.ExitCode()
	case errors.As(err, &i):
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", p.name, err)
		return i.exitCode()
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(stderr, "%s: %v\nTry: %s --help\n", p.name, err, p.name)
		return 2
	default:
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", p.name, err)
		return 1
	}
}

func newRoot(p *program) *cobra.Command {
	root := newSweep(p)
	root.Use = p.name
	root.Short = "Run snapshot algorithms in the simulator, crash them, check them"
	root.Long = `Run snapshot algorithms in a deterministic simulator: the same operator, state
and algorithm code as on real threads, crashed at the worst moments, judged by
oracles. Without a subcommand: a short sweep over everything.`
	root.Example = `  go run ./cmd/sim                                     # a sweep of everything, each run draws its combination; half a minute
  go run ./cmd/sim sweep --algorithm all --state all --workload all --seeds 1-200
  go run ./cmd/sim run --algorithm unaligned --state pebble --workload nexmark-q5 --seed 7
  go run ./cmd/sim run --plan '(plan (crash worker=1 at (nth 7 barrier-received)))'
  go run ./cmd/sim run --mutant no-fence --seed 4 --save found.weir
  go run ./cmd/sim replay found.weir                   # the same events, the same verdict
  go run ./cmd/sim explain found.weir --html           # a page that shows what led to it`
	budget := root.Flags().Lookup("budget")
	budget.DefValue = "28s"
	_ = budget.Value.Set("28s")
	root.AddCommand(newSweepCommand(p), newRun(p), newReplay(p), newShrink(p), newExplain(p), newCause(p), newPin(p), newTriage(p), newAudit(p), newInput(p), newAnswer(p), newList(p))
	if !p.own { // the bank has the mistakes of this repository
		root.Example += "\n  go run ./cmd/sim mutants                             # planted mistakes, and how fast they are found"
		root.AddCommand(newMutants())
	}
	root.Example = p.called(root.Example)
	for _, c := range root.Commands() {
		c.Example = p.called(c.Example)
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		return fmt.Errorf("%w: %w; %s knows %s", errUsage, err, c.CommandPath(), strings.Join(known, " "))
	})
	return root
}

// quiet makes a command leave the printing of errors to execute.
func quiet(c *cobra.Command) *cobra.Command {
	c.SilenceErrors, c.SilenceUsage = true, true
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: unknown argument %q", errUsage, args[0])
		}
		return nil
	}
	return c
}
