package live

import (
	"testing"
	"time"
)

// TestCourtesy: a transfer lets others run after a short time of work, and after
// a long wait works for longer, so that a busy job does not starve it.
func TestCourtesy(t *testing.T) {
	now, yields, wait := int64(1), 0, int64(0)
	c := courtesy{now: func() int64 { return now }, gosched: func() { yields++; now += wait }}
	work := func(d time.Duration) (yielded int) {
		before := yields
		for until := now + int64(d); now < until; now += 1000 {
			c.yield()
		}
		return yields - before
	}
	if n := work(10 * time.Millisecond); n < 45 || n > 50 {
		t.Errorf("yielded %d times in 10 ms of work with nobody waiting, want 50", n)
	}
	wait = int64(6 * time.Millisecond)
	worked := int64(0)
	before, began := yields, now
	for yields < before+10 {
		c.yield()
		now += 1000
		worked += 1000
	}
	if share := float64(worked) / float64(now-began); share < 0.20 || share > 0.30 {
		t.Errorf("worked %.2f of the time in a busy job, want a quarter", share)
	}
}
