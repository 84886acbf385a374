package stat

import "math"

// Verdict is the outcome of an A/A comparison.
type Verdict string

const (
	// Same: no difference shown between two runs of the same cell.
	Same Verdict = "same"
	// Differs: the same cell measured twice gave different results, so that
	// differences of this size between other cells mean nothing.
	Differs Verdict = "differs"
	// TooFew: fewer than MinInterval repetitions, no verdict.
	TooFew Verdict = "too few repetitions"
)

// AA compares two arms of measurements of the very same thing.
type AA struct {
	Verdict Verdict `json:"verdict"`
	// Ratio is arm b over arm a.
	Ratio Summary `json:"ratio"`
	// NoiseFloor is the largest distance from 1 that the interval of the ratio
	// reaches: a difference below it is not a finding of this campaign.
	NoiseFloor float64 `json:"noise_floor"`
}

// CompareAA judges two arms. A campaign that makes several A/A comparisons
// passes their number, and every interval is widened (Bonferroni) so that all
// of them together differ by chance in one campaign of twenty; comparisons
// below one count as one. Errors are those of Ratio.
func CompareAA(a, b []float64, comparisons int, seed uint64) (AA, error) {
	level := 1 - (1-Level)/float64(max(comparisons, 1))
	ratio, err := ratioAt(b, a, level, seed)
	if err != nil {
		return AA{}, err
	}
	r := AA{
		Verdict:    Same,
		Ratio:      ratio,
		NoiseFloor: math.Max(math.Abs(ratio.Lo-1), math.Abs(ratio.Hi-1)),
	}
	switch {
	case ratio.IsRange():
		r.Verdict = TooFew
	case ratio.Lo > 1 || ratio.Hi < 1:
		r.Verdict = Differs
	}
	return r, nil
}
