package stat

import (
	"fmt"
	"math"
)

// Rate is how often something happened in independent runs: Hits of Runs, with
// the 95 % interval of the probability behind it. That of no runs at all is from 0
// to 1: nothing is known.
type Rate struct {
	Hits int64   `json:"failed"`
	Runs int64   `json:"runs"`
	Rate float64 `json:"rate"` // Hits / Runs, 0 of none
	Lo   float64 `json:"lo"`
	Hi   float64 `json:"hi"`
}

// normal975 is the 0.975 quantile of the standard normal distribution.
const normal975 = 1.959963984540054

// RateOf returns the rate of hits in runs, of which there are at least as many,
// with the score interval of Wilson (Probable inference, the law of succession, and
// statistical inference, JASA 22, 1927, p. 209-212). Unlike the interval around the
// observed rate it is not empty at 0 and 1 and keeps its level for few runs.
func RateOf(hits, runs int64) Rate {
	if hits < 0 || runs < hits {
		panic(fmt.Sprintf("rate: %d hits in %d runs", hits, runs))
	}
	if runs == 0 {
		return Rate{Hi: 1}
	}
	n, p := float64(runs), float64(hits)/float64(runs)
	const z2 = normal975 * normal975
	middle := (p + z2/(2*n)) / (1 + z2/n)
	half := normal975 * math.Sqrt(p*(1-p)/n+z2/(4*n*n)) / (1 + z2/n)
	r := Rate{Hits: hits, Runs: runs, Rate: p, Lo: max(0, middle-half), Hi: min(1, middle+half)}
	if hits == 0 {
		r.Lo = 0 // exactly, as the formula has it
	}
	if hits == runs {
		r.Hi = 1
	}
	return r
}

// CleanRuns returns how many runs without a hit say, at 95 %, that the rate is no
// longer what it was: the least n for which n such runs in a row have a
// probability of at most 1-[Level] even at the lower end of the interval,
// (1-Lo)^n <= 0.05. For small rates that is about 3/Lo, the rule of three
// (Hanley and Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 249,
// 1983) read from the rate to the number of runs. 0: no number does, for there was no hit.
func (r Rate) CleanRuns() int64 {
	switch {
	case r.Lo <= 0:
		return 0
	case r.Lo >= 1:
		return 1
	}
	return int64(math.Ceil(math.Log(1-Level) / math.Log1p(-r.Lo)))
}
