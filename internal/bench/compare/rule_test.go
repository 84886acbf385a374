package compare

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// synthetic is a machine on which B takes ratio times what A takes: each
// repetition has noise of its own, one in twenty is disturbed, and the machine's
// speed wanders.
func synthetic(ratio, noise float64, seed uint64) Repeat {
	rng := rand.New(rand.NewPCG(seed, 7))
	speed := 1.0
	return func(_ context.Context, arm Arm) (Reading, error) {
		speed *= math.Exp(0.01 * rng.NormFloat64())
		t := 100 * speed * math.Exp(noise*rng.NormFloat64())
		if rng.IntN(20) == 0 {
			t *= 1 + 0.3*rng.Float64()
		}
		if arm == B {
			t *= ratio
		}
		return Reading{CPU: t, Wall: 1.1 * t}, nil
	}
}

func compared(t *testing.T, rule Rule, repeat Repeat) *Result {
	t.Helper()
	r, err := Run(t.Context(), rule, repeat, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestIntervalContainsTheTruth compares equal synthetic builds (A/A) many times
// under the stopping rule: about 95 intervals in 100 must contain 1.
func TestIntervalContainsTheTruth(t *testing.T) {
	const trials = 150
	within := 0
	for seed := range uint64(trials) {
		r := compared(t, DefaultRule(), synthetic(1, 0.01, seed))
		if r.Ratio.Lo <= 1 && 1 <= r.Ratio.Hi {
			within++
		}
	}
	if share := float64(within) / trials; share < 0.93 || share > 0.98 {
		t.Errorf("%.3f of the intervals contain 1", share)
	}
}

// TestDifferenceIsFound: 10 % in either direction is seen, and stops the gate.
func TestDifferenceIsFound(t *testing.T) {
	for seed := range uint64(20) {
		slow := compared(t, DefaultRule(), synthetic(1.1, 0.01, seed))
		if slow.Verdict != Slower || !slow.Narrow || !slow.Exceeds(1.05) || math.Abs(slow.Ratio.Median-1.1) > 0.03 {
			t.Errorf("seed %d: %s (ratio %+v)", seed, slow.Why(), slow.Ratio)
		}
		fast := compared(t, DefaultRule(), synthetic(1/1.1, 0.01, seed))
		if fast.Verdict != Faster || fast.Exceeds(1.05) || fast.Slower > len(fast.Blocks)/2 {
			t.Errorf("seed %d: %s (ratio %+v)", seed, fast.Why(), fast.Ratio)
		}
	}
}

// TestEqualBuilds: almost none is said to be slower, and the gate lets all pass
// whose interval is narrow.
func TestEqualBuilds(t *testing.T) {
	different := 0
	for seed := range uint64(40) {
		r := compared(t, DefaultRule(), synthetic(1, 0.01, seed))
		if r.Verdict != Same {
			different++
		}
		if r.Exceeds(1.05) {
			t.Errorf("seed %d: the gate does not let it pass: %+v", seed, r.Ratio)
		}
	}
	if different > 6 {
		t.Errorf("%d of 40 equal builds differ", different)
	}
}

// TestNotToldApart: where the noise is too large for the blocks allowed, the
// result says so and what it could have seen, and the gate does not let it pass.
func TestNotToldApart(t *testing.T) {
	rule := DefaultRule()
	rule.MaxBlocks = 10
	r := compared(t, rule, synthetic(1, 0.3, 1))
	if r.Verdict != Unknown || r.Narrow || len(r.Blocks) != 10 || r.Smallest() < 0.05 || !r.Exceeds(1.05) {
		t.Errorf("%s: %+v", r.Verdict, r.Ratio)
	}
	if !strings.Contains(r.Why(), "not told apart; the smallest difference this run could have seen is") {
		t.Error(r.Why())
	}
}

// TestBudget: the first block is measured whatever it takes, and one block has no
// interval with which to pass a gate.
func TestBudget(t *testing.T) {
	rule := DefaultRule()
	rule.Budget = time.Nanosecond
	r := compared(t, rule, synthetic(0.5, 0, 1))
	if len(r.Blocks) != 1 || r.Verdict != TooFew || !r.Exceeds(1.05) {
		t.Errorf("%d blocks: %s", len(r.Blocks), r.Verdict)
	}
}

// TestBlocksCancelASlope: a machine that slows down steadily bends no ratio.
func TestBlocksCancelASlope(t *testing.T) {
	now := 100.0
	var arms string
	repeat := func(_ context.Context, arm Arm) (Reading, error) {
		arms += arm.String()
		now++
		return Reading{CPU: now, Wall: now}, nil
	}
	r := compared(t, DefaultRule(), repeat)
	for _, b := range r.Blocks {
		if b.Ratio != 1 || b.WallRatio != 1 {
			t.Errorf("block %d: ratios %g and %g", b.Number, b.Ratio, b.WallRatio)
		}
	}
	if want := "ABBABAABABBABAABABBABAAB"; arms != want || r.SignP != 1 {
		t.Errorf("measured %s, want %s; sign test %g", arms, want, r.SignP)
	}
}

func TestErrorsEndARun(t *testing.T) {
	broken := errors.New("broken")
	_, err := Run(t.Context(), DefaultRule(), func(context.Context, Arm) (Reading, error) { return Reading{}, broken }, nil)
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	_, err = Run(t.Context(), DefaultRule(), func(context.Context, Arm) (Reading, error) { return Reading{CPU: 0, Wall: 1}, nil }, nil)
	if err == nil || !strings.Contains(err.Error(), "cannot be compared") {
		t.Error(err)
	}
	for _, change := range []func(*Rule){
		func(r *Rule) { r.Width = 0 }, func(r *Rule) { r.MinBlocks = 5 }, func(r *Rule) { r.MaxBlocks = 5 }, func(r *Rule) { r.Budget = 0 },
	} {
		rule := DefaultRule()
		change(&rule)
		if _, err := Run(t.Context(), rule, synthetic(1, 0, 1), nil); err == nil {
			t.Errorf("%+v is a rule", rule)
		}
	}
}

// TestSignTest has the chances of throws of a coin.
func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		k, n int
		p    float64
	}{{0, 0, 1}, {0, 6, 2.0 / 64}, {6, 6, 2.0 / 64}, {3, 6, 1}, {1, 6, 14.0 / 64}} {
		if got := signTest(c.k, c.n); math.Abs(got-c.p) > 1e-12 {
			t.Errorf("%d of %d: %g, want %g", c.k, c.n, got, c.p)
		}
	}
}
