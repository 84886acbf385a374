package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/exhaustive"
)

// whole is what sweep is told about searching everything instead of drawing.
type whole struct {
	exhaustive bool
	crashes    int
	images     int
}

func (w *whole) flags(f *pflag.FlagSet) {
	f.BoolVar(&w.exhaustive, "exhaustive", false, "search every order of what can happen in a small job, and crashes after every durable step, instead of drawing")
	f.IntVar(&w.crashes, "crashes", 1, "with --exhaustive: crashes in one run, at most")
	f.IntVar(&w.images, "images", exhaustive.DefaultImages, "with --exhaustive: states kept, at about 100 bytes; a search that needs more is not complete")
}

// smallJob is searched unless the lists say something else.
var smallJob = map[string]string{"algorithm": "aligned", "state": "heap", "workload": "keyedcount", "events": "1", "set": "keys=1"}

// notExhaustive are the flags of sweep that a search has no use for.
var notExhaustive = []string{"seeds", "jobs", "plan", "operations", "parallelism", "coordinators", "splits", "config", "explain"}

// checkSearch sees to it that the flags given go together, and sets the small job.
func (w *whole) checkSearch(f *pflag.FlagSet) error {
	if !w.exhaustive {
		for _, name := range []string{"crashes", "images"} {
			if f.Changed(name) {
				return fmt.Errorf("%w: --%s is for --exhaustive", errUsage, name)
			}
		}
		return nil
	}
	unused := slices.Clone(notExhaustive)
	for _, s := range dataflow.Settings() {
		unused = append(unused, s.Flag)
	}
	for _, name := range unused {
		if f.Changed(name) {
			return fmt.Errorf("%w: --%s does not go with --exhaustive, which draws nothing and has a task per operator", errUsage, name)
		}
	}
	if w.crashes < 0 || w.crashes > 4 || w.images < 1 {
		return fmt.Errorf("%w: --crashes %d --images %d; want 0 to 4 crashes, and at least 1 image", errUsage, w.crashes, w.images)
	}
	own := f.Changed("workload")
	for name, value := range smallJob { //det:unordered each flag is set once
		if f.Changed(name) || name == "set" && own {
			continue
		}
		if err := f.Set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// searched is what came of one search; the last of the output is their sum.
type searched struct {
	Algorithm   string  `json:"algorithm"`
	State       string  `json:"state"`
	Sink        string  `json:"sink"`
	Workload    string  `json:"workload"`
	Crashes     int     `json:"crashes"`         // in one run, at most
	Prompt      bool    `json:"prompt_messages"` // see exhaustive.Bounds
	Executions  int     `json:"executions"`      // runs to their end
	Distinct    int     `json:"distinct"`        // states at which something could be chosen
	Pruned      int     `json:"pruned"`          // runs that came to where the search had been
	Steps       int     `json:"steps"`           // choices tried
	Commuted    int     `json:"commuted"`        // choices left out, as they commute with others
	CrashPoints int     `json:"crash_points"`    // distinct
	Violations  int     `json:"violations"`      // runs with one
	Complete    bool    `json:"complete"`
	Share       float64 `json:"share"`
	Seconds     float64 `json:"seconds"`
	Interrupted bool    `json:"interrupted,omitempty"`
	First       string  `json:"first,omitempty"`
	worst       scenario.Kind
	plain       int // states that the search with one crash more has too
}

func (r *searched) add(o *searched) {
	r.Crashes = max(r.Crashes, o.Crashes)
	for _, p := range [...][2]*int{
		{&r.Executions, &o.Executions}, {&r.Distinct, &o.Distinct}, {&r.Pruned, &o.Pruned}, {&r.Steps, &o.Steps}, {&r.Commuted, &o.Commuted},
		{&r.CrashPoints, &o.CrashPoints}, {&r.Violations, &o.Violations},
	} {
		*p[0] += *p[1]
	}
	r.Complete = r.Complete && o.Complete
	r.Share = min(r.Share, o.Share)
	r.Seconds += o.Seconds
	r.worst = max(r.worst, o.worst)
	if r.First == "" {
		r.First = o.First
	}
}

// search searches every combination, with no crash first and then with one more each time.
func (f *sweepFlags) search(cmd *cobra.Command, cfgs []scenario.Config) error {
	if err := f.on(cfgs, cmd.Flags().Changed); err != nil {
		return err
	}
	var found *archive
	var err error
	if f.save != "" {
		if found, err = newArchive(f.save); err != nil {
			return err
		}
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	timed := ctx
	if f.budget > 0 {
		var cancel context.CancelFunc
		timed, cancel = context.WithTimeout(ctx, f.budget)
		defer cancel()
	}
	total := searched{Algorithm: "all", State: "all", Sink: "all", Workload: "all", Complete: true, Share: 1}
	var rows []searched
	for i := range cfgs {
		known := 0
		for _, b := range f.parts() {
			cmd.PrintErrf("%s, %s, %s, %s: at most %d crashes\n", cfgs[i].Algorithm.Name, cfgs[i].State, cfgs[i].SinkName(), cfgs[i].Workload.Name(), b.Crashes)
			r, err := f.searchOne(timed, cfgs[i], b, known, found)
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			rows = append(rows, r)
			total.add(&r)
			if known = 0; r.Complete && b.Prompt {
				known = r.plain
			}
			if r.Violations > 0 {
				break // with more crashes the same is found again
			}
		}
	}
	cause := context.Cause(ctx)
	total.Interrupted = cause != nil
	if err := f.printSearched(cmd, append(rows, total)); err != nil {
		return err
	}
	if err := found.print(cmd, f.known); err != nil {
		return err
	}
	switch {
	case total.worst > scenario.Fine:
		return &verdict{total.worst, fmt.Sprintf("%d runs were not fine; the first: %s", total.Violations, total.First)}
	case cause != nil:
		return fmt.Errorf("%w: not complete, share so far %.4f", cause, total.Share)
	}
	return nil
}

// parts are the searches of a combination: without a crash and with messages that wait,
// and then with messages to the coordinator (behind a crash: to tasks too) that do not, and ever more crashes.
func (w *whole) parts() []exhaustive.Bounds {
	list := []exhaustive.Bounds{{}}
	for n := 0; w.crashes > 0 && n <= w.crashes; n++ {
		list = append(list, exhaustive.Bounds{Crashes: n, Prompt: true})
	}
	return list
}

// searchOne searches one combination until it is complete or ctx ends.
func (f *sweepFlags) searchOne(ctx context.Context, c scenario.Config, b exhaustive.Bounds, known int, found *archive) (searched, error) {
	row := searched{Algorithm: c.Algorithm.Name, State: c.State, Sink: c.SinkName(), Workload: c.Workload.Name(), Crashes: b.Crashes, Prompt: b.Prompt}
	job, err := exhaustive.NewJob(c, b)
	if err != nil {
		return row, err
	}
	defer job.Close()
	s := &exhaustive.Search{System: job, MostImages: f.images, Known: known}
	start := time.Now()
	bar := newBar(-1)
	for ctx.Err() == nil {
		if !s.Next() {
			row.Complete = !s.Full
			break
		}
		if job.Found() {
			row.Violations++
			o := job.Replay(s.Choices())
			if row.First == "" {
				row.First = o.Why()
			}
			row.worst = max(row.worst, o.Kind)
			found.keepRecorded(o)
			if c.Mutant != "" {
				break // the question was whether it is found
			}
		}
		_ = bar.Add(1)
		if n := s.Executions + s.Pruned; n%1000 == 0 {
			bar.Describe(fmt.Sprintf("share %.4f, %d states, %d crash points, %d violations; runs", s.Share(), s.Points, s.Crashes, row.Violations))
		}
	}
	_ = bar.Finish()
	row.Executions, row.Distinct, row.Pruned, row.Steps, row.Commuted, row.CrashPoints = s.Executions, s.Points, s.Pruned, s.Steps, s.Asleep, s.Crashes
	row.plain = s.Plain
	row.Share, row.Seconds = s.Share(), time.Since(start).Seconds()
	return row, nil
}

// keepRecorded saves the first run of its signature, whose decisions were recorded.
func (a *archive) keepRecorded(o *scenario.Outcome) {
	if a == nil || o.Report == nil || o.Kind <= scenario.Broken {
		return
	}
	s := counterexample.SignatureOf(o)
	if a.seen[s] {
		return
	}
	a.seen[s] = true
	name := filepath.Join(a.dir, s.String()+extension)
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		a.note("", err) // of an earlier search: it stays
		return
	}
	a.note(name, save(name, o))
}

// printSearched writes a line for each search and, last, their sum.
func (f *sweepFlags) printSearched(cmd *cobra.Command, rows []searched) error {
	if !f.json {
		return printSearchTable(cmd.OutOrStdout(), rows)
	}
	if err := printSearchTable(cmd.ErrOrStderr(), rows); err != nil {
		return err
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	for i := range rows {
		if err := enc.Encode(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func printSearchTable(w io.Writer, rows []searched) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(tw, format, args...) }
	p("ALGORITHM\tSTATE\tSINK\tWORKLOAD\tCRASHES\tRUNS TO THE END\tPRUNED\tSTATES\tCRASH POINTS\tCOMMUTED\tVIOLATIONS\tSHARE\tSECONDS\tVERDICT\n")
	for i := range rows {
		r := &rows[i]
		p("%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.4f\t%.1f\t%s\n", r.Algorithm, r.State, r.Sink, r.Workload, r.Crashes, r.Executions, r.Pruned, r.Distinct, r.CrashPoints, r.Commuted, r.Violations, r.Share, r.Seconds, r.verdict())
	}
	return tw.Flush()
}

func (r *searched) verdict() string {
	switch {
	case r.Violations > 0:
		return "BROKEN"
	case r.Complete:
		return "complete, kept"
	}
	return "NOT COMPLETE, kept so far"
}
