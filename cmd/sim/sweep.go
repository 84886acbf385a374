package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"weir/scenario"
)

// sweepFlags are the flags of sweep beside those of choice.
type sweepFlags struct {
	choice
	seeds  string
	budget time.Duration
	jobs   int
}

// newSweep returns the command that sweeps; the root command is one too.
func newSweep() *cobra.Command {
	f := &sweepFlags{}
	cmd := quiet(&cobra.Command{
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	})
	f.flags(cmd.Flags(), "all", "all", "all")
	cmd.Flags().StringVar(&f.seeds, "seeds", "1-200", "seeds A-B of each combination")
	cmd.Flags().DurationVar(&f.budget, "budget", 0, "stop beginning new seeds after this time; 0: run all")
	cmd.Flags().IntVar(&f.jobs, "jobs", runtime.NumCPU(), "combinations at once")
	return cmd
}

func newSweepCommand() *cobra.Command {
	cmd := newSweep()
	cmd.Use = "sweep"
	cmd.Short = "Run every combination of the lists for many seeds under drawn faults"
	cmd.Example = `  go run ./cmd/sim sweep --algorithm all --state all --workload all --seeds 1-200 --json
  go run ./cmd/sim sweep --algorithm aligned,unaligned --state heap --workload keyedcount --seeds 1-10000
  go run ./cmd/sim sweep --budget 60s --seeds 1-1000000`
	return cmd
}

func (f *sweepFlags) run(cmd *cobra.Command) error {
	cfgs, err := f.combinations(true)
	if err != nil {
		return err
	}
	from, to, err := seeds(f.seeds)
	if err != nil {
		return err
	}
	if f.jobs < 1 {
		return fmt.Errorf("%w: --jobs %d; it must be at least 1", errUsage, f.jobs)
	}
	start := time.Now()
	rows, err := sweep(cmd.Context(), cfgs, from, to, f.budget, f.jobs)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	total := tally{Algorithm: "all", State: "all", Workload: "all"}
	worst := scenario.Fine
	enc := json.NewEncoder(cmd.OutOrStdout())
	for i := range rows {
		r := &rows[i]
		total.add(r)
		worst = max(worst, r.worst)
		if f.json {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
	}
	total.rates(time.Since(start))
	if err := printMatrix(cmd.ErrOrStderr(), rows, &total); err != nil {
		return err
	}
	if f.json {
		if err := enc.Encode(&total); err != nil {
			return err
		}
	}
	if worst != scenario.Fine {
		return &verdict{worst, fmt.Sprintf("%d safety violations, %d runs without progress, %d errors", total.Safety, total.Progress, total.Errors)}
	}
	return nil
}

// sweep runs every combination for every seed, several combinations at once.
// Seeds go round: all combinations get seed A before any gets A+1, so that a
// budget cuts all alike.
func sweep(ctx context.Context, cfgs []scenario.Config, from, to uint64, budget time.Duration, jobs int) ([]tally, error) {
	rows := make([]tally, len(cfgs))
	runners := make([]*scenario.Runner, len(cfgs))
	for i, c := range cfgs {
		r, err := scenario.New(c)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		defer r.Close()
		runners[i] = r
		rows[i] = newTally(&cfgs[i])
	}
	bar := newBar(int64(len(cfgs)) * int64(to-from+1))
	deadline := time.Now().Add(budget)
	const chunk = 5 // seeds per turn of a combination
	for s := from; s <= to && ctx.Err() == nil && (budget == 0 || time.Now().Before(deadline)); s += chunk {
		last := min(s+chunk-1, to)
		var wg sync.WaitGroup
		work := make(chan int)
		for range min(jobs, len(cfgs)) {
			wg.Go(func() {
				for i := range work {
					for n := s; n <= last; n++ {
						rows[i].note(runners[i].Run(n), n)
					}
					_ = bar.Add64(int64(last - s + 1))
				}
			})
		}
		for i := range cfgs {
			work <- i
		}
		close(work)
		wg.Wait()
	}
	_ = bar.Finish()
	return rows, nil
}

// newBar returns a progress bar on stderr; nothing is shown where that is not a terminal.
func newBar(total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))),
		progressbar.OptionSetDescription("runs"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("runs"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}
