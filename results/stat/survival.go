package stat

import (
	"fmt"
	"math"
	"slices"
)

// Wait is how long something was waited for: until it happened, or, if Censored,
// for so long without its happening.
type Wait struct {
	Until    float64
	Censored bool
}

// Survival is the estimate of Kaplan and Meier (Nonparametric estimation from
// incomplete observations, JASA 53, 1958, p. 457-481): the share of waits that are
// still going on, over time.
type Survival struct {
	// Steps are the times at which something happened, ascending. The share is 1 before
	// the first and stays until the next one.
	Steps []SurvivalStep
	// N is the number of waits, Last the longest.
	N    int
	Last float64
}

// SurvivalStep is one time at which something happened.
type SurvivalStep struct {
	At      float64
	Share   float64 // still waiting after it
	Lo, Hi  float64 // 95 % interval of Share, on the log scale with Greenwood's variance; 0 where nobody is left
	AtRisk  int     // waits that were going on just before
	Happens int
}

// Estimate is a number with its 95 % interval. Each of them may be +Inf: it lies
// beyond what was watched.
type Estimate struct{ Value, Lo, Hi float64 }

// Beyond tells whether the number lies beyond what was watched.
func (e Estimate) Beyond() bool { return math.IsInf(e.Value, 1) }

// KaplanMeier estimates survival. ErrNoSamples: there are no waits. A wait that is
// not finite or below zero is an error.
func KaplanMeier(waits []Wait) (*Survival, error) {
	sorted, err := inOrder(waits)
	if err != nil {
		return nil, err
	}
	s := &Survival{N: len(sorted), Last: sorted[len(sorted)-1].Until}
	share, sum := 1.0, 0.0 // sum is Greenwood's: of d/(n(n-d))
	for i := 0; i < len(sorted); {
		at, risk, happens := sorted[i].Until, len(sorted)-i, 0
		for ; i < len(sorted) && sorted[i].Until == at; i++ {
			if !sorted[i].Censored {
				happens++
			}
		}
		if happens == 0 {
			continue
		}
		n, d := float64(risk), float64(happens)
		share *= (n - d) / n
		sum += d / (n * (n - d)) // +Inf with the last
		half := normal975 * math.Sqrt(sum)
		step := SurvivalStep{At: at, Share: share, Lo: share * math.Exp(-half), Hi: min(1, share*math.Exp(half)), AtRisk: risk, Happens: happens}
		if risk == happens {
			step.Lo, step.Hi = 0, 0 // the variance says nothing of it
		}
		s.Steps = append(s.Steps, step)
	}
	return s, nil
}

// inOrder returns the waits by time; at one time what happens comes before what is censored.
func inOrder(waits []Wait) ([]Wait, error) {
	if len(waits) == 0 {
		return nil, ErrNoSamples
	}
	sorted := slices.Clone(waits)
	for i, w := range sorted {
		if math.IsNaN(w.Until) || math.IsInf(w.Until, 0) || w.Until < 0 {
			return nil, fmt.Errorf("wait %d is %g: it must be finite and not below 0", i, w.Until)
		}
	}
	slices.SortStableFunc(sorted, func(a, b Wait) int {
		switch {
		case a.Until < b.Until:
			return -1
		case a.Until > b.Until:
			return 1
		}
		return 0
	})
	return sorted, nil
}

// At returns the share that is still waiting at a time.
func (s *Survival) At(t float64) float64 {
	share := 1.0
	for i := range s.Steps {
		if s.Steps[i].At > t {
			break
		}
		share = s.Steps[i].Share
	}
	return share
}

// Quantile returns the time by which a share q of the waits, above 0 and below 1, is
// over, with the interval of Brookmeyer and Crowley (A confidence interval for the
// median survival time, Biometrics 38, 1982, p. 29-41): where the bounds of the curve
// cross. Where the curve lies on the share for a while it is the middle of that while.
func (s *Survival) Quantile(q float64) Estimate {
	left := 1 - q
	return Estimate{
		s.crossing(left, func(p *SurvivalStep) float64 { return p.Share }),
		s.crossing(left, func(p *SurvivalStep) float64 { return p.Lo }),
		s.crossing(left, func(p *SurvivalStep) float64 { return p.Hi }),
	}
}

// Median is the Quantile of one half.
func (s *Survival) Median() Estimate { return s.Quantile(0.5) }

// crossing returns when a curve comes down to a share, +Inf if it does not.
func (s *Survival) crossing(share float64, of func(*SurvivalStep) float64) float64 {
	const near = 1e-9 // products of fractions that are one half may be a little off
	for i := range s.Steps {
		switch v := of(&s.Steps[i]); {
		case v > share+near:
		case v < share-near:
			return s.Steps[i].At
		case i+1 < len(s.Steps):
			return s.Steps[i].At/2 + s.Steps[i+1].At/2
		default: // it stays there to the end of what was watched
			return math.Inf(1)
		}
	}
	return math.Inf(1)
}

// RestrictedMean returns the mean of the waits where none counts as longer than
// until, the area below the curve up to there, with its 95 % interval from Greenwood's
// variance. That of waits which were cut off before until is an error: nothing is
// known of the curve there.
func (s *Survival) RestrictedMean(until float64) (Estimate, error) {
	if left := s.At(s.Last); until <= 0 || until > s.Last && left > 0 {
		return Estimate{}, fmt.Errorf("restricted mean up to %g: waits were watched up to %g, and %g of them are not over", until, s.Last, left)
	}
	area := make([]float64, len(s.Steps)) // area[i]: from step i to until
	last, share := 0.0, 1.0
	var pieces []float64
	for i := range s.Steps {
		at := min(s.Steps[i].At, until)
		pieces = append(pieces, (at-last)*share)
		last, share = at, s.Steps[i].Share
	}
	rest := max(0, until-last) * share
	for i := len(s.Steps) - 1; i >= 0; i-- {
		area[i] = rest
		rest += pieces[i]
	}
	mean, variance := rest, 0.0
	for i, p := range s.Steps {
		if n, d := float64(p.AtRisk), float64(p.Happens); p.AtRisk > p.Happens && p.At <= until {
			variance += area[i] * area[i] * d / (n * (n - d))
		}
	}
	half := normal975 * math.Sqrt(variance)
	return Estimate{mean, mean - half, mean + half}, nil
}
