package command

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/counterexample"
)

type shrinkFlags struct {
	known  *program
	out    string
	budget time.Duration
}

func newShrink(p *program) *cobra.Command {
	f := shrinkFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "shrink FILE",
		Short: "Make a saved counterexample smaller, keeping what it breaks",
		Long: `Make a saved counterexample smaller: fewer faults, no failing operations, nothing slow,
fewer records, then decisions made quiet. What it breaks and in which combination stays. The
smallest so far is in the file of --out at any time; shrink that one to go on.`,
		Example: `  go run ./cmd/sim shrink found.weir                   # writes found.small.weir
  go run ./cmd/sim shrink found.small.weir --out smaller.weir --budget 2m`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = oneFile
	cmd.Flags().StringVar(&f.out, "out", "", "`file` to write; if not given FILE with .small before its ending")
	cmd.Flags().DurationVar(&f.budget, "budget", 30*time.Second, "end after this time")
	return cmd
}

func (f *shrinkFlags) run(cmd *cobra.Command, name string) error {
	file, _, err := f.known.open(name)
	if err != nil {
		return err
	}
	if f.budget <= 0 {
		return fmt.Errorf("%w: --budget %s; it must be above zero", errUsage, f.budget)
	}
	if f.out == "" {
		f.out = strings.TrimSuffix(name, extension) + ".small" + extension
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	timed, cancel := context.WithTimeout(ctx, f.budget)
	defer cancel()
	over := ended(timed)
	var unsaved error
	s := counterexample.Shrinker{
		Try:   func(c *counterexample.File) *counterexample.File { return f.known.try(c, over) },
		Fewer: f.known.fewer, Over: over,
		Better: func(c *counterexample.File) { unsaved = f.write(c) },
	}
	smallest, runs := s.Shrink(file)
	if smallest == nil {
		return fmt.Errorf("%s does not show %s with this build any more: nothing was written; replay says what changed", name, &file.Showing)
	}
	if unsaved == nil {
		unsaved = f.write(smallest)
	}
	cmd.Printf("%d runs: %s\n  now     %s\n  faults: %s\n", runs, size(file), size(smallest), &smallest.Plan)
	if unsaved != nil {
		return fmt.Errorf("the smaller counterexample was not saved: %w", unsaved)
	}
	cmd.PrintErrf("replay: %s replay %s\n", f.known.call, f.out)
	return context.Cause(ctx)
}

func (f *shrinkFlags) write(c *counterexample.File) error {
	stamp(c)
	return write(f.out, c.AppendText(nil))
}

func size(f *counterexample.File) string {
	return fmt.Sprintf("%d faults, %d decisions, settings %v", len(f.Plan.Faults), len(f.Decisions), f.Set)
}

// try runs a candidate and returns the file of what it did; nil if it cannot be run.
func (p *program) try(c *counterexample.File, over func() bool) *counterexample.File {
	cfg, err := p.config(c)
	if err != nil {
		return nil
	}
	cfg.Record = true
	r, err := scenario.New(cfg)
	if err != nil {
		return nil
	}
	defer r.Close()
	r.Interrupted = over
	o := r.Replay(c.Seed, c.Drawn())
	if o.Report == nil {
		return nil
	}
	return counterexample.Of(o)
}

// fewer returns the candidate with half of its records; nil if the workload
// has no fewer.
func (p *program) fewer(c *counterexample.File) *counterexample.File {
	w, err := p.workloadOf(c)
	if err != nil || w.Events() < 2 {
		return nil
	}
	if err := w.SetEvents(w.Events() / 2); err != nil || w.Validate() != nil {
		return nil
	}
	smaller := *c
	smaller.Set = w.Settings()
	return &smaller
}
