package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// config is what the flags say.
type config struct {
	results string // directory of campaigns
	out     string // directory of rendered figures
	check   bool
}

func newCommand() *cobra.Command {
	var c config
	command := &cobra.Command{
		Use:   "figures",
		Short: "Render every figure from committed results",
		Long: `Render every figure of every published campaign: SVG, PDF and the CSV with its data.

A campaign is a directory with a manifest.json below --results. Those named
local-* are not published and are left out. The same results give the same
bytes, so that --check can tell whether a committed figure is up to date.`,
		Example: `  go run ./cmd/figures                     # results/* to paper/out/*
  go run ./cmd/figures --check             # fail if a committed figure would change
  go run ./cmd/figures --results /tmp/r --out /tmp/figures
  go run ./cmd/figures report results/ID   # the HTML report of one campaign`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.check {
				return check(c, cmd.PrintErrf)
			}
			return render(c, cmd.PrintErrf)
		},
	}
	command.Flags().StringVar(&c.results, "results", "results", "directory of campaigns")
	command.Flags().StringVar(&c.out, "out", "paper/out", "directory for the figures, one directory per campaign")
	command.Flags().BoolVar(&c.check, "check", false, "write nothing; fail and name the files if a figure would change")
	command.SetFlagErrorFunc(usageError)
	command.AddCommand(newReport())
	return command
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: unknown argument %q; known subcommand: report", errUsage, args[0])
	}
	return nil
}

func usageError(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) }
