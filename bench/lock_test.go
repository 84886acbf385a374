package bench_test

import (
	"errors"
	"testing"
	"time"

	"weir/bench"
)

// TestTwoCampaignsDoNotShareADirectory: the second one is refused, and says why,
// instead of taking the first one's data away.
func TestTwoCampaignsDoNotShareADirectory(t *testing.T) {
	a := tiny(t)
	var inner, resumed error
	tried := false
	a.Progress = func(int, int, time.Duration, string) {
		if tried {
			return
		}
		tried = true
		b := tiny(t)
		b.Dir = a.WorkDir()
		inner = b.Run(t.Context())
		c, err := bench.Resume(a.Results)
		if err != nil {
			resumed = err
			return
		}
		resumed = c.Run(t.Context())
	}
	if err := a.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, bench.ErrInUse) {
		t.Errorf("a campaign in the same data directory ended with %v", inner)
	}
	if !errors.Is(resumed, bench.ErrInUse) {
		t.Errorf("going on with a campaign that is under way ended with %v", resumed)
	}
}
