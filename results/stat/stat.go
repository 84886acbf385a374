// Package stat holds the few statistics by which measurements are judged:
// medians with bootstrap intervals, ratios of medians, the A/A verdict, the
// Theil-Sen slope and rates of failures.
//
// Nothing here draws a random number of its own: every resampling takes a seed
// from the caller, so that the same samples give the same interval in every
// process. Samples are never modified.
package stat

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	gstat "gonum.org/v1/gonum/stat"
)

const (
	// Level is the confidence level of every interval unless another is asked for.
	Level = 0.95
	// Resamples is the number of bootstrap resamples behind an interval.
	Resamples = 10_000
	// MinInterval is the least number of repetitions for which an interval is
	// given; below it Lo and Hi are the range of the samples.
	MinInterval = 6
)

// ErrNoSamples is returned where a statistic was asked of no samples at all.
var ErrNoSamples = errors.New("no samples: at least one repetition is needed")

// Summary is a median with its interval. Lo and Hi bound the 95 % percentile
// bootstrap interval of the median, or the range where IsRange says so. All
// three are in Unit.
type Summary struct {
	Median float64 `json:"median"`
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
	N      int     `json:"n"`
	Unit   string  `json:"unit"`
}

// IsRange tells whether Lo and Hi are the smallest and largest sample, because
// there were too few of them for an interval.
func (s Summary) IsRange() bool { return s.N < MinInterval }

// Overlaps tells whether the intervals of both summaries share a value.
func (s Summary) Overlaps(t Summary) bool { return s.Lo <= t.Hi && t.Lo <= s.Hi }

// Summarize returns the median of samples with its interval. It returns
// ErrNoSamples for an empty slice and an error that gives the index of a sample
// which is not finite.
func Summarize(samples []float64, unit string, seed uint64) (Summary, error) {
	return SummarizeAt(samples, unit, Level, seed)
}

// SummarizeAt is Summarize with another level of the interval, above 0 and
// below 1.
func SummarizeAt(samples []float64, unit string, level float64, seed uint64) (Summary, error) {
	if err := check(samples); err != nil {
		return Summary{}, err
	}
	s := Summary{Median: Median(samples), N: len(samples), Unit: unit}
	if s.IsRange() {
		s.Lo, s.Hi = slices.Min(samples), slices.Max(samples)
		return s, nil
	}
	medians := resampledMedians(samples, rand.New(rand.NewPCG(seed, 1)))
	s.Lo, s.Hi = percentileInterval(medians, level)
	return s, nil
}

// Ratio returns the median of a over the median of b, with its interval: both
// sides are resampled independently. Its unit is "ratio" and its N the smaller
// of both. With fewer than MinInterval samples on a side Lo and Hi are the
// smallest and largest quotient of a sample of a and one of b. A sample of b
// that is not above zero is an error: the ratio would have no meaning.
func Ratio(a, b []float64, seed uint64) (Summary, error) {
	return ratioAt(a, b, Level, seed)
}

func ratioAt(a, b []float64, level float64, seed uint64) (Summary, error) {
	if err := errors.Join(check(a), check(b)); err != nil {
		return Summary{}, err
	}
	if low := slices.Min(b); low <= 0 {
		return Summary{}, fmt.Errorf("ratio to %g: the base of a ratio must be above zero", low)
	}
	s := Summary{Median: Median(a) / Median(b), N: min(len(a), len(b)), Unit: "ratio"}
	if s.IsRange() {
		s.Lo, s.Hi = extremeQuotients(a, b)
		return s, nil
	}
	over := resampledMedians(a, rand.New(rand.NewPCG(seed, 1)))
	under := resampledMedians(b, rand.New(rand.NewPCG(seed, 2)))
	for i := range over {
		over[i] /= under[i]
	}
	s.Lo, s.Hi = percentileInterval(over, level)
	return s, nil
}

// extremeQuotients returns the smallest and largest quotient of a sample of a
// and one of b. A negative sample of a is smallest over the smallest base.
func extremeQuotients(a, b []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, x := range a {
		for _, y := range b {
			lo, hi = min(lo, x/y), max(hi, x/y)
		}
	}
	return lo, hi
}

// Median returns the middle sample, or the mean of both middle ones; NaN when
// there is none.
func Median(samples []float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(samples)
	slices.Sort(sorted)
	return medianSorted(sorted)
}

func medianSorted(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1]/2 + sorted[n/2]/2
}

// resampledMedians draws Resamples samples of len(samples) with replacement and
// returns their medians in the order drawn.
func resampledMedians(samples []float64, rng *rand.Rand) []float64 {
	medians := make([]float64, Resamples)
	draw := make([]float64, len(samples))
	for i := range medians {
		for j := range draw {
			draw[j] = samples[rng.IntN(len(samples))]
		}
		slices.Sort(draw)
		medians[i] = medianSorted(draw)
	}
	return medians
}

// percentileInterval sorts values and returns the quantiles that leave the same
// share outside on either side.
func percentileInterval(values []float64, level float64) (lo, hi float64) {
	slices.Sort(values)
	tail := (1 - level) / 2
	return gstat.Quantile(tail, gstat.Empirical, values, nil),
		gstat.Quantile(1-tail, gstat.Empirical, values, nil)
}

func check(samples []float64) error {
	if len(samples) == 0 {
		return ErrNoSamples
	}
	for i, v := range samples {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("sample %d is %g: only finite samples can be summarised", i, v)
		}
	}
	return nil
}
