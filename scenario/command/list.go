package command

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weir/external/sinks"
	"weir/scenario/mutants"
	statecatalog "weir/state/catalog"
	"weir/trace"
)

func newList(k *program) *cobra.Command {
	var asJSON bool
	cmd := quiet(&cobra.Command{
		Use:     "list",
		Short:   "List algorithms, state backends, sinks, workloads with their settings, mutants and events",
		Example: "  go run ./cmd/sim list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"algorithms": k.algorithms.Names(), "properties": declared(k.algorithms), "states": statecatalog.Names(), "sinks": sinks.Names(), "workloads": k.workloads.Names(), "mutants": mutants.Names(),
				})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
			p("ALGORITHM\tPROMISES (STATE, OUTPUT)\tSNAPSHOTS\tROLLS BACK\tHOW\n")
			for _, a := range declared(k.algorithms) {
				p("%s\t%s, %s\t%s\t%s\t%s\n", a.Name, a.State, a.Output, a.Snapshots, a.Rollback, a.Short)
			}
			p("\nSTATE\n")
			for _, s := range statecatalog.Names() {
				p("%s\n", s)
			}
			p("\nSINK (--sink)\tHOW\n")
			for _, s := range sinks.All() {
				p("%s\t%s\n", s.Name, s.Short)
			}
			p("\nWORKLOAD\tSETTINGS (--set name=value)\n")
			for _, wl := range k.workloads.All() {
				p("%s\t%v\n", wl.Name(), wl.SettingNames())
			}
			p("\nMUTANT (--mutant)\n")
			for _, c := range mutants.Names() {
				p("%s\n", c)
			}
			p("\nEVENT (--plan '(plan (crash worker=1 at (nth 7 EVENT)))')\n")
			for k := range trace.Kinds {
				p("%s\n", k)
			}
			return w.Flush()
		},
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on stdout")
	return cmd
}
