package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"weir/algorithms/catalog"
	"weir/external/sinks"
	"weir/results"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

func newList() *cobra.Command {
	var lines bool
	command := &cobra.Command{
		Use:     "list",
		Short:   "List algorithms, states, sinks, workloads with their settings, and metrics",
		Example: "  bench list\n  bench list --json",
		Args:    noArguments("none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines {
				return listJSON(cmd)
			}
			return list(cmd)
		},
	}
	command.Flags().BoolVar(&lines, "json", false, "one JSON object")
	command.SetFlagErrorFunc(usageError)
	return command
}

func list(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("algorithms\n")
	for _, a := range catalog.All() {
		fmt.Fprintf(&b, "  %-15s %s\n", a.Name, a.Short)
	}
	b.WriteString("states\n")
	for _, s := range statecatalog.Names() {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	b.WriteString("sinks\n")
	for _, s := range sinks.All() {
		fmt.Fprintf(&b, "  %-15s %s\n", s.Name, s.Short)
	}
	b.WriteString("workloads\n")
	for _, w := range workloadcatalog.All() {
		fmt.Fprintf(&b, "  %-15s --set %s\n", w.Name(), strings.Join(w.SettingNames(), ", "))
	}
	b.WriteString("metrics\n")
	for _, m := range results.Metrics() {
		fmt.Fprintf(&b, "  %-24s %-13s %s\n", m.Name, m.Unit, m.Definition)
	}
	return writeAll(cmd.OutOrStdout(), []byte(b.String()))
}

func listJSON(cmd *cobra.Command) error {
	var metrics []string
	for _, m := range results.Metrics() {
		metrics = append(metrics, m.Name)
	}
	data, err := json.Marshal(map[string][]string{
		"algorithms": catalog.Names(), "states": statecatalog.Names(), "sinks": sinks.Names(), "workloads": workloadcatalog.Names(), "metrics": metrics,
	})
	if err != nil {
		return err
	}
	return writeAll(cmd.OutOrStdout(), append(data, '\n'))
}
