package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"weir/dataflow"
	"weir/external/sinks"
	"weir/scenario"
	"weir/scenario/explore"
)

// sweepFlags are the flags of sweep beside those of choice.
type sweepFlags struct {
	choice
	strike
	whole
	seeds  string
	policy string
	budget time.Duration
	jobs   int
	save   string
	pages  bool
}

// newSweep returns the command that sweeps; the root command is one too.
func newSweep(p *program) *cobra.Command {
	f := &sweepFlags{choice: choice{known: p}}
	cmd := quiet(&cobra.Command{
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	})
	f.strike.flags(cmd.Flags())
	f.choice.flags(cmd.Flags(), "all", "all", "all")
	f.whole.flags(cmd.Flags())
	cmd.Flags().StringVar(&f.seeds, "seeds", "", fmt.Sprintf("seeds `A-B`: of each combination, %s if not given; of all runs where each draws its own, %s", listedSeeds, drawnSeeds))
	cmd.Flags().StringVar(&f.policy, "policy", explore.Default, "what proposes the runs: "+strings.Join(explore.Names(), ", ")+"; those that learn make as many as there are seeds")
	cmd.Flags().DurationVar(&f.budget, "budget", 0, "end after this time; runs under way then do not count; 0: run all")
	cmd.Flags().IntVar(&f.jobs, "jobs", runtime.NumCPU(), "combinations at once")
	cmd.Flags().StringVar(&f.save, "save", "", "write the first violation of each kind to a file in this `directory`, for replay; files that are there stay")
	cmd.Flags().BoolVar(&f.pages, "explain", false, "write the page of each file that --save has written beside it")
	return cmd
}

func newSweepCommand(p *program) *cobra.Command {
	cmd := newSweep(p)
	cmd.Use = "sweep"
	cmd.Short = "Run many seeds under drawn faults: of drawn combinations, or of every one of the lists"
	cmd.Long = `Run many seeds under drawn faults.

Without --algorithm, --state, --sink, --workload and --plan each run draws its cell from its seed: the
combination, and of its job the parallelism, the workers, the splits and whether channels keep their
order. Seeds go round all combinations that can run, in an order that is stratified pairwise. A row of the table is of all
runs with one algorithm and sink. What of the shape is given is not drawn. One of four runs draws operations beside its
faults, each kind in half of these, unless --operations says which all of them draw, or none; one of eight
is given settings of the coordinator.

With one of those flags every combination of the lists runs every seed.

Of each kind of failure it says how often it came, with the 95 % interval of its rate (Wilson 1927), and after how many
runs of its row without it it counts as mended: the least n with (1-lower end)^n <= 0.05.

With --exhaustive nothing is drawn: a small job (a task per operator, at most 4 records, two checkpoints)
is run in every order of deliveries, completions, timers and turns of sources that is another one up to
steps that commute, first without a crash and then with one more each time, after every durable step.
A mistake that is switched on ends the search when it is found. What is left out says go doc weir/scenario/exhaustive. It says whether it came to the end, or
the share that it covered.`
	cmd.Example = `  go run ./cmd/sim sweep --seeds 1-10000 --json                          # each run draws its combination
  go run ./cmd/sim sweep --mutant no-fence --save found                  # and after how many runs it is found
  go run ./cmd/sim sweep --algorithm all --state all --workload all --seeds 1-200 --json
  go run ./cmd/sim sweep --algorithm aligned,unaligned --state heap --workload keyedcount --seeds 1-10000
  go run ./cmd/sim sweep --state heap --sink all --seeds 1-30
  go run ./cmd/sim sweep --operations all --seeds 1-100 --json           # jobs are rescaled, and their coordinators fail over, while they crash
  go run ./cmd/sim sweep --algorithm all --plan '(plan (crash worker=1 at (nth 3 triggered)))' --seeds 1-50
  go run ./cmd/sim sweep --algorithm aligned --state heap --workload keyedcount --mutant no-fence --seeds 1-500 --save found    # then: replay found/FILE
  go run ./cmd/sim sweep --algorithm aligned --state heap --workload keyedcount --mutant no-fence --seeds 1-500 --save found --explain    # a page for each
  go run ./cmd/sim sweep --budget 60s --seeds 1-1000000
  go run ./cmd/sim sweep --exhaustive --json                        # every order of one record, one crash
  go run ./cmd/sim sweep --exhaustive --events 2 --set keys=2 --crashes 2 --budget 10m    # as far as it comes
  go run ./cmd/sim sweep --exhaustive --mutant no-fence --save found`
	return cmd
}

func (f *sweepFlags) run(cmd *cobra.Command) error {
	if err := f.checkSearch(cmd.Flags()); err != nil {
		return err
	}
	chosen, err := f.choose(cmd.Flags().Changed)
	if err != nil {
		return err
	}
	cfgs := chosen.cfgs
	if f.exhaustive {
		return f.search(cmd, cfgs)
	}
	if err := f.on(cfgs, cmd.Flags().Changed); err != nil {
		return err
	}
	if err := f.checkPolicy(cmd.Flags().Changed); err != nil {
		return err
	}
	over, err := seeds(cmp.Or(f.seeds, chosen.seeds()))
	switch {
	case err != nil:
		return err
	case f.jobs < 1:
		return fmt.Errorf("%w: --jobs %d; it must be at least 1", errUsage, f.jobs)
	case f.pages && f.save == "":
		return fmt.Errorf("%w: --explain explains what --save has saved, and there is no --save", errUsage)
	case f.budget < 0:
		return fmt.Errorf("%w: --budget %s; it must be above zero, or 0 to run all seeds", errUsage, f.budget)
	}
	var found *archive
	if f.save != "" {
		if found, err = newArchive(f.save); err != nil {
			return err
		}
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	cmd.PrintErrf("%s; seeds %d to %d%s\n", &chosen, over.first, over.last, chosen.each())
	start := time.Now()
	total := tally{Algorithm: "all", State: "all", Sink: "all", Workload: "all", PairwiseOf: chosen.pairwiseOf}
	rows, err := f.sweep(ctx, &chosen, over, found, &total)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].neverStruck()
		rows[i].judgeRates()
		if f.policy != explore.Default && rows[i].Replay != "" {
			rows[i].Replay = "no seed alone makes this run: sweep again with --save DIR, and replay the file"
		}
		total.add(&rows[i])
	}
	total.rates(time.Since(start))
	printNotJudged(cmd, rows)
	cause := context.Cause(ctx)
	total.Interrupted = cause != nil
	if err := f.print(cmd, rows, &total); err != nil {
		return err
	}
	var end []string
	if err := found.print(cmd, f.known); err != nil {
		end = append(end, err.Error())
	}
	if f.pages && cause == nil {
		if err := found.explain(ctx, cmd, f.known); err != nil {
			end = append(end, err.Error())
		}
	}
	if cause != nil {
		end = append(end, fmt.Sprintf("%v after %d runs", cause, total.Runs))
	}
	if total.worst != scenario.Fine {
		end = append(end, fmt.Sprintf("%d safety violations, %d runs without progress, %d errors", total.Safety, total.Progress, total.Errors))
		return &verdict{total.worst, strings.Join(end, "; ")}
	}
	if cause != nil {
		return fmt.Errorf("%w after %d runs", cause, total.Runs)
	}
	return nil
}

// choose returns the combinations that the flags name, or those to draw from.
func (f *sweepFlags) choose(given func(flag string) bool) (selection, error) {
	if draws(given) && f.policy == explore.Default && !f.exhaustive { // other policies learn from run to run of one combination
		return f.cells(given)
	}
	return f.combinations(true)
}

// sweep makes the runs; total hears what is known of all of them together alone.
func (f *sweepFlags) sweep(ctx context.Context, chosen *selection, over seedRange, found *archive, total *tally) ([]tally, error) {
	if !chosen.drawn {
		return sweep(ctx, chosen.cfgs, over, f.budget, f.jobs, f.policy, found)
	}
	d := newDrawing(&f.choice, chosen, found)
	rows, err := d.sweep(ctx, over, f.budget, f.jobs)
	total.DrawnFrom = d.cells.Len()
	total.Find, total.Marks = d.find(over.first), d.marks.List()
	return rows, err
}

// checkPolicy refuses a policy that there is not, and one that would not be heard.
func (f *sweepFlags) checkPolicy(given func(flag string) bool) error {
	names, err := pick("policy", f.policy, explore.Names())
	switch {
	case err != nil:
		return err
	case len(names) != 1:
		return fmt.Errorf("%w: --policy %s: a sweep has one; mutants --policy compares several", errUsage, f.policy)
	case f.policy != explore.Default && given("plan"):
		return fmt.Errorf("%w: --plan says what strikes, and --policy %s would propose it", errUsage, f.policy)
	}
	return nil
}

// printNotJudged says for each workload without a reference answer by what it is judged.
func printNotJudged(cmd *cobra.Command, rows []tally) {
	said := map[string]bool{}
	for i := range rows {
		if text := rows[i].NotJudged; text != "" && !said[text] {
			said[text] = true
			cmd.PrintErrln(text)
		}
	}
}

// print writes the table to stdout, or with --json the lines, and then the
// table to stderr.
func (f *sweepFlags) print(cmd *cobra.Command, rows []tally, total *tally) error {
	if !f.json {
		return printMatrix(cmd.OutOrStdout(), rows, total)
	}
	if err := printMatrix(cmd.ErrOrStderr(), rows, total); err != nil {
		return err
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	for i := range rows {
		if err := enc.Encode(&rows[i]); err != nil {
			return err
		}
	}
	return enc.Encode(total)
}

// sweep runs every combination for every seed, several combinations at once,
// until ctx or the budget ends; runs under way then are not counted. Of several, one that an algorithm cannot run by what it declares
// or its sink promises is listed as refused; that none is left is an error. Seeds go round: all combinations get the first seed before any
// gets the one after, so that a budget cuts all alike. found keeps what fails.
func sweep(ctx context.Context, cfgs []scenario.Config, over seedRange, budget time.Duration, jobs int, policy string, found *archive) ([]tally, error) {
	if budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, budget)
		defer cancel()
	}
	rows := make([]tally, len(cfgs))
	explorers := make([]*explore.Explorer, len(cfgs))
	var run []int // those that are not refused
	var refused error
	for i, c := range cfgs {
		rows[i] = newTally(&cfgs[i])
		r, err := scenario.New(c)
		if why := refusal(err); why != "" && len(cfgs) > 1 {
			rows[i].Refused, refused = why, err
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		defer r.Close()
		r.Interrupted = ended(ctx)
		if explorers[i], err = explore.New(policy, r, over.first); err != nil {
			return nil, err
		}
		run = append(run, i)
	}
	if len(run) == 0 {
		return nil, fmt.Errorf("%w: all %d combinations are refused; the last one: %w", errUsage, len(cfgs), refused)
	}
	bar := newBar(over.runs(len(run)))
	for part, more := over.part(); ctx.Err() == nil; part, more = over.part() {
		var wg sync.WaitGroup
		work := make(chan int)
		for range min(jobs, len(run)) {
			wg.Go(func() {
				for i := range work {
					for n := part.first; ctx.Err() == nil; n++ {
						if o := found.keep(explorers[i].Next(), explorers[i].Again); o.Kind != scenario.Interrupted {
							rows[i].note(o, n)
							_ = bar.Add64(1)
						}
						if n == part.last {
							break
						}
					}
				}
			})
		}
		for _, i := range run {
			work <- i
		}
		close(work)
		wg.Wait()
		if !more {
			break
		}
	}
	_ = bar.Finish()
	return rows, nil
}

// refusal returns why an algorithm cannot run a workload, or cannot serve a sink;
// "" if err says something else.
func refusal(err error) string {
	var job *dataflow.Refusal
	var sink *sinks.Refusal
	switch {
	case errors.As(err, &job):
		return job.Error()
	case errors.As(err, &sink):
		return sink.Error()
	}
	return ""
}

// chunk is the number of seeds of one turn of a combination.
const chunk = 5

// part takes the next seeds off the range; more: it is not the last part. No
// sum goes above the last seed, which may be the largest number there is.
func (r *seedRange) part() (p seedRange, more bool) {
	p = seedRange{r.first, r.first + min(chunk-1, r.last-r.first)}
	more = p.last < r.last
	if more {
		r.first = p.last + 1
	}
	return p, more
}

// runs returns the number of runs of so many combinations; -1: more than a bar can show.
func (r seedRange) runs(combinations int) int64 {
	if n := r.last - r.first; n < 1<<40 {
		return int64(n+1) * int64(combinations)
	}
	return -1
}

// newBar returns a progress bar on stderr; nothing is shown where that is not a terminal.
func newBar(total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))),
		progressbar.OptionSetDescription("runs"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("runs"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}
