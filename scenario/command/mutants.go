package command

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/mutants"
)

// mutantLine is one line of mutants --json.
type mutantLine struct {
	Mutant      string `json:"mutant"`
	Description string `json:"description"`
	Source      string `json:"source"`  // where such a mistake was made
	Feature     string `json:"feature"` // what can show it
	Escapes     string `json:"escapes,omitempty"`
	Algorithm   string `json:"algorithm"`
	State       string `json:"state"`
	Sink        string `json:"sink"`
	Workload    string `json:"workload"`
	Caught      bool   `json:"caught"`
	Runs        int    `json:"runs"`
	Oracle      string `json:"oracle"`
	Violation   string `json:"violation"`
	TwinClean   bool   `json:"twin_clean"`
	Replay      string `json:"replay"`
}

func newMutants() *cobra.Command {
	var limit, jobs int
	var only string
	var asJSON bool
	var score scoreFlags
	cmd := quiet(&cobra.Command{
		Use:   "mutants",
		Short: "Switch planted mistakes on one by one and count the runs until an oracle catches each",
		Long: `Switch each planted mistake on, in the production code, and run the default
sweep on it until an oracle catches it; then run the unbroken twin over the same
seeds, which must pass. Exit status 5 if a mistake is not caught that is not known
to escape (docs/bank.md says why each does), or a twin fails.

With --policy: how many runs each policy takes to each mistake, over several searches of
which each draws other runs. A mistake counts as found when the oracle that must see it
does, not by a panic. A search that finds nothing within the budget took longer than
that: medians and means are those of Kaplan and Meier. Searches are written to --dir as
they end; the same command goes on with those that are missing.

Policies:
` + policyHelp(),
		Example: `  go run ./cmd/sim mutants
  go run ./cmd/sim mutants --only ack-before-durable,no-fence --json
  go run ./cmd/sim mutants --policy all --quick --json
  go run ./cmd/sim mutants --policy all --dir results/detection    # killed, and started again, it goes on`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names, err := pick("mutant", only, mutants.Names())
			if err != nil {
				return err
			}
			if err := apart(cmd.Flags().Changed); err != nil {
				return err
			}
			if cmd.Flags().Changed("policy") {
				score.jobs, score.json = jobs, asJSON
				return score.run(cmd, names)
			}
			if limit < 1 || jobs < 1 {
				return fmt.Errorf("%w: --limit and --jobs must be at least 1", errUsage)
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			lines, runs, err := hunt(ctx, names, limit, jobs)
			if err != nil {
				return err
			}
			err = printMutants(cmd, lines, limit, asJSON)
			if cause := context.Cause(ctx); cause != nil {
				return fmt.Errorf("%w after %d runs; %d of %d mutants looked for", cause, runs, len(lines), len(names))
			}
			return err
		},
	})
	cmd.Flags().IntVar(&limit, "limit", scenario.HuntLimit, "runs after which a mistake counts as not caught")
	cmd.Flags().IntVar(&jobs, "jobs", runtime.NumCPU(), "mistakes at once")
	cmd.Flags().StringVar(&only, "only", "all", "comma list of mutants, or all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per line on stdout, the last one the summary")
	score.flags(cmd.Flags())
	return cmd
}

// hunt looks for each mutant, several at once. Once ctx has ended it returns
// those that it is done with. runs counts all that were made.
func hunt(ctx context.Context, names []string, limit, jobs int) (done []mutantLine, runs int64, err error) {
	lines, errs := make([]mutantLine, len(names)), make([]error, len(names))
	bar := newBar(-1)
	var made atomic.Int64
	var wg sync.WaitGroup
	slots := make(chan struct{}, jobs)
	for i, name := range names {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := mutants.Lookup(name)
			if err != nil {
				errs[i] = err
				return
			}
			told := func(int) {
				made.Add(1)
				_ = bar.Add(1)
			}
			if ctx.Err() != nil {
				return
			}
			r, err := scenario.Hunt(c, limit, ended(ctx), told)
			if ctx.Err() != nil {
				return
			}
			lines[i], errs[i] = mutantLine{
				Mutant: name, Description: r.Description, Source: r.Source, Feature: r.Needs, Escapes: r.Escapes, Algorithm: r.Algorithm, State: r.State, Sink: cmp.Or(r.Sink, defaultSink), Workload: r.Workload, Caught: r.Caught,
				Runs: r.Runs, Oracle: r.Case.Oracle, Violation: r.Violation, TwinClean: r.TwinClean, Replay: r.Replay,
			}, err
			if !r.TwinClean {
				lines[i].Violation += "; the twin: " + r.Twin
			}
		})
	}
	wg.Wait()
	_ = bar.Finish()
	for i, err := range errs {
		if err != nil {
			return nil, made.Load(), err
		}
		if lines[i].Mutant != "" {
			done = append(done, lines[i])
		}
	}
	return done, made.Load(), nil
}

func printMutants(cmd *cobra.Command, lines []mutantLine, limit int, asJSON bool) error {
	caught, escaping, clean := 0, 0, 0
	out := cmd.ErrOrStderr()
	if !asJSON {
		out = cmd.OutOrStdout()
	}
	tw := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(tw, format, args...) }
	p("MUTANT\tFOUND ON\tRUNS\tBY ORACLE\tTWIN\tMISTAKE\n")
	for _, l := range lines {
		runs, oracle, twin := fmt.Sprint(l.Runs), l.Oracle, "passes"
		switch {
		case l.Caught:
			caught++
		case l.Escapes != "":
			escaping++
			runs, oracle = fmt.Sprintf("escapes %d", limit), "-"
		default:
			runs, oracle = fmt.Sprintf("NOT IN %d", limit), "-"
		}
		if l.TwinClean {
			clean++
		} else {
			twin = "FAILS"
		}
		p("%s\t%s, %s, %s, %s\t%s\t%s\t%s\t%s\n", l.Mutant, l.Algorithm, l.State, l.Sink, l.Workload, runs, oracle, twin, l.Description)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, l := range lines {
		_, _ = fmt.Fprintf(out, "\n%s: %s\n  replay: %s\n", l.Mutant, strings.TrimSpace(l.Violation), l.Replay)
	}
	if asJSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		for i := range lines {
			if err := enc.Encode(&lines[i]); err != nil {
				return err
			}
		}
		if err := enc.Encode(map[string]any{"mutants": len(lines), "caught": caught, "escaping": escaping, "twins_clean": clean, "limit": limit}); err != nil {
			return err
		}
	}
	if caught+escaping < len(lines) || clean < len(lines) {
		return &verdict{scenario.Unsafe, fmt.Sprintf("%d of %d mistakes caught, %d are known to escape, %d twins pass", caught, len(lines), escaping, clean)}
	}
	return nil
}
