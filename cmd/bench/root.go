package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"weir/bench"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// Budget and sizes of the comparison without a subcommand.
const (
	defaultBudget   = 205 * time.Second
	defaultInterval = 500 * time.Millisecond
	defaultMeasure  = 1500 * time.Millisecond
	defaultWarm     = 1500 * time.Millisecond
	quickMost       = 3 // repetitions
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
run whose output is wrong prints no numbers.`,
		Example: `  go run ./cmd/bench
  go run ./cmd/bench --dir /mnt/disk            # measure that disk
  go run ./cmd/bench run --algorithm aligned --state heap --workload keyedcount --quick --json
  go run ./cmd/bench disk .`,
		Args:          noArguments("run, disk, list"),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.quick = true
			plan := comparison(&f)
			plan.Fit(defaultBudget)
			c, err := f.campaign(plan)
			if err != nil {
				return err
			}
			c.Budget = defaultBudget
			return measure(cmd, &f, c)
		},
	}
	f.common(command.Flags())
	command.SetFlagErrorFunc(usageError)
	command.AddCommand(newRun(), newDisk(), newList())
	return command
}

// comparison is the plan without a subcommand. Full snapshots of Pebble are
// compared where they differ from incremental ones: in what they write.
func comparison(f *flags) bench.Plan {
	grid := func(states, algorithms []string) bench.Grid {
		return bench.Grid{
			Algorithms: algorithms, States: states, Workloads: []string{"keyedcount"}, Settings: timedSettings(nil),
			Interval: defaultInterval, Parallelism: f.parallelism, Kill: true,
		}
	}
	all := []string{"none", "aligned", "at-least-once", "unaligned", "uncoordinated"}
	a := grid([]string{heap.Name}, all)
	a.Twin = true
	b := grid([]string{pebblestate.NameFull}, []string{"none", "aligned", "unaligned"})
	c := grid([]string{pebblestate.NameIncremental}, all)
	cells := a.Cells()
	twin := cells[len(cells)-1]
	cells = append(cells[:len(cells)-1], b.Cells()...)
	cells = append(append(cells, c.Cells()...), twin)
	return bench.Plan{
		Cells: cells, Repetitions: quickMost, Quick: true, Seed: f.seed, Warm: defaultWarm, Measure: defaultMeasure, Baseline: "none",
	}
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
