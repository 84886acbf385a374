package main

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"weir/scenario/inspect"
)

func newLs() *cobra.Command {
	var f common
	return f.with(&cobra.Command{
		Use:   "ls PATH",
		Short: "List the checkpoints and savepoints at, within or directly below PATH",
		Example: `  go run ./cmd/state ls jobdir
  go run ./cmd/state ls jobdir/checkpoints --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := inspect.List(vfs.Default, args[0])
			if err != nil {
				return err
			}
			if f.json {
				s := struct {
					Summary  bool `json:"summary"`
					Found    int  `json:"found"`
					Complete int  `json:"complete"`
				}{Summary: true, Found: len(all)}
				for i := range all {
					if all[i].Complete {
						s.Complete++
					}
				}
				return lines(cmd, all, s)
			}
			var rows [][]string
			for i := range all {
				x := &all[i]
				complete := "yes"
				if !x.Complete {
					complete = "no: " + x.Why
				}
				rows = append(rows, []string{string(x.Kind), x.EpochOf, x.Job, fmt.Sprint(x.Tasks), fmt.Sprint(x.Bytes), x.Path, complete})
			}
			return table(cmd, "KIND EPOCH JOB TASKS BYTES PATH COMPLETE", rows)
		},
	})
}
