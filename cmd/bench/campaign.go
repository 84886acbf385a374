package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"weir/bench"
	"weir/internal/bench/job"
	"weir/results"
)

// campaign makes a new campaign of a plan.
func (f *flags) campaign(plan bench.Plan) (*bench.Campaign, error) {
	reference, err := parseSettings("wrong-reference", f.wrongReference)
	if err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if f.id == "" {
		f.id = results.LocalPrefix + time.Now().Format("20060102-150405")
	}
	c := &bench.Campaign{
		Plan: plan, Results: filepath.Join(f.results, f.id), Dir: f.dir, Description: describe(&plan), Tuning: f.tuning,
		RunBytes: f.diskLimit, Mutant: f.mutant, Reference: reference,
	}
	if err := c.CheckReference(); err != nil {
		return nil, fmt.Errorf("%w: --wrong-reference: %w", errUsage, err)
	}
	return c, inUTF8(c)
}

// inUTF8 returns an error for a directory whose path is not UTF-8: the jobs are
// told their directories in JSON, and the record names them.
func inUTF8(c *bench.Campaign) error {
	for _, dir := range []string{c.Results, c.WorkDir()} {
		path, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("directory of the campaign: %w", err)
		}
		if !utf8.ValidString(path) {
			return fmt.Errorf("directory %q: its name is not UTF-8; rename it, or name another one with --results and --dir", path)
		}
	}
	return nil
}

// check looks at what all campaigns are given.
func (f *flags) check() error {
	switch {
	case f.repetitions < 0:
		return fmt.Errorf("--repetitions %d; it must be at least 1, or 0 for the default", f.repetitions)
	case f.diskLimit < 0:
		return fmt.Errorf("--disk-limit %d; it must not be negative", f.diskLimit)
	case f.id != "" && (f.id != filepath.Base(f.id) || f.id == "." || f.id == ".."):
		return fmt.Errorf("--id %q; it must be a name, the directory is --results", f.id)
	}
	return f.tuning.Validate()
}

// measure runs a campaign and shows what came of it.
func measure(cmd *cobra.Command, f *flags, c *bench.Campaign) error {
	stderr := cmd.ErrOrStderr()
	bar := newBar(stderr)
	c.Arguments, c.Progress, c.Log = os.Args[1:], bar.show, bar.log
	_, _ = fmt.Fprintf(stderr, "%d cells, %d repetitions each, about %s%s; results in %s, data in %s\n",
		len(c.Plan.Cells), c.Plan.Repetitions, c.Plan.Duration().Round(time.Second), atMost(c.Budget), c.Results, c.WorkDir())
	err := c.Run(cmd.Context())
	bar.clear()
	if !c.Begun() {
		return err // nothing was done: what an older campaign found is not ours to show
	}
	shown := show(cmd, c.Results, f.json)
	if errors.Is(err, job.ErrInterrupted) {
		err = fmt.Errorf("%w\nFinished repetitions are kept; go on with: bench run --results %s --resume %s", err, filepath.Dir(c.Results), filepath.Base(c.Results))
	}
	if err != nil {
		return err
	}
	return shown
}

func atMost(budget time.Duration) string {
	if budget == 0 {
		return ""
	}
	return fmt.Sprintf(", at most %s: what does not fit is left out", budget)
}

func describe(p *bench.Plan) string {
	if p.Events > 0 {
		return fmt.Sprintf("Each repetition runs %d records from the first to the last, in a process of its own.", p.Events)
	}
	return "Throughput at saturation, latency in an open loop, checkpoints, and recovery after the job's process was killed with SIGKILL."
}

// show prints the table to stdout, or lines and the table to stderr, and writes
// report and figures.
func show(cmd *cobra.Command, dir string, lines bool) error {
	r, err := results.Read(dir)
	if err != nil {
		return err
	}
	if len(r.Samples) == 0 {
		return errors.New("nothing was measured")
	}
	if lines {
		err = errors.Join(r.WriteTable(cmd.ErrOrStderr()), writeLines(cmd.OutOrStdout(), r))
	} else {
		err = r.WriteTable(cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	if err := writeFigures(dir, r); err != nil {
		return err
	}
	path, err := writeReport(dir, r)
	if err == nil {
		cmd.PrintErrf("report: %s\n", path)
	}
	return err
}

func writeAll(w io.Writer, data []byte) error {
	_, err := w.Write(data)
	return err
}
