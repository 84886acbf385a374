package stat

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		want    float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, math.MaxFloat64},
	} {
		before := slices.Clone(c.samples)
		if got := Median(c.samples); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.samples, got, c.want)
		}
		if !slices.Equal(before, c.samples) {
			t.Errorf("Median reordered its argument: %v became %v", before, c.samples)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("Median of nothing is a number")
	}
}

func TestSummaryMarshalsAsFiveFields(t *testing.T) {
	s, err := Summarize([]float64{2, 1, 3}, "ms", 7)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"median":2,"lo":1,"hi":3,"n":3,"unit":"ms"}`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	if !s.IsRange() {
		t.Error("three repetitions are not marked as a range")
	}
}

func TestSummarizeIsAFunctionOfItsSeed(t *testing.T) {
	samples := draw(rand.New(rand.NewPCG(1, 1)), 11, (*rand.Rand).ExpFloat64)
	a, _ := Summarize(samples, "ms", 5)
	b, _ := Summarize(samples, "ms", 5)
	if a != b {
		t.Errorf("the same seed gave %v and %v", a, b)
	}
	if a.IsRange() || a.Lo > a.Median || a.Hi < a.Median || a.Lo == a.Hi {
		t.Errorf("interval %v does not hold its median", a)
	}
	if a.Lo == slices.Min(samples) && a.Hi == slices.Max(samples) {
		t.Errorf("eleven repetitions gave the range %v, not an interval", a)
	}
}

func TestSamplesThatCannotBeSummarised(t *testing.T) {
	if _, err := Summarize(nil, "ms", 1); !errors.Is(err, ErrNoSamples) {
		t.Errorf("no samples: %v", err)
	}
	if _, err := Summarize([]float64{1, math.NaN()}, "ms", 1); err == nil {
		t.Error("NaN was summarised")
	}
	if _, err := Ratio([]float64{1}, []float64{0}, 1); err == nil {
		t.Error("a ratio to zero was given")
	}
}

// The interval must hold the true median about 95 times in 100, for a
// symmetric and a skewed distribution. A normal interval around the mean, or
// one of half the width, fails this.
func TestIntervalCoverage(t *testing.T) {
	const trials = 400
	for _, c := range []struct {
		name   string
		n      int
		draw   func(*rand.Rand) float64
		median float64
	}{
		{"normal, 10", 10, (*rand.Rand).NormFloat64, 0},
		{"exponential, 10", 10, (*rand.Rand).ExpFloat64, math.Ln2},
		{"exponential, 25", 25, (*rand.Rand).ExpFloat64, math.Ln2},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(42, uint64(c.n)))
			held := 0
			for i := range trials {
				s, err := Summarize(draw(rng, c.n, c.draw), "", uint64(i))
				if err != nil {
					t.Fatal(err)
				}
				if s.Lo <= c.median && c.median <= s.Hi {
					held++
				}
			}
			if share := float64(held) / trials; share < 0.91 || share > 0.99 {
				t.Errorf("the 95 %% interval held the median in %.1f %% of %d trials", 100*share, trials)
			}
		})
	}
}

func TestRatioCoverage(t *testing.T) {
	const trials = 300
	rng := rand.New(rand.NewPCG(3, 9))
	held := 0
	for i := range trials {
		a, b := draw(rng, 10, (*rand.Rand).ExpFloat64), draw(rng, 10, (*rand.Rand).ExpFloat64)
		for j := range a {
			a[j] *= 3
		}
		s, err := Ratio(a, b, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		if s.Lo <= 3 && 3 <= s.Hi {
			held++
		}
	}
	if share := float64(held) / trials; share < 0.91 || share > 0.995 {
		t.Errorf("the interval held the ratio in %.1f %% of trials", 100*share)
	}
}

func TestRatioOfFewIsTheRange(t *testing.T) {
	s, err := Ratio([]float64{2, 4}, []float64{1, 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Summary{Median: 2, Lo: 1, Hi: 4, N: 2, Unit: "ratio"}); s != want {
		t.Errorf("got %v, want %v", s, want)
	}
}

func TestAAVerdict(t *testing.T) {
	quiet := []float64{100, 101, 99, 100.5, 99.5, 100.2, 99.8, 100.1, 99.9, 100}
	shifted := make([]float64, len(quiet))
	for i, v := range quiet {
		shifted[i] = v * 1.1
	}
	for _, c := range []struct {
		name string
		a, b []float64
		want Verdict
	}{
		{"same", quiet, quiet, Same},
		{"ten percent", quiet, shifted, Differs},
		{"ten percent, too few", quiet[:3], shifted[:3], TooFew},
	} {
		aa, err := CompareAA(c.a, c.b, 4, 1)
		if err != nil {
			t.Fatal(err)
		}
		if aa.Verdict != c.want {
			t.Errorf("%s: %+v, want %q", c.name, aa, c.want)
		}
	}
}

func TestAARarelyDiffersByChance(t *testing.T) {
	const campaigns, comparisons = 100, 5
	rng := rand.New(rand.NewPCG(8, 8))
	noisy := func(r *rand.Rand) float64 { return 100 + 5*r.NormFloat64() }
	differing := 0
	for i := range campaigns {
		differs := false
		for j := range comparisons {
			aa, err := CompareAA(draw(rng, 10, noisy), draw(rng, 10, noisy), comparisons, uint64(i*comparisons+j))
			if err != nil {
				t.Fatal(err)
			}
			differs = differs || aa.Verdict == Differs
		}
		if differs {
			differing++
		}
	}
	if differing > 12 {
		t.Errorf("%d of %d campaigns with nothing but noise were called different", differing, campaigns)
	}
}

func TestTheilSen(t *testing.T) {
	var x, y []float64
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		x = append(x, float64(i))
		y = append(y, 5+2*float64(i)+rng.NormFloat64())
	}
	y[7], y[20] = 1e6, -1e6
	s, err := TheilSen(x, y)
	if err != nil {
		t.Fatal(err)
	}
	if s.Lo > 2 || s.Hi < 2 || s.Hi-s.Lo > 0.2 || math.Abs(s.Slope-2) > 0.05 {
		t.Errorf("slope of a line of slope 2 with two outliers: %+v", s)
	}
	if _, err := TheilSen([]float64{1, 1}, []float64{1, 2}); err == nil {
		t.Error("a slope was given to points with one x")
	}
	if _, err := TheilSen([]float64{1, 2}, []float64{1}); err == nil {
		t.Error("a slope was given to unpaired values")
	}
}

func TestTheilSenCoverage(t *testing.T) {
	const trials = 300
	rng := rand.New(rand.NewPCG(5, 6))
	held := 0
	for range trials {
		x, y := make([]float64, 20), make([]float64, 20)
		for i := range x {
			x[i], y[i] = float64(i), rng.NormFloat64()
		}
		s, err := TheilSen(x, y)
		if err != nil {
			t.Fatal(err)
		}
		if s.Lo <= 0 && 0 <= s.Hi {
			held++
		}
	}
	if share := float64(held) / trials; share < 0.91 || share > 0.99 {
		t.Errorf("the interval held the slope 0 in %.1f %% of trials", 100*share)
	}
}

func draw(rng *rand.Rand, n int, f func(*rand.Rand) float64) []float64 {
	samples := make([]float64, n)
	for i := range samples {
		samples[i] = f(rng)
	}
	return samples
}
