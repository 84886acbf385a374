package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/explain"
	"weir/trace"
	"weir/workloads"
)

func newExplain(p *program) *cobra.Command {
	f := explainFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "explain FILE",
		Short: "Show what led to the violation of a saved counterexample: a story, a page, a trace",
		Long: `Run a saved counterexample again and show what led to its violation: as numbered
sentences (--text, which is what is done if nothing else is asked for), as one page with a
space-time diagram that needs nothing beside it (--html), or as a trace for Perfetto
(--perfetto, with flows; open it at ui.perfetto.dev).`,
		Example: `  go run ./cmd/sim run --mutant no-fence --seed 4 --save found.weir
  go run ./cmd/sim explain found.weir                       # the sentences, to stdout
  go run ./cmd/sim explain found.weir --html                # writes found.html
  go run ./cmd/sim explain found.weir --html -o page.html --whole
  go run ./cmd/sim explain found.weir --html --cause        # with a curve: when it became near certain
  go run ./cmd/sim explain found.weir --perfetto            # writes found.pftrace`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = oneFile
	fl := cmd.Flags()
	fl.BoolVar(&f.text, "text", false, "numbered sentences in the words of algorithms/stories")
	fl.BoolVar(&f.html, "html", false, "one page: open it in a browser")
	fl.BoolVar(&f.perfetto, "perfetto", false, "a trace of TrackEvents with flows; always the whole run")
	fl.StringVarP(&f.out, "out", "o", "", "`file` to write; -: stdout; if not given stdout for --text, else FILE with another ending")
	fl.BoolVar(&f.cause, "cause", false, "with --html or --text: how likely the failure was in the course of the run, as the command cause finds it")
	fl.BoolVar(&f.whole, "whole", false, "the whole run, not only what is around the violation")
	return cmd
}

type explainFlags struct {
	known                       *program
	text, html, perfetto, whole bool
	cause                       bool
	out                         string
}

// form is a way to tell a run.
type form struct {
	flag, ending string
	write        func(r *explain.Run, t *explain.Told, b *bytes.Buffer) error
}

// form returns the one that was asked for.
func (f *explainFlags) form() (*form, error) {
	all := []struct {
		asked bool
		form
	}{
		{f.text, form{"--text", "", func(r *explain.Run, t *explain.Told, b *bytes.Buffer) error { return r.WriteStory(b, t, f.whole) }}},
		{f.html, form{"--html", pageEnding, func(r *explain.Run, t *explain.Told, b *bytes.Buffer) error { return r.WritePage(b, t, f.whole) }}},
		{f.perfetto, form{"--perfetto", ".pftrace", func(r *explain.Run, t *explain.Told, b *bytes.Buffer) error { return r.WritePerfetto(b, t) }}},
	}
	var which []string
	chosen := &all[0].form
	for i := range all {
		if all[i].asked {
			which = append(which, all[i].flag)
			chosen = &all[i].form
		}
	}
	if len(which) > 1 {
		return nil, fmt.Errorf("%w: %s: each is a form of its own; give one of them", errUsage, strings.Join(which, " and "))
	}
	if f.cause && f.perfetto {
		return nil, fmt.Errorf("%w: --cause: a trace for Perfetto has no curve; give --html or --text", errUsage)
	}
	return chosen, nil
}

func (f *explainFlags) run(cmd *cobra.Command, name string) error {
	form, err := f.form()
	if err != nil {
		return err
	}
	file, cfg, err := f.known.open(name)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	run, told, err := f.known.explain(ctx, name, file, cfg)
	if err != nil {
		return err
	}
	for _, c := range told.Changed {
		cmd.PrintErrln("not as it was saved:", c)
	}
	if f.cause {
		curve, err := curveOf(ctx, name, file, cfg, causeRuns)
		if err != nil {
			return err
		}
		run.SetCurve(likelihoods(curve))
		told.Cause = causeOf(run, curve)
	}
	var b bytes.Buffer
	if err := form.write(run, told, &b); err != nil {
		return err
	}
	if f.out == "" && form.ending != "" {
		f.out = beside(name, form.ending)
	}
	if f.out == "" || f.out == "-" {
		if _, err := cmd.OutOrStdout().Write(b.Bytes()); err != nil {
			return fmt.Errorf("the explanation was not written: %w", err)
		}
		return nil
	}
	if err := write(f.out, b.Bytes()); err != nil {
		return fmt.Errorf("the explanation was not written: %w", err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\nwrote %s: %d events, %d of them the chain of causes\n", told.Headline(run), f.out, len(run.Events), len(run.Chain))
	return err
}

// causeOf says in a sentence when the failure became near certain.
func causeOf(run *explain.Run, c *counterexample.Curve) string {
	i := slices.IndexFunc(run.Curve, func(p explain.Likelihood) bool { return p.Turn })
	switch {
	case i < 0:
		return "Runs that begin as this one and end otherwise: the failure " + turned(c) + "."
	case c.Before == nil:
		return fmt.Sprintf("Runs that begin as this one and end otherwise: the failure was near certain from the start (%d of %d).", c.Turn.Hits, c.Turn.Runs)
	}
	at := run.Curve[i].Event
	return fmt.Sprintf("Runs that begin as this one and end otherwise: the failure was near certain from %s on (%s): %d of %d before, %d of %d then.",
		run.When(at), run.Sentence(at), c.Before.Hits, c.Before.Runs, c.Turn.Hits, c.Turn.Runs)
}

// likelihoods returns a curve as the page takes it.
func likelihoods(c *counterexample.Curve) []explain.Likelihood {
	var all []explain.Likelihood
	for i := range c.Points {
		p := &c.Points[i]
		all = append(all, explain.Likelihood{Event: p.Event, Rate: p.Rate.Rate, Lo: p.Lo, Hi: p.Hi, Turn: c.Turn != nil && p.Event == c.Turn.Event && p.Decisions == c.Turn.Decisions})
	}
	return all
}

// beside returns the name of what is written beside a counterexample.
func beside(name, ending string) string { return strings.TrimSuffix(name, extension) + ending }

// writePage writes the page of a counterexample beside it.
func (p *program) writePage(ctx context.Context, name string) (string, error) {
	file, cfg, err := p.open(name)
	if err != nil {
		return "", err
	}
	run, told, err := p.explain(ctx, name, file, cfg)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := run.WritePage(&b, told, false); err != nil {
		return "", err
	}
	out := beside(name, pageEnding)
	if err := write(out, b.Bytes()); err != nil {
		return "", fmt.Errorf("the page was not written: %w", err)
	}
	return out, nil
}

// pageEnding is how files of pages end.
const pageEnding = ".html"

// rowOf returns what renders one row as the answer has it: "" if it cannot be read.
func rowOf(w workloads.Workload) func(row []byte) string {
	return func(row []byte) string {
		rows, _ := w.Canonical([][]byte{row}) // that others are missing does not matter
		if len(rows) != 1 {
			return ""
		}
		return string(rows[0])
	}
}

// explain runs a counterexample again and returns what happened.
func (p *program) explain(ctx context.Context, name string, file *counterexample.File, cfg scenario.Config) (*explain.Run, *explain.Told, error) {
	cfg.Record = true
	r, err := scenario.New(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", errUsage, name, err)
	}
	defer r.Close()
	r.Interrupted = ended(ctx)
	recorder := explain.NewRecorder(explain.Job{Tasks: r.Tasks(), Now: r.Tasks, WorkerOf: r.WorkerOf, RecordID: cfg.Workload.RecordID, Row: rowOf(cfg.Workload)}, r.Violations)
	r.Observers = []trace.Observer{recorder}
	o := r.Replay(file.Seed, file.Drawn())
	if o.Kind == scenario.Interrupted {
		return nil, nil, context.Cause(ctx)
	}
	if o.Report == nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", errUsage, name, o.Err)
	}
	var now counterexample.File
	stamp(&now)
	result, changed := file.Compare(o, &now)
	if result == counterexample.NotShown {
		return nil, nil, errors.New(strings.Join(append([]string{
			fmt.Sprintf("%s does not show %s with this build any more: there is nothing to explain, and nothing was written", name, &file.Showing)}, changed...), "\n  "))
	}
	if result == counterexample.Same {
		changed = nil // another build that does the same to the last event
	}
	combination := fmt.Sprintf("%s on %s into %s, %s, seed %d", file.Algorithm, file.State, file.Sink, file.Workload, file.Seed)
	if file.Mutant != "" {
		combination += ", with the planted mistake " + file.Mutant
	}
	is := counterexample.ShowingOf(o)
	return recorder.Run(o.Violation()), &explain.Told{
		Combination: combination, Verdict: is.Verdict, Oracle: is.Oracle, Why: o.Why(), Waiting: o.Result.Standstill, Changed: changed,
		Replay: fmt.Sprintf("%s replay %s", p.call, name),
	}, nil
}
