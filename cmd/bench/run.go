package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"weir/bench"
	"weir/scenario/mutants"
)

// Sizes of the plans of run.
const (
	standardRepetitions = 10
	standardMeasure     = 10 * time.Second
	standardWarm        = 10 * time.Second
	quickMeasure        = 2 * time.Second
	quickWarm           = 3 * time.Second
)

func newRun() *cobra.Command {
	var f flags
	command := &cobra.Command{
		Use:   "run",
		Short: "Measure a cell or a grid of cells",
		Long: `Measure the product of algorithms, states and workloads. Each variant gets a
closed loop (throughput), an open loop at --rate or at 70 % of its saturation
(latency), and runs in which its process is killed (recovery). With --events
each repetition runs a finite input as a whole.

--resume goes on with an interrupted campaign as it was begun: its plan, tuning
and directory, not today's flags. Where program, machine or file system are not
the same, the results say so and cannot be valid.`,
		Example: `  bench run --algorithm aligned --state heap --workload keyedcount --quick --json
  bench run --algorithm aligned,unaligned --state heap,pebble --set keys=1000000 --set valueSize=100
  bench run --quick --algorithm aligned,unaligned --state heap,pebble --workload nexmark-q1 --events 10000 --json
  bench run --algorithm all --rate 1000000 --interval 1s
  bench run --resume local-20260102-150405`,
		Args: noArguments("none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.common(command.Flags())
	f.grid(command.Flags())
	command.SetFlagErrorFunc(usageError)
	return command
}

func (f *flags) run(cmd *cobra.Command) error {
	if f.quick && f.standard {
		return fmt.Errorf("%w: --quick and --standard exclude each other", errUsage)
	}
	if f.mutant != "" {
		if _, err := mutants.Lookup(f.mutant); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	if f.resume != "" {
		return f.goOn(cmd)
	}
	g, err := f.gridOf()
	if err != nil {
		return err
	}
	for _, no := range g.Refused() {
		cmd.PrintErrf("left out: %v\n", no)
	}
	plan := f.plan(&g)
	if err := plan.TimeChecks(); err != nil {
		return err
	}
	c, err := f.campaign(plan)
	if err != nil {
		return err
	}
	if f.quick && f.repetitions == 0 { // who asks for a number gets it
		c.Budget = plan.MostDuration()
	}
	return measure(cmd, f, c)
}

func (f *flags) plan(g *bench.Grid) bench.Plan {
	p := bench.Plan{
		Cells: g.Cells(), Repetitions: standardRepetitions, Quick: f.quick, Seed: f.seed, Events: f.events,
		Warm: standardWarm, Measure: standardMeasure, Given: g.Given,
	}
	if f.quick {
		p.Repetitions, p.Warm, p.Measure = quickMost, quickWarm, quickMeasure
	}
	if f.repetitions > 0 {
		p.Repetitions = f.repetitions
	}
	if len(g.Algorithms) > 1 {
		p.Baseline = firstOf(g.Algorithms, isBaseline)
	}
	return p
}
