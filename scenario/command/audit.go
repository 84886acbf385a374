package command

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/scenario"
)

// auditFlags are the flags of audit beside those of choice.
type auditFlags struct {
	choice
	seeds     string
	jobs      int
	with      string
	against   string
	list      bool
	backwards bool
	window    int
}

// auditedSeeds are those of an audit unless they are given.
const auditedSeeds = "1-100"

func newAudit(p *program) *cobra.Command {
	f := auditFlags{choice: choice{known: p}}
	cmd := quiet(&cobra.Command{
		Use:   "audit",
		Short: "Make runs in two processes and compare them event by event",
		Long: fmt.Sprintf(`Make each run twice, in this process and in another one, which goes through the runs the other way
round, and compare hashes every %d events, at the end, and what the oracles say. Of the first run
that differs it names the window of events, makes both again, and names the first event that differs. The other
process is this program, or another build of it: of another platform, or with the race detector.

With --list it compares nothing and prints a line for each run, which --against compares with: so runs of a
platform are held against those of another one that is not at hand. Runs are drawn as by sweep.`, scenario.AuditWindow),
		Example: `  go run ./cmd/sim audit --seeds 1-1000
  go run ./cmd/sim audit --algorithm all --state pebble --workload nexmark-q5 --seeds 7
  GOARCH=386 go build -o sim-386 ./cmd/sim && go run ./cmd/sim audit --with ./sim-386
  go run ./cmd/sim audit --seeds 1-40 --list > hashes    # and elsewhere: audit --seeds 1-40 --against hashes`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	})
	fl := cmd.Flags()
	f.flags(fl, "all", "all", "all")
	fl.StringVar(&f.seeds, "seeds", auditedSeeds, "seeds `A-B`, as of sweep")
	fl.IntVar(&f.jobs, "jobs", 1, "runs at once in each process")
	fl.StringVar(&f.with, "with", "", "`command` that runs another build; if not given this program runs itself")
	fl.StringVar(&f.against, "against", "", "compare with the lines in this `file`, which --list has printed")
	fl.BoolVar(&f.list, "list", false, "print a line for each run and compare nothing")
	fl.BoolVar(&f.backwards, "backwards", false, "make the runs from the last to the first")
	fl.IntVar(&f.window, "window", -1, "print the events of the one run through this window, which counts from 0, and compare nothing")
	return cmd
}

func (f *auditFlags) run(cmd *cobra.Command) error {
	if err := f.agree(); err != nil {
		return err
	}
	runs, err := f.runs(cmd.Flags().Changed)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	switch {
	case f.window >= 0:
		return f.printEvents(ctx, cmd.OutOrStdout(), runs)
	case f.list:
		return f.print(ctx, cmd.OutOrStdout(), runs)
	}
	return f.compare(ctx, cmd, runs)
}

// agree returns an error for flags that contradict each other.
func (f *auditFlags) agree() error {
	given := 0
	for _, is := range []bool{f.with != "", f.against != "", f.list, f.window >= 0} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return fmt.Errorf("%w: --with, --against, --list and --window: each says what becomes of the runs; give one of them", errUsage)
	case f.jobs < 1:
		return fmt.Errorf("%w: --jobs %d; it must be at least 1", errUsage, f.jobs)
	}
	return nil
}

// runs returns the runs in the order in which they are made.
func (f *auditFlags) runs(given func(flag string) bool) ([]drawnRun, error) {
	over, err := seeds(f.seeds)
	if err != nil {
		return nil, err
	}
	chosen, err := f.choose(given)
	if err != nil {
		return nil, err
	}
	var cells *scenario.Cells
	if chosen.drawn {
		cells = chosen.cells()
	}
	var runs []drawnRun
	for n := over.first; ; n++ {
		if cells != nil {
			runs = append(runs, drawnRun{n, cells.Draw(n)})
		} else {
			for _, cfg := range chosen.cfgs {
				if len(chosen.cfgs) == 1 || refusal(cfg.Refused()) == "" {
					runs = append(runs, drawnRun{n, cfg})
				}
			}
		}
		if n == over.last {
			break
		}
	}
	if f.backwards {
		slices.Reverse(runs)
	}
	return runs, nil
}

func (f *auditFlags) choose(given func(flag string) bool) (selection, error) {
	if draws(given) {
		return f.cells(given)
	}
	return f.combinations(true)
}

// runner returns what makes a run, which has a workload of its own.
func (f *auditFlags) runner(ctx context.Context, w *drawnRun) (r *scenario.Runner, err error) {
	if w.cfg.Workload, err = f.makeWorkload(w.cfg.Workload.Name(), true); err != nil {
		return nil, err
	}
	if r, err = scenario.New(w.cfg); err != nil {
		return nil, fmt.Errorf("%w: %w\nwith %s", errUsage, err, w.cfg.Command(w.seed))
	}
	r.Interrupted = ended(ctx)
	return r, nil
}

// each makes the runs and hands what they leave to take, one at a time.
func (f *auditFlags) each(ctx context.Context, runs []drawnRun, take func(w *drawnRun, a *scenario.Audited) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan *drawnRun)
	for range f.jobs {
		wg.Go(func() {
			for w := range work {
				a, err := f.audit(ctx, w)
				mu.Lock()
				if err == nil && ctx.Err() == nil {
					err = take(w, a)
				}
				mu.Unlock()
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range runs {
		select {
		case work <- &runs[i]:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

func (f *auditFlags) audit(ctx context.Context, w *drawnRun) (*scenario.Audited, error) {
	r, err := f.runner(ctx, w)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	a, o := r.Audit(w.seed)
	switch {
	case o.Kind == scenario.Interrupted:
		return nil, context.Cause(ctx)
	case o.Report == nil:
		return nil, o.Err
	}
	return &a, nil
}

// print writes what the runs leave, a line each.
func (f *auditFlags) print(ctx context.Context, w io.Writer, runs []drawnRun) error {
	enc := json.NewEncoder(w)
	return f.each(ctx, runs, func(_ *drawnRun, a *scenario.Audited) error { return enc.Encode(a) })
}

// printEvents writes the events of the one run, a line each.
func (f *auditFlags) printEvents(ctx context.Context, w io.Writer, runs []drawnRun) error {
	if len(runs) != 1 {
		return fmt.Errorf("%w: --window prints the events of one run, and there are %d", errUsage, len(runs))
	}
	lines, err := f.eventsOf(ctx, &runs[0], f.window)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	for _, line := range lines {
		_, _ = fmt.Fprintln(out, line)
	}
	return out.Flush()
}

func (f *auditFlags) eventsOf(ctx context.Context, w *drawnRun, window int) ([]string, error) {
	r, err := f.runner(ctx, w)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	lines, o := r.AuditEvents(w.seed, window)
	switch {
	case o.Kind == scenario.Interrupted:
		return nil, context.Cause(ctx)
	case o.Report == nil:
		return nil, o.Err
	}
	return lines, nil
}

// compare holds the runs against those of the other side.
func (f *auditFlags) compare(ctx context.Context, cmd *cobra.Command, runs []drawnRun) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := newComparison(runs)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f.others(ctx, cmd.Flags(), c.theirs); err != nil {
			cancel(err)
		}
	})
	err := f.each(ctx, runs, c.ours)
	if err != nil {
		cancel(err)
	}
	wg.Wait()
	if err := cmp.Or(context.Cause(ctx), err); err != nil {
		return err
	}
	if err := c.complete(); err != nil {
		return err
	}
	s := auditSummary{Runs: len(runs), Events: c.events, Windows: c.windows, Mismatches: len(c.parted)}
	if len(c.parted) > 0 {
		first := slices.MinFunc(c.parted, func(a, b parting) int { return cmp.Compare(a.run.seed, b.run.seed) })
		s.First = first.run.cfg.Command(first.run.seed) + ": " + first.where
		if s.Event, err = f.firstEvent(ctx, cmd.Flags(), first); err != nil {
			return err
		}
	}
	return s.print(cmd, f.json)
}

// auditSummary is what comes of an audit.
type auditSummary struct {
	Runs       int    `json:"runs"` // made twice
	Events     int    `json:"events"`
	Windows    int    `json:"windows"`
	Mismatches int    `json:"mismatches"`
	First      string `json:"first,omitempty"`
	Event      string `json:"event,omitempty"`
}

func (s *auditSummary) print(cmd *cobra.Command, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(s)
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d runs twice, %d events in %d windows: %d mismatches\n", s.Runs, s.Events, s.Windows, s.Mismatches)
	}
	if err != nil || s.Mismatches == 0 {
		return err
	}
	text := fmt.Sprintf("%d of %d runs are not the same twice\n%s", s.Mismatches, s.Runs, s.First)
	if s.Event != "" {
		text += "\n" + s.Event
	}
	return &verdict{scenario.Unsafe, text}
}

// comparison holds what two sides say of the same runs against each other, in whatever order
// they come.
type comparison struct {
	mu      sync.Mutex
	runs    map[string]*drawnRun // by command
	waiting map[string]*scenario.Audited
	done    map[string]bool
	parted  []parting
	events  int
	windows int
}

// parting is a run that is not the same twice.
type parting struct {
	run    *drawnRun
	where  string
	window int
}

func newComparison(runs []drawnRun) *comparison {
	c := &comparison{runs: map[string]*drawnRun{}, waiting: map[string]*scenario.Audited{}, done: map[string]bool{}}
	for i := range runs {
		c.runs[runs[i].cfg.Command(runs[i].seed)] = &runs[i]
	}
	return c
}

func (c *comparison) ours(_ *drawnRun, a *scenario.Audited) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events, c.windows = c.events+a.Events, c.windows+len(a.Sums)
	c.take(a)
	return nil
}

func (c *comparison) theirs(a *scenario.Audited) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs[a.Run] == nil {
		return fmt.Errorf("the other side has a run that there is not here: %s\nits seeds, its lists or its catalogs are others", a.Run)
	}
	c.take(a)
	return nil
}

func (c *comparison) take(a *scenario.Audited) {
	b := c.waiting[a.Run]
	if b == nil {
		c.waiting[a.Run] = a
		return
	}
	delete(c.waiting, a.Run)
	c.done[a.Run] = true
	if where, window := a.Differs(b); where != "" {
		c.parted = append(c.parted, parting{c.runs[a.Run], where, window})
	}
}

// complete returns an error if a run was made on one side alone.
func (c *comparison) complete() error {
	for run := range c.runs { //det:unordered the smallest is named
		if !c.done[run] {
			return fmt.Errorf("%d of %d runs are missing on one side, %s among them", len(c.runs)-len(c.done), len(c.runs), run)
		}
	}
	return nil
}

// others hands what the other side's runs leave to take, as they come.
func (f *auditFlags) others(ctx context.Context, flags *pflag.FlagSet, take func(*scenario.Audited) error) error {
	if f.against != "" {
		file, err := os.Open(f.against)
		if err != nil {
			return fmt.Errorf("%w: --against: %w", errUsage, err)
		}
		defer func() { _ = file.Close() }()
		return auditedLines(file, f.against, take)
	}
	return f.other(ctx, flags, []string{"--list", "--backwards"}, func(out io.Reader) error { return auditedLines(out, "the other process", take) })
}

func auditedLines(r io.Reader, name string, take func(*scenario.Audited) error) error {
	dec := json.NewDecoder(r)
	for n := 1; ; n++ {
		a := &scenario.Audited{}
		switch err := dec.Decode(a); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: run %d of %s is none that audit --list has printed: %w", errUsage, n, name, err)
		}
		if err := take(a); err != nil {
			return err
		}
	}
}

// other runs the other build with the flags of this one, but for what becomes of the
// runs, and others at their end. read gets what it prints.
func (f *auditFlags) other(ctx context.Context, flags *pflag.FlagSet, more []string, read func(io.Reader) error) error {
	words := strings.Fields(f.with)
	if len(words) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		words = []string{self}
	}
	args := append(append(words[1:len(words):len(words)], "audit"), flagsOf(flags)...)
	child := exec.CommandContext(ctx, words[0], append(args, more...)...)
	var said strings.Builder
	child.Stderr = &said
	child.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", f.jobs))
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("%w: --with: %w", errUsage, err)
	}
	readErr := read(out)
	_, _ = io.Copy(io.Discard, out) // else it waits to be read
	if err := child.Wait(); err != nil && readErr == nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(child.Args, " "), err, strings.TrimSpace(said.String()))
	}
	return readErr
}

// flagsOf returns the flags given that say which runs there are.
func flagsOf(flags *pflag.FlagSet) (args []string) {
	flags.Visit(func(g *pflag.Flag) {
		switch g.Name {
		case "with", "against", "json":
			return
		}
		values := []string{g.Value.String()}
		if list, ok := g.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			args = append(args, "--"+g.Name+"="+v)
		}
	})
	return args
}

// attempts is how often two runs are made again to see where they part: where chance
// decides they may do so later, or not at all.
const attempts = 3

// firstEvent makes a run that parts again on both sides and names the first event that differs.
func (f *auditFlags) firstEvent(ctx context.Context, flags *pflag.FlagSet, p parting) (string, error) {
	switch {
	case p.window < 0:
		return "", nil
	case f.against != "":
		return "compare with the build itself, by --with, to see the event", nil
	}
	c := &p.run.cfg
	which := []string{
		fmt.Sprintf("--seeds=%d", p.run.seed), fmt.Sprintf("--window=%d", p.window), "--backwards=false",
	}
	if !draws(flags.Changed) { // else the seed says it
		which = append(which, "--algorithm="+c.Algorithm.Name, "--state="+c.State, "--sink="+c.SinkName(), "--workload="+c.Workload.Name())
	}
	for range attempts {
		ours, err := f.eventsOf(ctx, p.run, p.window)
		if err != nil {
			return "", err
		}
		var theirs []string
		err = f.other(ctx, flags, which, func(out io.Reader) error {
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				theirs = append(theirs, lines.Text())
			}
			return lines.Err()
		})
		if err != nil {
			return "", err
		}
		if d := scenario.FirstDifference(ours, theirs); d != "" {
			return d, nil
		}
	}
	return fmt.Sprintf("made again %d times by itself it did not part: chance decides, or what earlier runs of the process have left", attempts), nil
}
