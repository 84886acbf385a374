package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRateOf: the ends of the interval are the rates that lie 1.96 of their own
// standard errors from what was seen; the figures come from a bisection elsewhere.
func TestRateOf(t *testing.T) {
	for _, c := range []struct {
		hits, runs int64
		lo, hi     float64
	}{
		{0, 10, 0, 0.2775}, {1, 10, 0.0179, 0.4042}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1},
		{0, 3000, 0, 0.001279}, {37, 500, 0.05416, 0.10033}, {0, 0, 0, 1},
	} {
		r := RateOf(c.hits, c.runs)
		if math.Abs(r.Lo-c.lo) > 5e-5 || math.Abs(r.Hi-c.hi) > 5e-5 || r.Lo > r.Rate || r.Hi < r.Rate {
			t.Errorf("%d of %d: %+v, want %v to %v", c.hits, c.runs, r, c.lo, c.hi)
		}
		for _, p := range []float64{r.Lo, r.Hi} {
			if p > 0 && p < 1 {
				if z := math.Abs(r.Rate-p) / math.Sqrt(p*(1-p)/float64(c.runs)); math.Abs(z-normal975) > 1e-9 {
					t.Errorf("%d of %d: %v is %v standard errors away", c.hits, c.runs, p, z)
				}
			}
		}
	}
}

// TestRateCovers: about 95 of 100 intervals hold the probability behind them.
func TestRateCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const repeats, runs = 2000, 60
	for _, p := range []float64{0.02, 0.1, 0.5, 0.9} {
		holds := 0
		for range repeats {
			hits := int64(0)
			for range runs {
				if rng.Float64() < p {
					hits++
				}
			}
			if r := RateOf(hits, runs); r.Lo <= p && p <= r.Hi {
				holds++
			}
		}
		if share := float64(holds) / repeats; share < 0.92 || share > 0.99 {
			t.Errorf("p = %v: %v of the intervals hold it", p, share)
		}
	}
}

func TestCleanRuns(t *testing.T) {
	for _, c := range []struct{ hits, runs, want int64 }{{0, 500, 0}, {0, 0, 0}, {500, 500, 1}, {37, 500, 54}, {1, 1000, 16968}} {
		r := RateOf(c.hits, c.runs)
		n := r.CleanRuns()
		if n != c.want {
			t.Errorf("%d of %d: %d clean runs, want %d", c.hits, c.runs, n, c.want)
		}
		if n > 1 && (math.Pow(1-r.Lo, float64(n)) > 0.05 || math.Pow(1-r.Lo, float64(n-1)) <= 0.05) {
			t.Errorf("%d of %d: %d is not the least", c.hits, c.runs, n)
		}
	}
}

func TestRateRefusesMoreHitsThanRuns(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("2 of 1 is a rate")
		}
	}()
	RateOf(2, 1)
}
