package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/results/searches"
	"weir/results/stat"
	"weir/scenario"
	"weir/scenario/explore"
	"weir/scenario/mutants"
)

// The sizes of a campaign unless they are given.
const (
	wholeBudget, wholeSearches = 5000, 10
	quickBudget, quickSearches = 300, 3
)

// scoreFlags are those of mutants --policy.
type scoreFlags struct {
	policy           string
	budget, searches int // 0: as quick says
	quick            bool
	dir              string
	leftOf           string
	jobs             int
	json             bool
}

func (f *scoreFlags) flags(to *pflag.FlagSet) {
	to.StringVar(&f.policy, "policy", "", "comma list of policies, or all: measure how fast each finds each mistake")
	to.BoolVar(&f.quick, "quick", false, fmt.Sprintf("with --policy: %d searches of at most %d runs instead of %d of %d", quickSearches, quickBudget, wholeSearches, wholeBudget))
	to.IntVar(&f.searches, "searches", 0, "with --policy: searches for each mistake by each policy; 0: as --quick says")
	to.IntVar(&f.budget, "budget", 0, "with --policy: runs after which a search is given up; 0: as --quick says")
	to.StringVar(&f.leftOf, "left-of", "", "with --policy: only mistakes that the best policy of the campaign in this `directory` has missed")
	to.StringVar(&f.dir, "dir", "", "with --policy: `directory` of the results, to go on with; without it they are only printed")
}

// apart refuses flags that would not be heard.
func apart(given func(flag string) bool) error {
	if given("policy") {
		if given("limit") {
			return fmt.Errorf("%w: --limit is of a hunt without --policy; with it there is --budget", errUsage)
		}
		return nil
	}
	for _, flag := range []string{"quick", "searches", "budget", "dir", "left-of"} {
		if given(flag) {
			return fmt.Errorf("%w: --%s goes with --policy; known policies: %s, or all", errUsage, flag, strings.Join(explore.Names(), ", "))
		}
	}
	return nil
}

// policyHelp has a line for each policy.
func policyHelp() string {
	var b strings.Builder
	for _, name := range explore.Names() {
		_, _ = fmt.Fprintf(&b, "  %-12s %s\n", name, explore.Describe(name))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// run makes the searches that are missing, and prints what all say.
func (f *scoreFlags) run(cmd *cobra.Command, names []string) error {
	policies, err := pick("policy", f.policy, explore.Names())
	if err != nil {
		return err
	}
	if names, err = f.left(names); err != nil {
		return err
	}
	m, err := f.manifest(names, policies)
	if err != nil {
		return err
	}
	w, err := searches.Open(f.dir, m)
	if errors.Is(err, searches.ErrOther) {
		return fmt.Errorf("%w: --dir: %w", errUsage, err)
	} else if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	missing := w.Campaign().Missing()
	cmd.PrintErrf("%d searches of %d mutants by %d policies, at most %d runs each; %d are there\n",
		len(names)*len(policies)*m.Searches, len(names), len(policies), m.Budget, len(w.Campaign().Searches))
	if err := searchAll(ctx, w, missing, m.Budget, f.jobs); err != nil {
		return err
	}
	if err := w.Finish(); err != nil {
		return err
	}
	c := w.Campaign()
	if err := printScores(cmd, c, f.json); err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w; %d searches are left", cause, len(c.Missing()))
	}
	return nil
}

// left returns those of the mistakes that --left-of leaves.
func (f *scoreFlags) left(names []string) (left []string, err error) {
	if f.leftOf == "" {
		return names, nil
	}
	c, err := searches.Read(f.leftOf)
	if err != nil {
		return nil, fmt.Errorf("%w: --left-of: %w", errUsage, err)
	}
	missed, err := c.MissedByBest()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if slices.Contains(missed, name) {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil, fmt.Errorf("%w: --left-of %s: its best policy has found all of them", errUsage, f.leftOf)
	}
	return left, nil
}

// manifest describes the campaign that is asked for.
func (f *scoreFlags) manifest(names, policies []string) (m searches.Manifest, err error) {
	budget, each := wholeBudget, wholeSearches
	if f.quick {
		budget, each = quickBudget, quickSearches
	}
	if f.budget != 0 {
		budget = f.budget
	}
	if f.searches != 0 {
		each = f.searches
	}
	if budget < 1 || each < 1 || f.jobs < 1 {
		return m, fmt.Errorf("%w: --budget, --searches and --jobs must be at least 1", errUsage)
	}
	m = searches.Manifest{Command: f.command(budget, each), Build: programDigest(), Go: runtime.Version(), Budget: budget, Searches: each, Policies: policies}
	m.Commit, m.Dirty = commit()
	for _, name := range names {
		c, err := mutants.Lookup(name)
		if err != nil {
			return m, err
		}
		cfg, err := scenario.HuntConfig(c)
		if err != nil {
			return m, err
		}
		m.Mutants = append(m.Mutants, searches.Mutant{
			Name: name, Algorithm: cfg.Algorithm.Name, State: cfg.State, Sink: cfg.SinkName(), Workload: cfg.Workload.Name(), Oracle: c.Oracle,
		})
	}
	return m, nil
}

// command is what measures the same again.
func (f *scoreFlags) command(budget, each int) string {
	text := fmt.Sprintf("%s mutants --policy %s --searches %d --budget %d", scenario.DefaultProgram, f.policy, each, budget)
	if f.leftOf != "" {
		text += " --left-of " + f.leftOf
	}
	return text
}

// commit is what the program was built from, as far as the build or git tells.
func commit() (revisionHash string, dirty bool) {
	if r := revision(); r != notTold {
		hash, changed := strings.CutSuffix(r, "+changes")
		return hash, changed
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "", false
	}
	status, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	return strings.TrimSpace(string(head)), err != nil || len(status) > 0
}

// searchAll makes searches, several at once; each is a goroutine's own. Those under way
// when ctx ends are left out.
func searchAll(ctx context.Context, w *searches.Writer, missing []searches.Search, budget, jobs int) error {
	bar := newBar(int64(len(missing)))
	work := make(chan searches.Search)
	errs := make(chan error, jobs)
	var wg sync.WaitGroup
	for range min(jobs, len(missing)) {
		wg.Go(func() {
			for s := range work {
				if err := search(ctx, w, s, budget); err != nil {
					errs <- err
					return
				}
				_ = bar.Add(1)
			}
		})
	}
	err := feed(ctx, work, missing, errs)
	close(work)
	wg.Wait()
	_ = bar.Finish()
	select {
	case e := <-errs:
		return e
	default:
		return err
	}
}

// feed hands searches out until ctx ends or one fails.
func feed(ctx context.Context, work chan<- searches.Search, missing []searches.Search, errs <-chan error) error {
	for _, s := range missing {
		select {
		case work <- s:
		case err := <-errs:
			return err
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// search makes one search and writes it down.
func search(ctx context.Context, w *searches.Writer, s searches.Search, budget int) error {
	c, err := mutants.Lookup(s.Mutant)
	if err != nil {
		return err
	}
	e := explore.Search{Case: c, Policy: s.Policy, Number: s.Number, Budget: budget, Interrupted: ended(ctx)}
	f, err := e.Run()
	if err != nil || f.Interrupted {
		return err
	}
	s.Found, s.Runs, s.Seed, s.Panics, s.Others = f.Found, f.Runs, f.Seed, f.Panics, f.Others
	if f.Found {
		s.Oracle = f.Oracle.String()
	}
	return w.Append(s)
}

// scoreLine is what JSON says of a policy.
type scoreLine struct {
	Applicable    int      `json:"applicable"`
	Found         int      `json:"found"` // in more than half of the searches
	FoundOnce     int      `json:"found_once"`
	FoundAlways   int      `json:"found_always"`
	MedianRuns    *float64 `json:"median_runs"` // null: above the budget
	MedianLo      *float64 `json:"median_runs_lo"`
	MedianHi      *float64 `json:"median_runs_hi"`
	P90Runs       *float64 `json:"p90_runs"`
	MeanRuns      *float64 `json:"restricted_mean_runs"`
	MeanLo        *float64 `json:"restricted_mean_runs_lo"`
	MeanHi        *float64 `json:"restricted_mean_runs_hi"`
	AgainstRandom *logRank `json:"log_rank_against_random,omitempty"`
}

type logRank struct {
	ChiSquare float64 `json:"chi_square"`
	P         float64 `json:"p"`
	Faster    bool    `json:"faster"` // than the baseline
}

// rowLine is what JSON says of a mutant and policy.
type rowLine struct {
	searches.Mutant
	Policy   string   `json:"policy"`
	Searches int      `json:"searches"`
	Found    int      `json:"found"` // searches
	Median   *float64 `json:"median_runs"`
	Mean     *float64 `json:"restricted_mean_runs"`
	Panics   int      `json:"panics"`
	Others   int      `json:"others"`
}

// scoreSummary is the last line of mutants --policy --json.
type scoreSummary struct {
	Applicable int                  `json:"applicable"`
	Found      int                  `json:"found"` // by the best policy
	MedianRuns *float64             `json:"median_runs"`
	Best       string               `json:"best"` // the least restricted mean
	Budget     int                  `json:"budget"`
	Searches   int                  `json:"searches"`
	Finished   bool                 `json:"finished"`
	Policies   map[string]scoreLine `json:"policies"`
}

// finite is a number for JSON, null if it lies beyond the budget.
func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

func scoreLineOf(s *searches.Score) scoreLine {
	l := scoreLine{
		Applicable: s.Applicable, Found: s.Found, FoundOnce: s.Once, FoundAlways: s.Always,
		MedianRuns: finite(s.Median.Value), MedianLo: finite(s.Median.Lo), MedianHi: finite(s.Median.Hi), P90Runs: finite(s.P90.Value),
		MeanRuns: finite(s.Mean.Value), MeanLo: finite(s.Mean.Lo), MeanHi: finite(s.Mean.Hi),
	}
	if a := s.Against; a != nil {
		l.AgainstRandom = &logRank{a.ChiSquare, a.P, a.Observed > a.Expected}
	}
	return l
}

// printScores prints a row for each mutant, and what there is to say of each policy.
func printScores(cmd *cobra.Command, c *searches.Campaign, asJSON bool) error {
	rows, err := c.Rows()
	if err != nil {
		return err
	}
	scores, err := c.Scores()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if asJSON {
		out = cmd.ErrOrStderr()
	}
	tw := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprint(tw, "POLICY\tFOUND\tIN ALL SEARCHES\tMEDIAN RUNS\t95 %\t90 % WITHIN\tRESTRICTED MEAN\t95 %\tAGAINST RANDOM\n")
	for i := range scores {
		s := &scores[i]
		_, _ = fmt.Fprintf(tw, "%s\t%d of %d\t%d\t%s\t%s to %s\t%s\t%s\t%s to %s\t%s\n", s.Policy, s.Found, s.Applicable, s.Always,
			searches.Runs(s.Median.Value, c.Manifest.Budget), searches.Runs(s.Median.Lo, c.Manifest.Budget), searches.Runs(s.Median.Hi, c.Manifest.Budget), searches.Runs(s.P90.Value, c.Manifest.Budget),
			searches.Runs(s.Mean.Value, c.Manifest.Budget), searches.Runs(s.Mean.Lo, c.Manifest.Budget), searches.Runs(s.Mean.Hi, c.Manifest.Budget), compared(s.Against))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if err := printMissed(out, c, rows); err != nil || !asJSON {
		return err
	}
	return scoreJSON(cmd, c, rows, scores)
}

// printMissed names what each policy has not found.
func printMissed(w io.Writer, c *searches.Campaign, rows []searches.Row) error {
	for _, p := range c.Manifest.Policies {
		var names []string
		for _, r := range searches.Missed(rows, p) {
			names = append(names, fmt.Sprintf("%s (%d of %d)", r.Mutant.Name, r.Hits, r.Searches))
		}
		if len(names) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s misses %s\n", p, strings.Join(names, ", ")); err != nil {
			return err
		}
	}
	return nil
}

func compared(a *stat.LogRankResult) string {
	switch {
	case a == nil:
		return "-"
	case a.Observed > a.Expected:
		return fmt.Sprintf("faster, p = %.2g", a.P)
	default:
		return fmt.Sprintf("slower, p = %.2g", a.P)
	}
}

// scoreJSON writes the rows and the summary.
func scoreJSON(cmd *cobra.Command, c *searches.Campaign, rows []searches.Row, scores []searches.Score) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	for _, r := range rows {
		if err := enc.Encode(rowLine{r.Mutant, r.Policy, r.Searches, r.Hits, finite(r.Median.Value), finite(r.Mean.Value), r.Panics, r.Others}); err != nil {
			return err
		}
	}
	m := &c.Manifest
	last := scoreSummary{Budget: m.Budget, Searches: m.Searches, Finished: m.Finished, Policies: map[string]scoreLine{}}
	for i := range scores {
		last.Policies[scores[i].Policy] = scoreLineOf(&scores[i])
	}
	if b := searches.Best(scores); b != nil {
		last.Applicable, last.Found, last.MedianRuns, last.Best = b.Applicable, b.Found, finite(b.Median.Value), b.Policy
	}
	return enc.Encode(last)
}
