package command

import (
	"fmt"
	"net"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"weir/live"
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
// it returns is called.
func serve(l net.Listener, j *live.Job, store state.Storage, dir string) (end func() error) {
	if l == nil {
		return func() error { return nil }
	}
	e := endpoint.New(endpoint.Config{
		Job: j, Storage: store, Read: inspect.Config{FS: vfs.Default, Scratch: dir + "/local/read", Groups: j.Tasks()[0].NumGroups},
	})
	e.Serve(l)
	return e.Close
}
