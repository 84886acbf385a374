package compare

import (
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"weir/results/stat"
)

// nominal is the level at which blocks are resampled for an interval that is
// right in 95 of 100 comparisons: the percentile interval of a median of few
// contains the truth less often than its level says, and stopping when it is
// narrow takes more away. With 0.95 it was right in 88 to 92 synthetic
// comparisons of 100, with 0.985 in 95 to 96 (TestIntervalContainsTheTruth).
const nominal = 0.985

// Verdict is what the interval of the ratio says.
type Verdict string

const (
	// Slower: the whole interval is above 1, B takes more.
	Slower Verdict = "slower"
	// Faster: the whole interval is below 1.
	Faster Verdict = "faster"
	// Same: the interval contains 1 and is narrow.
	Same Verdict = "same"
	// Unknown: it contains 1 and is not narrow.
	Unknown Verdict = "not told apart"
	// TooFew: there are too few blocks for an interval.
	TooFew Verdict = "too few blocks"
)

// Result is what blocks say.
type Result struct {
	Blocks []*Block
	// Ratio is B over A in processor time per operation, Wall the same in time by
	// the clock: medians over blocks. Wall is known at the end only.
	Ratio, Wall stat.Summary
	// Slower counts the blocks in which B took more; SignP is the chance that
	// equal builds are as far from half and half, either way.
	Slower int
	SignP  float64
	// Narrow: the interval is as narrow as was asked.
	Narrow  bool
	Verdict Verdict
}

// Smallest is the smallest difference, as a share, that the run could have
// seen: half the interval's width. With a smaller one the interval contains 1
// more often than not.
func (r *Result) Smallest() float64 { return (r.Ratio.Hi - r.Ratio.Lo) / 2 / r.Ratio.Median }

// Exceeds tells whether B may be slower than a gate allows: the upper end of the
// interval is above it, or there is no interval.
func (r *Result) Exceeds(gate float64) bool { return r.Verdict == TooFew || r.Ratio.Hi > gate }

// Why is the verdict as a sentence.
func (r *Result) Why() string {
	percent := func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }
	switch r.Verdict {
	case Slower:
		return fmt.Sprintf("B is slower, by %s to %s%s", percent(r.Ratio.Lo-1), percent(r.Ratio.Hi-1), r.butWide())
	case Faster:
		return fmt.Sprintf("B is faster: it takes %s to %s less%s", percent(1-r.Ratio.Hi), percent(1-r.Ratio.Lo), r.butWide())
	case Same:
		return fmt.Sprintf("no difference above %s", percent(max(r.Ratio.Hi-1, 1-r.Ratio.Lo)))
	case TooFew:
		return fmt.Sprintf("too few blocks for an interval: %d, at least %d are needed; give it more time (--budget)", len(r.Blocks), stat.MinInterval)
	default:
		return fmt.Sprintf("not told apart; the smallest difference this run could have seen is %s", percent(r.Smallest()))
	}
}

func (r *Result) butWide() string {
	if r.Narrow {
		return ""
	}
	return "; the interval is wider than was asked"
}

// judge says what blocks say, but for Wall.
func judge(blocks []*Block, rule *Rule) (*Result, error) {
	r := &Result{Blocks: blocks}
	ties := 0
	for _, b := range blocks {
		switch {
		case b.Ratio > 1:
			r.Slower++
		case b.Ratio == 1:
			ties++
		}
	}
	var err error
	if r.Ratio, err = summarize(blocks, rule, func(b *Block) float64 { return b.Ratio }); err != nil {
		return nil, err
	}
	r.SignP = signTest(r.Slower, len(blocks)-ties)
	r.Narrow = len(blocks) >= rule.MinBlocks && r.Smallest() <= rule.Width
	switch {
	case r.Ratio.IsRange():
		r.Verdict = TooFew
	case r.Ratio.Lo > 1:
		r.Verdict = Slower
	case r.Ratio.Hi < 1:
		r.Verdict = Faster
	case r.Narrow:
		r.Verdict = Same
	default:
		r.Verdict = Unknown
	}
	return r, nil
}

func summarize(blocks []*Block, rule *Rule, ratio func(*Block) float64) (stat.Summary, error) {
	ratios := make([]float64, len(blocks))
	for i, b := range blocks {
		ratios[i] = ratio(b)
	}
	return stat.SummarizeAt(ratios, "ratio", nominal, rule.Seed)
}

// signTest returns the chance that of n throws of a coin as many or more are
// alike as k and n-k are.
func signTest(k, n int) float64 {
	if n == 0 {
		return 1
	}
	return min(1, 2*distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(min(k, n-k))))
}

// Medians returns an arm's median processor time and time by the clock,
// nanoseconds per operation.
func (r *Result) Medians(arm Arm) (processor, clock float64) {
	var c, w []float64
	for _, b := range r.Blocks {
		for _, x := range b.Readings[arm] {
			c, w = append(c, x.CPU), append(w, x.Wall)
		}
	}
	return stat.Median(c), stat.Median(w)
}

// Reported is a number of the benchmark's own: the medians of both arms.
type Reported struct {
	Unit string  `json:"unit"`
	A    float64 `json:"a"`
	B    float64 `json:"b"`
}

// Reported returns the numbers that both arms report, by unit.
func (r *Result) Reported() []Reported {
	values := [2]map[string][]float64{{}, {}}
	for _, b := range r.Blocks {
		for arm, readings := range b.Readings {
			for _, x := range readings {
				for unit, v := range x.Reported { // a map into a map: order is not seen
					values[arm][unit] = append(values[arm][unit], v)
				}
			}
		}
	}
	var out []Reported
	for _, unit := range slices.Sorted(maps.Keys(values[A])) {
		if b := values[B][unit]; b != nil {
			out = append(out, Reported{unit, stat.Median(values[A][unit]), stat.Median(b)})
		}
	}
	return out
}
