package command

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/counterexample"
)

type shrinkFlags struct {
	known *program
	out   string
	limit time.Duration
}

func newShrink(p *program) *cobra.Command {
	f := shrinkFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "shrink FILE",
		Short: "Make a saved counterexample smaller, keeping what it breaks",
		Long: `Make a saved counterexample smaller: fewer faults, no failing operations, nothing slow,
fewer records, tasks, workers and checkpoints, then smaller numbers, and decisions made quiet. Its
signature stays: what it breaks, at which step of the protocol, in which combination. The
smallest so far is in the file of --out at any time, and a shrink that was ended goes
on from there. A counterexample that breaks nothing any more is said so, and nothing is written.`,
		Example: `  go run ./cmd/sim shrink found.weir                   # writes found.small.weir
  go run ./cmd/sim shrink found.weir --for 2m          # goes on with found.small.weir
  go run ./cmd/sim shrink found.weir --out smaller.weir`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = oneFile
	cmd.Flags().StringVar(&f.out, "out", "", "`file` to write; if not given FILE with .small before its ending")
	cmd.Flags().DurationVar(&f.limit, "for", 30*time.Second, "end after this time")
	return cmd
}

func (f *shrinkFlags) run(cmd *cobra.Command, name string) error {
	file, _, err := f.known.open(name)
	if err != nil {
		return err
	}
	if f.limit <= 0 {
		return fmt.Errorf("%w: --for %s; it must be above zero", errUsage, f.limit)
	}
	if f.out == "" {
		f.out = strings.TrimSuffix(name, extension) + ".small" + extension
	}
	from, resumed := file, f.earlier(file)
	if resumed != nil {
		cmd.PrintErrf("goes on with %s\n", f.out)
		from = resumed
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	timed, cancel := context.WithTimeout(ctx, f.limit)
	defer cancel()
	over := ended(timed)
	var unsaved error
	s := counterexample.Shrinker{
		Try: f.known.try, Records: f.known.records, WithRecords: f.known.withRecords, Over: over,
		Better: func(c *counterexample.File) { unsaved = f.write(c) },
	}
	smallest, runs := s.Shrink(from)
	if smallest == nil && resumed != nil {
		smallest, runs = s.Shrink(file) // another build wrote it
	}
	if cause := context.Cause(ctx); smallest == nil && over() {
		return cmp.Or(cause, fmt.Errorf("%s is not enough to run %s once: nothing was written", f.limit, name))
	}
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

// earlier returns what an earlier shrink of the file has come to, nil if there is
// none: the file of --out, if it is one and fails in the same way.
func (f *shrinkFlags) earlier(file *counterexample.File) *counterexample.File {
	if info, err := os.Stat(f.out); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	was, _, err := f.known.open(f.out)
	if err != nil || was.Signature() != file.Signature() {
		return nil
	}
	return was
}

func (f *shrinkFlags) write(c *counterexample.File) error {
	stamp(c)
	return write(f.out, c.AppendText(nil))
}

func size(f *counterexample.File) string {
	return fmt.Sprintf("%d faults, %d decisions, settings %v", len(f.Plan.Faults), len(f.Decisions), f.Set)
}

// try runs a candidate and returns the file of what it did; nil if it cannot be
// run, or was over. redraw: its decisions are drawn from its seed.
func (p *program) try(c *counterexample.File, redraw bool, over func() bool) *counterexample.File {
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
	d := c.Drawn()
	if redraw {
		d.Decisions, d.Resumed = nil, nil
	}
	o := r.Replay(c.Seed, d)
	if o.Report == nil {
		return nil
	}
	return counterexample.Of(o)
}

// records returns the number of records of a file's run, 0 if its workload is not known.
func (p *program) records(c *counterexample.File) int {
	w, err := p.workloadOf(c)
	if err != nil {
		return 0
	}
	return w.Events()
}

// withRecords returns the candidate with n records; nil if the workload cannot
// have so few.
func (p *program) withRecords(c *counterexample.File, n int) *counterexample.File {
	w, err := p.workloadOf(c)
	if err != nil || w.SetEvents(n) != nil || w.Validate() != nil {
		return nil
	}
	smaller := *c
	smaller.Set = w.Settings()
	return &smaller
}
