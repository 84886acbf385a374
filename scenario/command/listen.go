package command

import (
	"fmt"
	"net"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"weir/dataflow"
	"weir/live"
	"weir/scenario"
	"weir/scenario/endpoint"
	"weir/scenario/inspect"
	"weir/state"
)

// listener opens the address of --listen, before the job starts, and says which it is; nil without
// the flag.
func (f *runFlags) listener(cmd *cobra.Command) (net.Listener, error) {
	if !cmd.Flags().Changed("listen") {
		return nil, nil
	}
	l, err := endpoint.Listen(f.listen)
	if err != nil {
		return nil, fmt.Errorf("%w: --listen: %w", errUsage, err)
	}
	cmd.PrintErrf("sim: listening at http://%s/state\n", l.Addr())
	return l, nil
}

// serve lets others look into a job at a listener, if there is one, until the function that
// it returns is called. keeps is the directory of the storage if it stays, else "".
func serve(l net.Listener, j *live.Job, cfg *scenario.Config, store state.Storage, dir, keeps string) (end func() error) {
	if l == nil {
		return func() error { return nil }
	}
	e := endpoint.New(endpoint.Config{
		Job: j, Storage: store, Dir: keeps, Read: inspect.Config{FS: vfs.Default, Scratch: dir + "/local/read", Groups: j.Tasks()[0].NumGroups},
		Rescaled: func(now *dataflow.Job, operator string, to int) (*dataflow.Job, error) {
			return scenario.LiveRescaled(cfg, now, operator, to)
		},
	})
	e.Serve(l)
	return e.Close
}

// keeps is the directory of checkpoint storage that stays when a live job has ended, as others
// can name it; "": none does.
func (f *runFlags) keeps() string {
	if f.storage == "" {
		return ""
	}
	dir := filepath.Join(f.storage, "checkpoints")
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}
