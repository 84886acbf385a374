// Command campaign sweeps seeds on a cluster: `sim sweep`, cut into shards of seeds that an
// Apache Beam pipeline hands out, with what failed kept once for each signature, and shrunk.
//
// It is a module of its own, so that no other binary of this repository is built with Beam.
//
// Exit status: as that of sim; what the worst run of any shard would give.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/spf13/cobra"
)

func main() {
	// A worker of a cluster is this binary, started by the runner with flags of its own:
	// Init does its work and does not return.
	if isWorker(os.Args[1:]) {
		flag.Parse()
		beam.Init()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	status := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// isWorker tells whether a runner has started this process.
func isWorker(args []string) bool {
	for _, a := range args {
		if strings.TrimLeft(a, "-") == "worker" || strings.HasPrefix(strings.TrimLeft(a, "-"), "worker=") {
			return true
		}
	}
	return false
}

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// failed is an error that ends the command with the exit status of a run.
type failed struct {
	status int
	text   string
}

func (f *failed) Error() string { return f.text }

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	var f *failed
	switch {
	case err == nil:
		return 0
	case errors.As(err, &f):
		_, _ = fmt.Fprintf(stderr, "campaign: %v\n", err)
		return f.status
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(stderr, "campaign: %v\nTry: campaign --help\n", err)
		return 2
	case ctx.Err() != nil:
		_, _ = fmt.Fprintf(stderr, "campaign: interrupted; the same command goes on where it stopped: %v\n", err)
		return 130
	default:
		_, _ = fmt.Fprintf(stderr, "campaign: %v\n", err)
		return 1
	}
}

// flags are those of the command.
type flags struct {
	dir    string
	seeds  string
	shard  uint64
	shrink time.Duration
	json   bool
}

func newCommand() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "campaign --dir DIR [flags] [-- flags of sim sweep]",
		Short: "Sweep seeds on Apache Beam: resumable, each failure once and shrunk",
		Long: `Sweep seeds on Apache Beam. The seeds are cut into shards; each is one "sim sweep" with the
flags that stand behind "--", and its result a file in DIR/shards. A shard whose file is there is
not run again: a campaign that was killed goes on by the same command, loses no seed and counts
none twice. Of what failed DIR/failures has one file for each signature, shrunk, for "sim replay".

The runner is Prism, in this process, unless --runner names another; --help-beam lists what the
runners take. DIR must be the same files for every worker of a cluster.`,
		Example: `  go run . --dir nightly --seeds 1-100000
  go run . --dir nightly --seeds 1-100000                       # again: goes on where it was killed
  go run . --dir q5 --seeds 1-5000 --shard 50 -- --algorithm unaligned --workload nexmark-q5
  go run . --dir nightly --seeds 1-100000 --runner universal --endpoint localhost:8099`,
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", "", "`directory` of the campaign; required")
	cmd.Flags().StringVar(&f.seeds, "seeds", "1-10000", "seeds A-B")
	cmd.Flags().Uint64Var(&f.shard, "shard", 500, "seeds of a shard: what a kill makes undone")
	cmd.Flags().DurationVar(&f.shrink, "shrink", 30*time.Second, "time for the shrinking of each failure; 0: none is shrunk")
	cmd.Flags().BoolVar(&f.json, "json", false, "one JSON object per failure on stdout, the last line the summary")
	addBeamFlags(cmd)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	return cmd
}

// addBeamFlags takes the flags of the runners, which Beam keeps in the flags of the process.
func addBeamFlags(cmd *cobra.Command) {
	flag.CommandLine.VisitAll(func(f *flag.Flag) {
		if cmd.Flags().Lookup(f.Name) != nil {
			return
		}
		cmd.Flags().AddGoFlag(f)
		if f.Name != "runner" && f.Name != "endpoint" {
			cmd.Flags().Lookup(f.Name).Hidden = true
		}
	})
	all := cmd.Flags().Bool("help-beam", false, "list the flags of the runners")
	help := cmd.HelpFunc()
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if !*all {
			return nil
		}
		flag.CommandLine.SetOutput(cmd.OutOrStdout())
		flag.CommandLine.PrintDefaults()
		return errHelped
	}
	cmd.SetHelpFunc(help)
}

// errHelped ends the command after a help.
var errHelped error = &failed{0, "that is what the runners take"}

func (f *flags) run(cmd *cobra.Command, sweep []string) error {
	first, last, err := seeds(f.seeds)
	switch {
	case err != nil:
		return err
	case f.dir == "":
		return fmt.Errorf("%w: --dir is missing: the directory that keeps the campaign", errUsage)
	case f.shard < 1:
		return fmt.Errorf("%w: --shard %d; it must be at least 1", errUsage, f.shard)
	case f.shrink < 0:
		return fmt.Errorf("%w: --shrink %s; it must not be negative", errUsage, f.shrink)
	}
	for _, a := range sweep {
		for _, ours := range []string{"--seeds", "--save", "--json", "--explain", "--budget", "--jobs"} {
			if a == ours || strings.HasPrefix(a, ours+"=") {
				return fmt.Errorf("%w: %s belongs to the campaign, not to the sweep of a shard", errUsage, ours)
			}
		}
	}
	c := &campaign{Dir: f.dir, Sweep: sweep, Shard: f.shard, ShrinkFor: f.shrink}
	if err := c.open(); err != nil {
		return err
	}
	shards := cut(first, last, f.shard)
	done := c.done(shards)
	cmd.PrintErrf("seeds %d to %d in %d shards, %d of them done before\n", first, last, len(shards), done)
	beam.Init()
	p, s := beam.NewPipelineWithRoot()
	c.build(s, shards)
	if err := beamx.Run(cmd.Context(), p); err != nil {
		return fmt.Errorf("the pipeline: %w", err)
	}
	return c.report(cmd, shards, f.json)
}

func seeds(text string) (first, last uint64, err error) {
	a, b, ok := strings.Cut(text, "-")
	first, errA := strconv.ParseUint(a, 10, 64)
	last, errB := strconv.ParseUint(b, 10, 64)
	if !ok || errA != nil || errB != nil || first > last {
		return 0, 0, fmt.Errorf("%w: --seeds %s; give A-B with A not above B", errUsage, text)
	}
	return first, last, nil
}
