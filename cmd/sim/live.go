package main

import (
	"github.com/spf13/cobra"

	"weir/sim/scenario"
)

func runLive(*cobra.Command, *runFlags, scenario.Config) error { return nil }
