package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"weir/bench"
	"weir/results"
)

// campaign runs a plan and shows what came of it. A budget above 0 cuts the
// plan to what fits.
func campaign(cmd *cobra.Command, f *flags, plan bench.Plan, budget time.Duration) error {
	if budget > 0 {
		plan.Fit(budget)
	}
	id := f.id
	if id == "" {
		id = results.LocalPrefix + time.Now().Format("20060102-150405")
	}
	dir := filepath.Join(f.results, id)
	work := f.dir
	if work == "" {
		work = filepath.Join(dir, "work")
	}
	reference, err := parseSettings(f.wrongReference)
	if err != nil {
		return err
	}
	stderr := cmd.ErrOrStderr()
	bar := newBar(stderr)
	c := &bench.Campaign{
		Plan: plan, Results: dir, Dir: work, Description: describe(&plan), Tuning: f.tuning, Arguments: os.Args[1:],
		RunBytes: f.diskLimit, Budget: budget, Canary: f.canary, Reference: reference, Resume: f.resume != "", Progress: bar.show, Log: bar.log,
	}
	_, _ = fmt.Fprintf(stderr, "%d cells, %d repetitions each, about %s; results in %s, data in %s\n",
		len(plan.Cells), plan.Repetitions, plan.Duration().Round(time.Second), dir, work)
	err = c.Run(cmd.Context())
	bar.clear()
	shown := show(cmd, dir, f.json)
	if errors.Is(err, bench.ErrInterrupted) {
		err = fmt.Errorf("%w\nFinished repetitions are kept; go on with: bench run --results %s --resume %s", err, f.results, id)
	}
	if err != nil {
		return err
	}
	return shown
}

func describe(p *bench.Plan) string {
	if p.Events > 0 {
		return fmt.Sprintf("Each repetition runs %d records from the first to the last, in a process of its own.", p.Events)
	}
	return "Throughput at saturation, latency in an open loop, checkpoints, and recovery after the job's process was killed with SIGKILL."
}

// show prints the table and writes report and figures, or prints lines.
func show(cmd *cobra.Command, dir string, lines bool) error {
	r, err := results.Read(dir)
	if err != nil {
		return err
	}
	if len(r.Samples) == 0 {
		return errors.New("nothing was measured")
	}
	if err := r.WriteTable(cmd.ErrOrStderr()); err != nil {
		return err
	}
	if lines {
		if err := writeLines(cmd.OutOrStdout(), r); err != nil {
			return err
		}
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
