package main

import "github.com/spf13/cobra"

func newCanaries() *cobra.Command { return &cobra.Command{Use: "canaries"} }
