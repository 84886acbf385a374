package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"weir/scenario/inspect"
	"weir/state/savepoint"
	"weir/state/storage"
)

func newConvert() *cobra.Command {
	var f common
	allow := false
	cmd := f.reads(&cobra.Command{
		Use:   "convert PATH OUT",
		Short: "Make a savepoint in directory OUT of a checkpoint, or of another savepoint",
		Long: `Make a savepoint in directory OUT, in the standard format (docs/snapshot-format.md).
OUT must not exist or be empty. A checkpoint with data in flight is refused: a
savepoint has none.`,
		Example: `  go run ./cmd/state convert jobdir saved
  go run ./cmd/state convert jobdir@1.7 saved --allow-damaged   # what can be saved of it`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.open(args[:1], func(s []*inspect.Snapshot) error { return f.convert(cmd, s[0], args[1], allow) })
		},
	})
	cmd.Flags().BoolVar(&allow, "allow-damaged", false, "leave out what is damaged, and say what")
	return cmd
}

func (f *common) convert(cmd *cobra.Command, s *inspect.Snapshot, out string, allow bool) (err error) {
	names, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("%q is not empty; a savepoint gets a directory of its own", out)
	}
	to, err := storage.OpenDir(vfs.Default, out, storage.DirConfig{})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, to.Close())
		if err != nil { // a savepoint without a manifest is of no use, and in the way of the next try
			err = errors.Join(err, os.RemoveAll(out))
		}
	}()
	var lost []shownDamage
	var note func(inspect.Loss)
	if allow {
		note = func(l inspect.Loss) {
			lost = append(lost, shownLoss(&l))
			cmd.PrintErrf("state: left out: %s\n", lossText(&l))
		}
	}
	m, err := inspect.Convert(s, to, note)
	if err != nil {
		return err
	}
	if f.json {
		return lines(cmd, lost, struct {
			Summary bool   `json:"summary"`
			Path    string `json:"path"`
			Job     string `json:"job"`
			Epoch   string `json:"epoch"`
			Tasks   int    `json:"tasks"`
			LeftOut int    `json:"left_out"`
		}{true, out, m.Job, m.Epoch.String(), tasksOf(m), len(lost)})
	}
	cmd.Printf("%s: savepoint of job %q, epoch %v, %d tasks\n", out, m.Job, m.Epoch, tasksOf(m))
	return nil
}

func tasksOf(m *savepoint.Manifest) int {
	n := 0
	for i := range m.Operators {
		n += len(m.Operators[i].Parts)
	}
	return n
}
