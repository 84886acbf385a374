package command

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"weir/results/stat"
	"weir/scenario"
	"weir/scenario/counterexample"
)

// failure is how often runs of one combination failed in one way.
type failure struct {
	Signature string `json:"signature"` // as files are called
	Broken    string `json:"broken"`    // the oracle, or the verdict where none saw it
	Where     string `json:"where"`
	Algorithm string `json:"algorithm"`
	State     string `json:"state"`
	Sink      string `json:"sink"`
	Workload  string `json:"workload"`
	Mutant    string `json:"mutant,omitempty"`
	stat.Rate
	CleanRuns int64 `json:"clean_runs"` // of the combination, that say "mended" at 95 %

	is counterexample.Signature
}

// failed counts a run that is not fine.
func (t *tally) failed(o *scenario.Outcome) {
	if o.Report == nil {
		return
	}
	s := counterexample.SignatureOf(o)
	i := slices.IndexFunc(t.Failures, func(f failure) bool { return f.is == s })
	if i < 0 {
		i = len(t.Failures)
		t.Failures = append(t.Failures, failure{
			Signature: s.String(), Broken: s.Broken, Where: s.Where, Algorithm: s.Algorithm, State: s.State, Sink: s.Sink, Workload: s.Workload, Mutant: s.Mutant, is: s,
		})
	}
	t.Failures[i].Hits++
}

// judgeRates sets the rates of a combination's failures, the most frequent first.
func (t *tally) judgeRates() {
	for i := range t.Failures {
		f := &t.Failures[i]
		f.Rate = stat.RateOf(f.Hits, t.Runs)
		f.CleanRuns = f.Rate.CleanRuns()
	}
	slices.SortStableFunc(t.Failures, func(a, b failure) int { return int(b.Hits - a.Hits) })
}

// printRates prints what failed, how often, and how many clean runs say that it is
// mended; or what no failure at all bounds.
func printRates(w io.Writer, total *tally) error {
	if len(total.Failures) == 0 {
		if total.worst != scenario.Fine || total.Runs == 0 {
			return nil
		}
		_, err := fmt.Fprintf(w, "0 of %d runs failed: the rate of all failures together is below %s (Wilson, 95 %%)\n", total.Runs, percent(stat.RateOf(0, total.Runs).Hi))
		return err
	}
	if _, err := fmt.Fprintf(w, "\n%d kinds of failures; rates with their 95 %% intervals (Wilson), and after how many runs of the combination without one it is mended (95 %%)\n", len(total.Failures)); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprint(tw, "FAILED\tRATE\t95 %\tMENDED AFTER\tWHAT\tIN\n")
	for i := range total.Failures {
		f := &total.Failures[i]
		_, _ = fmt.Fprintf(tw, "%d of %d\t%s\t%s\t%d clean runs\t%s\t%s\n", f.Hits, f.Runs, percent(f.Rate.Rate), bounds(f.Rate), f.CleanRuns, f.is.Failure(), f.is.Combination())
	}
	return tw.Flush()
}

// percent writes a share with three digits.
func percent(p float64) string { return fmt.Sprintf("%.3g %%", 100*p) }
