package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"weir/algorithms/catalog"
	"weir/bench"
	"weir/internal/bench/job"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// Budget and sizes of the comparison without a subcommand, and as it is published.
const (
	comparedWorkload = "keyedcount"
	defaultBudget    = 200 * time.Second
	defaultInterval  = 500 * time.Millisecond
	defaultMeasure   = 1200 * time.Millisecond
	defaultWarm      = 1500 * time.Millisecond
	quickMost        = 3 // repetitions
	publishedMeasure = 2 * time.Second
	publishedWarm    = 5 * time.Second
	largeInterval    = time.Second
	largeRate        = 100_000 // records per second: a tenth of the keys change between checkpoints
	largeKeys        = "1000000"
	largeEmitEvery   = "2"
)

func newRoot() *cobra.Command {
	var f flags
	command := &cobra.Command{
		Use:   "bench",
		Short: "Measure snapshot algorithms on this machine",
		Long: `Measure snapshot algorithms on this machine's threads and disk.

Without a subcommand: a quick comparison of all algorithms and states within
four minutes, with a table, results/local-TIME/ and a report to read. Every job
runs in a process of its own; recovery is measured by killing it with SIGKILL.
What a job committed is compared with the reference answer in every run, and a
run whose output is wrong prints no numbers.

With --standard the same comparison is measured for publishing: ten
repetitions of each cell in interleaved blocks, 35 minutes on two processors.
bench run measures what you choose.`,
		Example: `  go run ./cmd/bench
  go run ./cmd/bench --standard --id standard   # results/standard, to be committed; go run ./cmd/figures draws it
  go run ./cmd/bench --dir /mnt/disk            # measure that disk
  go run ./cmd/bench run --algorithm aligned --state heap --workload keyedcount --quick --json
  go run ./cmd/bench compare --build HEAD~1 --build HEAD BenchmarkSimEvents/fifo
  go run ./cmd/bench failover                   # how soon a standby completes a checkpoint
  go run ./cmd/bench rescale                    # for how long a live job has no output when it is rescaled
  go run ./cmd/bench disk .`,
		Args:          noArguments("run, compare, disk, failover, rescale, list"),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.quick = !f.standard
			plan, budget := comparison(&f), time.Duration(0)
			if f.quick {
				budget = defaultBudget
				if err := plan.TimeChecks(); err != nil {
					return err
				}
				plan.Fit(budget)
			}
			c, err := f.campaign(plan)
			if err != nil {
				return err
			}
			c.Budget = budget
			return measure(cmd, &f, c)
		},
	}
	f.common(command.Flags())
	command.Flags().BoolVar(&f.standard, "standard", false, "measure for publishing: ten repetitions, 35 minutes on two processors")
	command.SetFlagErrorFunc(usageError)
	command.AddCommand(newRun(), newCompare(), newDisk(), newFailover(), newRescale(), newList())
	return command
}

// comparison is the plan without a subcommand: a state that changes between
// checkpoints as a whole, at saturation and at a share of it, and a large one of
// which a tenth changes, where full and incremental snapshots differ.
func comparison(f *flags) bench.Plan {
	grid := func(states, algorithms []string) bench.Grid {
		return bench.Grid{
			Algorithms: algorithms, States: states, Workloads: []string{comparedWorkload},
			Interval: defaultInterval, Parallelism: f.parallelism, Splits: f.splits, Kill: true,
		}
	}
	all := catalog.Names()
	baseline, exact := firstOf(all, isBaseline), firstOf(all, job.Algorithm.IsReference)
	a := grid([]string{heap.Name}, all)
	a.Twin = true
	cells := a.Cells()
	twin := cells[len(cells)-1]
	cells = cells[:len(cells)-1]
	b := grid([]string{pebblestate.NameFull}, []string{baseline, exact})
	c := grid([]string{pebblestate.NameIncremental}, all)
	large := grid([]string{pebblestate.NameFull, pebblestate.NameIncremental}, []string{exact})
	large.Settings = map[string]string{"keys": largeKeys, "emitEvery": largeEmitEvery}
	large.Interval, large.Rate, large.OpenOnly = largeInterval, largeRate, true
	large.Kill = false
	for _, g := range []bench.Grid{b, c, large} {
		cells = append(cells, g.Cells()...)
	}
	p := bench.Plan{
		Cells: append(cells, twin), Repetitions: quickMost, Quick: f.quick, Seed: f.seed, Warm: defaultWarm, Measure: defaultMeasure, Baseline: baseline,
	}
	if f.standard {
		p.Repetitions, p.Warm, p.Measure = standardRepetitions, publishedWarm, publishedMeasure
	}
	return p
}

// isBaseline: what the others are compared with, a job without checkpoints.
func isBaseline(a job.Algorithm) bool { return !a.TakesSnapshots() }

// firstOf returns the first of some algorithms that is something; empty if none is.
func firstOf(names []string, is func(job.Algorithm) bool) string {
	for _, name := range names {
		if a, err := job.LookupAlgorithm(name); err == nil && is(a) {
			return name
		}
	}
	return ""
}

func noArguments(known string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: unknown argument %q; known subcommands: %s", errUsage, args[0], known)
		}
		return nil
	}
}

func usageError(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) }
