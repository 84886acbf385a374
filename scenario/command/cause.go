package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/results/stat"
	"weir/scenario"
	"weir/scenario/counterexample"
)

// prefixes is how many beginnings are tried at even distances.
const prefixes = 13

// bisections is at most how many more it takes to find one place among the
// decisions of a long run.
const bisections = 17

// causeRuns is how many runs a curve takes at most unless it is said.
const causeRuns = 900

type causeFlags struct {
	known *program
	runs  int
	json  bool
}

func newCause(p *program) *cobra.Command {
	f := causeFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "cause FILE",
		Short: "Say when a saved failure became likely, and at which event near certain",
		Long: `Say when a saved failure became likely. Beginnings of its run are given other ends: what is
decided later is drawn anew, from other seeds, while settings and plan stay. How many of these runs
fail as the file does, with its 95 % interval (Wilson), is the probability of the failure at that
time; the event at which it becomes near certain (95 % of them) is looked for by bisection. Of a
shrunk file the ends are loud all the same.`,
		Example: `  go run ./cmd/sim cause found.weir
  go run ./cmd/sim cause found.weir --runs 3000 --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = oneFile
	cmd.Flags().IntVar(&f.runs, "runs", causeRuns, fmt.Sprintf("make at most so many runs, at least %d", prefixes+bisections+1))
	cmd.Flags().BoolVar(&f.json, "json", false, "one JSON object per prefix on stdout, the last line the summary")
	return cmd
}

func (f *causeFlags) run(cmd *cobra.Command, name string) error {
	if f.runs < prefixes+bisections+1 {
		return fmt.Errorf("%w: --runs %d; %d prefixes and a bisection take at least %d", errUsage, f.runs, prefixes, prefixes+bisections+1)
	}
	file, cfg, err := f.known.open(name)
	if err != nil {
		return err
	}
	if file.Verdict == scenario.Fine.String() {
		return fmt.Errorf("%w: %s shows no failure", errUsage, name)
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	curve, err := curveOf(ctx, name, file, cfg, f.runs)
	if err != nil {
		return err
	}
	if f.json {
		return curveLines(cmd.OutOrStdout(), file, curve)
	}
	return printCurve(cmd.OutOrStdout(), file, curve)
}

// curveOf makes the curve of a file with at most so many runs.
func curveOf(ctx context.Context, name string, file *counterexample.File, cfg scenario.Config, runs int) (*counterexample.Curve, error) {
	cfg.Record = true
	r, err := scenario.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errUsage, name, err)
	}
	defer r.Close()
	r.Interrupted = ended(ctx)
	bar := newBar(int64(runs))
	t := counterexample.Tracer{Runner: r, Redraw: (runs - 1) / (prefixes + bisections), Grid: prefixes, Told: func(int) { _ = bar.Add(1) }}
	curve, err := t.Trace(file)
	_ = bar.Finish()
	switch {
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, counterexample.ErrNotShown):
		return nil, fmt.Errorf("%s does not show %s with this build any more; replay says what changed", name, &file.Showing)
	}
	return curve, err
}

// curveSummary is the last line of cause --json.
type curveSummary struct {
	Signature string                `json:"signature"`
	Runs      int                   `json:"runs"`
	Turn      *counterexample.Point `json:"turn"`   // null: not even the whole run determines it
	Before    *counterexample.Point `json:"before"` // null: it was near certain from the start
}

func curveLines(w io.Writer, file *counterexample.File, c *counterexample.Curve) error {
	enc := json.NewEncoder(w)
	for i := range c.Points {
		if err := enc.Encode(&c.Points[i]); err != nil {
			return err
		}
	}
	return enc.Encode(curveSummary{file.Signature().String(), c.Runs, c.Turn, c.Before})
}

func printCurve(w io.Writer, file *counterexample.File, c *counterexample.Curve) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprint(tw, "TIME\tDECIDED\tFAILED\tRATE\t95 %\tEVENT\n")
	for i := range c.Points {
		p := &c.Points[i]
		_, _ = fmt.Fprintf(tw, "%v\t%d\t%d of %d\t%s\t%s\t%d: %s\n", time.Duration(p.Nanos), p.Decisions, p.Hits, p.Runs, percent(p.Rate.Rate), bounds(p.Rate), p.Event, p.What)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d runs: %s, %s\n", c.Runs, file.Signature().Failure(), turned(c))
	return err
}

// turned says at which event the failure became near certain.
func turned(c *counterexample.Curve) string {
	switch {
	case c.Turn == nil:
		return "is never near certain: what is left open decides it"
	case c.Before == nil:
		return fmt.Sprintf("was near certain from the start (%d of %d)", c.Turn.Hits, c.Turn.Runs)
	}
	return fmt.Sprintf("was near certain from event %d on, at %v: %s\n  %d of %d before, %d of %d then", c.Turn.Event, time.Duration(c.Turn.Nanos), c.Turn.What, c.Before.Hits, c.Before.Runs, c.Turn.Hits, c.Turn.Runs)
}

func bounds(r stat.Rate) string { return percent(r.Lo) + " to " + percent(r.Hi) }
