package searches

import (
	"fmt"
	"math"
	"strconv"

	"weir/results/stat"
)

// Score is what a campaign says of one policy.
type Score struct {
	Policy     string
	Applicable int // mutants that were looked for
	Found      int // in more than half of their searches, so that their median is known
	Once       int // in at least one search
	Always     int // in all
	// Runs until a mistake is found, over the searches of all mutants together. Intervals
	// are those of a bootstrap over mutants: searches for one mistake are alike.
	Median, P90 stat.Estimate
	Mean        stat.Estimate // where none counts as more than the budget
	// Against compares the policy with the baseline, within each mutant; nil for the baseline.
	Against *stat.LogRankResult
	Curve   *stat.Survival
}

// Row is what a campaign says of one mutant and policy.
type Row struct {
	Mutant         Mutant
	Policy         string
	Searches, Hits int
	Median         stat.Estimate
	Mean           stat.Estimate
	Panics, Others int // runs, of all searches
}

// Baseline is the policy that the others are compared with.
const Baseline = "random"

// waits returns the searches of a policy for a mutant.
func (c *Campaign) waits(policy, mutant string) (waits []stat.Wait) {
	for i := range c.Searches {
		if s := &c.Searches[i]; s.Policy == policy && s.Mutant == mutant {
			waits = append(waits, stat.Wait{Until: float64(s.Runs), Censored: !s.Found})
		}
	}
	return waits
}

// looked returns the mutants of which a policy has searches, with them.
func (c *Campaign) looked(policy string) (mutants []Mutant, waits [][]stat.Wait) {
	for _, m := range c.Manifest.Mutants {
		if w := c.waits(policy, m.Name); len(w) > 0 {
			mutants, waits = append(mutants, m), append(waits, w)
		}
	}
	return mutants, waits
}

// Rows returns a row for each policy and mutant that has a search.
func (c *Campaign) Rows() (rows []Row, err error) {
	for _, p := range c.Manifest.Policies {
		mutants, waits := c.looked(p)
		for i, m := range mutants {
			s, err := stat.KaplanMeier(waits[i])
			if err != nil {
				return nil, err
			}
			r := Row{Mutant: m, Policy: p, Searches: s.N, Hits: hits(waits[i]), Median: s.Median()}
			if r.Mean, err = s.RestrictedMean(float64(c.Manifest.Budget)); err != nil {
				return nil, err
			}
			for _, x := range c.Searches {
				if x.Policy == p && x.Mutant == m.Name {
					r.Panics, r.Others = r.Panics+x.Panics, r.Others+x.Others
				}
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func hits(waits []stat.Wait) (n int) {
	for _, w := range waits {
		if !w.Censored {
			n++
		}
	}
	return n
}

// Scores returns what the campaign says of each policy that has searches.
func (c *Campaign) Scores() (scores []Score, err error) {
	for _, p := range c.Manifest.Policies {
		mutants, waits := c.looked(p)
		if len(mutants) == 0 {
			continue
		}
		s := Score{Policy: p, Applicable: len(mutants)}
		var all []stat.Wait
		for _, w := range waits {
			n := hits(w)
			if 2*n > len(w) {
				s.Found++
			}
			if n > 0 {
				s.Once++
			}
			if n == len(w) {
				s.Always++
			}
			all = append(all, w...)
		}
		if s.Curve, err = stat.KaplanMeier(all); err != nil {
			return nil, err
		}
		s.Median, s.P90, s.Mean = c.resampled(waits, 0.5), c.resampled(waits, 0.9), c.resampledMean(waits)
		if p != Baseline {
			s.Against = c.against(p)
		}
		scores = append(scores, s)
	}
	return scores, nil
}

// bootstrapSeed is that of all intervals over mutants.
const bootstrapSeed = 1

// resampled returns a quantile over all searches with its interval over mutants.
func (c *Campaign) resampled(waits [][]stat.Wait, q float64) stat.Estimate {
	return stat.Resampled(len(waits), bootstrapSeed, func(drawn []int) float64 {
		var all []stat.Wait
		for _, i := range drawn {
			all = append(all, waits[i]...)
		}
		s, err := stat.KaplanMeier(all)
		if err != nil {
			return math.NaN()
		}
		return s.Quantile(q).Value
	})
}

// resampledMean is the mean of the mutants' restricted means. Every search that is
// censored is so at the budget, so that it is the mean of what they took.
func (c *Campaign) resampledMean(waits [][]stat.Wait) stat.Estimate {
	means := make([]float64, len(waits))
	for i, w := range waits {
		for _, x := range w {
			means[i] += x.Until / float64(len(w))
		}
	}
	return stat.Resampled(len(waits), bootstrapSeed, func(drawn []int) float64 {
		sum := 0.0
		for _, i := range drawn {
			sum += means[i]
		}
		return sum / float64(len(drawn))
	})
}

// against compares a policy with the baseline over the mutants that both have looked
// for; nil: there is nothing to compare.
func (c *Campaign) against(policy string) *stat.LogRankResult {
	var strata []stat.Stratum
	for _, m := range c.Manifest.Mutants {
		if a, b := c.waits(policy, m.Name), c.waits(Baseline, m.Name); len(a) > 0 && len(b) > 0 {
			strata = append(strata, stat.Stratum{A: a, B: b})
		}
	}
	r, err := stat.LogRank(strata)
	if err != nil {
		return nil
	}
	return &r
}

// Best returns the policy with the least restricted mean, nil of none.
func Best(scores []Score) *Score {
	var best *Score
	for i := range scores {
		if best == nil || scores[i].Mean.Value < best.Mean.Value {
			best = &scores[i]
		}
	}
	return best
}

// Runs writes a number of runs that may lie beyond the budget.
func Runs(v float64, budget int) string {
	switch {
	case math.IsInf(v, 1):
		return fmt.Sprintf("> %d", budget)
	case v < 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// MissedByBest returns the names of the mutants that the best policy has missed.
func (c *Campaign) MissedByBest() (names []string, err error) {
	scores, err := c.Scores()
	if err != nil {
		return nil, err
	}
	rows, err := c.Rows()
	best := Best(scores)
	if err != nil || best == nil {
		return nil, err
	}
	for _, r := range Missed(rows, best.Policy) {
		names = append(names, r.Mutant.Name)
	}
	return names, nil
}

// Missed returns the mutants that a policy has found in no more than half of its searches.
func Missed(rows []Row, policy string) (missed []Row) {
	for _, r := range rows {
		if r.Policy == policy && 2*r.Hits <= r.Searches {
			missed = append(missed, r)
		}
	}
	return missed
}
