package stat

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// gehan are the weeks of remission of Freireich et al. (Blood 21, 1963, p. 699-716),
// the standard example of the textbooks since Gehan (Biometrika 52, 1965): 21 patients
// with 6-mercaptopurine, 21 with a placebo. "+" is censored.
func gehan() (drug, placebo []Wait) {
	add := func(to *[]Wait, censored bool, weeks ...float64) {
		for _, w := range weeks {
			*to = append(*to, Wait{w, censored})
		}
	}
	add(&drug, false, 6, 6, 6, 7, 10, 13, 16, 22, 23)
	add(&drug, true, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
	add(&placebo, false, 1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
	return drug, placebo
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within || math.IsNaN(got) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestKaplanMeier: the published curve, its standard errors and medians (Kleinbaum
// and Klein, Survival Analysis, chapter 2; the intervals are those of R's survfit).
func TestKaplanMeier(t *testing.T) {
	drug, placebo := gehan()
	s, err := KaplanMeier(drug)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ at, share, se float64 }{
		{6, 0.857, 0.0764}, {7, 0.807, 0.0869}, {10, 0.753, 0.0963}, {13, 0.690, 0.1068}, {16, 0.627, 0.1141}, {22, 0.538, 0.1282}, {23, 0.448, 0.1346},
	}
	if len(s.Steps) != len(want) || s.N != 21 || s.Last != 35 {
		t.Fatalf("%d steps of %d waits up to %v", len(s.Steps), s.N, s.Last)
	}
	for i, w := range want {
		p := s.Steps[i]
		near(t, "time", p.At, w.at, 0)
		near(t, "share", p.Share, w.share, 5e-4)
		near(t, "standard error", math.Log(p.Share/p.Lo)/normal975*p.Share, w.se, 5e-5)
		near(t, "At", s.At(w.at+0.5), w.share, 5e-4)
	}
	if s.At(5) != 1 || s.Steps[0].AtRisk != 21 || s.Steps[2].AtRisk != 15 {
		t.Errorf("%v before the first step; %d and %d at risk", s.At(5), s.Steps[0].AtRisk, s.Steps[2].AtRisk)
	}
	if m := s.Median(); m.Value != 23 || m.Lo != 16 || !math.IsInf(m.Hi, 1) {
		t.Errorf("median of the drug %+v, want 23 from 16 on", m)
	}
	other, err := KaplanMeier(placebo)
	if err != nil {
		t.Fatal(err)
	}
	if m := other.Median(); m.Value != 8 || m.Lo != 4 || m.Hi != 12 {
		t.Errorf("median of the placebo %+v, want 8, 4 to 12", m)
	}
}

// TestRestrictedMean: as R's survfit prints it for the same data.
func TestRestrictedMean(t *testing.T) {
	drug, placebo := gehan()
	s, _ := KaplanMeier(drug)
	e, err := s.RestrictedMean(35)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean of the drug", e.Value, 23.29, 5e-3)
	near(t, "its standard error", (e.Hi-e.Lo)/2/normal975, 2.83, 5e-3)
	s, _ = KaplanMeier(placebo)
	if e, err = s.RestrictedMean(35); err != nil {
		t.Fatal(err)
	}
	near(t, "mean of the placebo", e.Value, 182.0/21, 1e-9)
	near(t, "its standard error", (e.Hi-e.Lo)/2/normal975, 1.38, 5e-3)
	e, _ = s.RestrictedMean(8) // 42 weeks of those that end before it, and 12 times 8
	near(t, "mean up to 8", e.Value, (27+12*8)/21.0, 1e-9)
}

func TestRestrictedMeanBeyondWhatWasWatched(t *testing.T) {
	drug, _ := gehan()
	s, _ := KaplanMeier(drug)
	if _, err := s.RestrictedMean(36); err == nil {
		t.Error("a mean where nothing was watched")
	}
	if s, _ = KaplanMeier([]Wait{{5, true}, {5, true}}); !s.Median().Beyond() {
		t.Errorf("median of waits that never ended: %+v", s.Median())
	}
	if e, err := s.RestrictedMean(5); err != nil || e.Value != 5 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := KaplanMeier(nil); !errors.Is(err, ErrNoSamples) {
		t.Errorf("no waits: %v", err)
	}
	if _, err := KaplanMeier([]Wait{{math.Inf(1), false}}); err == nil {
		t.Error("an endless wait")
	}
}

// TestMedianOfWaitsThatAllEnd is that of the samples.
func TestMedianOfWaitsThatAllEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for n := 1; n < 40; n++ {
		samples := draw(rng, n, (*rand.Rand).ExpFloat64)
		var waits []Wait
		for _, v := range samples {
			waits = append(waits, Wait{v, false})
		}
		s, err := KaplanMeier(waits)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "median", s.Median().Value, Median(samples), 1e-12)
	}
}

// TestLogRank: chi-square 16.79 with 9 observed and 19.25 expected (Kleinbaum and
// Klein; R's survdiff).
func TestLogRank(t *testing.T) {
	drug, placebo := gehan()
	r, err := LogRank([]Stratum{{drug, placebo}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "observed", r.Observed, 9, 0)
	near(t, "expected", r.Expected, 19.25, 5e-3)
	near(t, "chi-square", r.ChiSquare, 16.793, 5e-4)
	near(t, "p", r.P, 4.17e-5, 5e-7)
	swapped, _ := LogRank([]Stratum{{placebo, drug}})
	near(t, "swapped", swapped.ChiSquare, r.ChiSquare, 1e-9)
	near(t, "swapped, expected", swapped.Expected, 10.75, 5e-3)
}

// TestLogRankWithinStrata: strata that differ from each other say nothing about groups
// that do not; two strata alike say twice as much as one.
func TestLogRankWithinStrata(t *testing.T) {
	drug, placebo := gehan()
	one, _ := LogRank([]Stratum{{drug, placebo}})
	two, err := LogRank([]Stratum{{drug, placebo}, {drug, placebo}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "two strata", two.ChiSquare, 2*one.ChiSquare, 1e-9)
	same, err := LogRank([]Stratum{{drug, drug}, {placebo, placebo}})
	if err != nil || same.ChiSquare > 1e-9 || same.P < 0.999 {
		t.Errorf("the same waits in both groups: %+v, %v", same, err)
	}
	if _, err := LogRank([]Stratum{{[]Wait{{5, true}}, []Wait{{5, true}}}}); !errors.Is(err, ErrNoEvents) {
		t.Errorf("nothing happens: %v", err)
	}
}

// TestLogRankKeepsItsLevel: of groups that wait alike one in twenty differs at 5 %.
func TestLogRankKeepsItsLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	const repeats = 2000
	rejected := 0
	for range repeats {
		var strata []Stratum
		for k := range 5 { // mutants
			draws := func() (ws []Wait) {
				for range 6 { // searches
					v := rng.ExpFloat64() * float64(k+1)
					ws = append(ws, Wait{min(v, 4), v > 4})
				}
				return ws
			}
			strata = append(strata, Stratum{draws(), draws()})
		}
		if r, err := LogRank(strata); err == nil && r.P < 0.05 {
			rejected++
		}
	}
	if share := float64(rejected) / repeats; share < 0.03 || share > 0.07 {
		t.Errorf("%v of the tests differ", share)
	}
}

func TestResampled(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	mean := func(drawn []int) float64 {
		sum := 0.0
		for _, i := range drawn {
			sum += values[i]
		}
		return sum / float64(len(drawn))
	}
	e, again := Resampled(10, 7, mean), Resampled(10, 7, mean)
	if e != again || e.Value != 5.5 || e.Lo < 3 || e.Lo > 4.5 || e.Hi < 6.5 || e.Hi > 8 {
		t.Errorf("%+v, again %+v", e, again)
	}
}
