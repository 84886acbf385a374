package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/scenario/inspect"
	"weir/state"
)

// common are the flags that all subcommands have.
type common struct {
	json   bool
	groups int
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "state",
		Short: "Look into checkpoints and savepoints, compare, check and convert them",
		Long: `Look into what jobs have left in checkpoint storage, without the job.

PATH is the directory that a job was given for its checkpoints, the one above it, or a
savepoint. PATH alone means the newest complete checkpoint there, or the savepoint;
PATH@EPOCH one that ls lists. Nothing that is looked at is changed.`,
		Example: `  go run ./cmd/sim run --driver live --calm --storage jobdir   # leaves its checkpoints in jobdir/checkpoints
  go run ./cmd/state ls jobdir
  go run ./cmd/state show jobdir
  go run ./cmd/state get jobdir --operator count --state counts --key 3
  go run ./cmd/state convert jobdir saved
  go run ./cmd/state verify saved
  go run ./cmd/state diff jobdir saved`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: unknown subcommand %q; known: %s", errUsage, args[0], subcommands(cmd))
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.AddCommand(newLs(), newShow(), newGet(), newDiff(), newVerify(), newConvert())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		return fmt.Errorf("%w: %w; %s knows %s", errUsage, err, c.CommandPath(), strings.Join(known, " "))
	})
	return root
}

func subcommands(root *cobra.Command) string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return strings.Join(names, ", ")
}

// with makes a subcommand that takes as many arguments as its usage names.
func (f *common) with(cmd *cobra.Command) *cobra.Command {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	names := strings.Fields(cmd.Use)[1:]
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("%w: %s takes %s, %d given", errUsage, cmd.Name(), strings.Join(names, " and "), len(args))
		}
		return nil
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "one JSON object per line; the last one is the summary")
	return cmd
}

// reads adds the flag of those that read states.
func (f *common) reads(cmd *cobra.Command) *cobra.Command {
	f.with(cmd)
	cmd.Flags().IntVar(&f.groups, "groups", state.DefaultGroups, "key groups of the job, for checkpoints, which do not say it")
	return cmd
}

// open opens the snapshots that paths name, and calls f with them.
func (f *common) open(paths []string, use func(s []*inspect.Snapshot) error) (err error) {
	if f.groups < 1 || f.groups > 1<<16-1 {
		return fmt.Errorf("%w: --groups %d; a job has at least 1 and at most %d", errUsage, f.groups, 1<<16-1)
	}
	scratch, err := os.MkdirTemp("", "weir-state-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	var all []*inspect.Snapshot
	for i, path := range paths {
		s, err := inspect.Open(inspect.Config{FS: vfs.Default, Scratch: fmt.Sprintf("%s/%d", scratch, i), Groups: f.groups}, path)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	return use(all)
}

// table prints rows under a heading, in columns.
func table(cmd *cobra.Command, heading string, rows [][]string) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.Join(strings.Fields(heading), "\t"))
	for _, r := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// lines prints one JSON object per line.
func lines[T any](cmd *cobra.Command, rows []T, summary any) error {
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	for i := range rows {
		if err := out.Encode(rows[i]); err != nil {
			return err
		}
	}
	return out.Encode(summary)
}
