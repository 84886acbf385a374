package stat

import (
	"errors"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Stratum is two groups of waits that are alike but for what tells the groups apart.
type Stratum struct{ A, B []Wait }

// LogRankResult is the outcome of a log-rank test.
type LogRankResult struct {
	// Observed is how often it happened in group A, Expected how often it would have
	// if both groups waited alike. More than expected: A is the faster group.
	Observed, Expected float64
	// ChiSquare has one degree of freedom; P is the probability of one as large, or
	// larger, if both groups wait alike.
	ChiSquare, P float64
}

// LogRank tests whether two groups wait alike (Mantel, Evaluation of survival data
// and two new rank order statistics arising in its consideration, Cancer Chemotherapy
// Reports 50, 1966, p. 163-170), within each stratum: sums over the strata are compared,
// so that strata may differ as they like.
func LogRank(strata []Stratum) (LogRankResult, error) {
	var r LogRankResult
	variance := 0.0
	for i := range strata {
		a, err := inOrder(strata[i].A)
		if err != nil {
			return r, err
		}
		b, err := inOrder(strata[i].B)
		if err != nil {
			return r, err
		}
		variance += r.add(a, b)
	}
	if variance <= 0 {
		return r, ErrNoEvents
	}
	d := r.Observed - r.Expected
	r.ChiSquare = d * d / variance
	r.P = distuv.ChiSquared{K: 1}.Survival(r.ChiSquare)
	return r, nil
}

// add adds a stratum, whose groups are in order, and returns its variance.
func (r *LogRankResult) add(a, b []Wait) (variance float64) {
	for _, at := range happenings(a, b) {
		na, da := riskAt(a, at)
		nb, db := riskAt(b, at)
		n, d := float64(na+nb), float64(da+db)
		share := float64(na) / n
		r.Observed += float64(da)
		r.Expected += d * share
		if n > 1 {
			variance += d * share * (1 - share) * (n - d) / (n - 1)
		}
	}
	return variance
}

// happenings returns the times at which something happens in either group, ascending.
func happenings(groups ...[]Wait) (times []float64) {
	for _, g := range groups {
		for _, w := range g {
			if !w.Censored {
				times = append(times, w.Until)
			}
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}

// riskAt returns how many waits go on just before a time, and how many end at it.
func riskAt(sorted []Wait, at float64) (risk, happens int) {
	for _, w := range sorted {
		switch {
		case w.Until < at:
		case w.Until == at && !w.Censored:
			risk, happens = risk+1, happens+1
		default:
			risk++
		}
	}
	return risk, happens
}

// ErrNoEvents: in no stratum is there anything to compare.
var ErrNoEvents = errors.New("log-rank test: nothing happens while both groups are waiting")
